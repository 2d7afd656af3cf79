/**
 * Files of the ecosystem: safetensors, PyTorch checkpoints, NumPy arrays, and ONNX.
 * @module learning-loop/hub
 */

export { exportOnnx, type Exportable, type ExportOptions } from "./export-onnx.ts";
export {
  loadFile,
  loadNpy,
  loadNpz,
  loadTorch,
  loadTorchValue,
  saveFile,
  saveNpy,
  saveNpz,
  saveSharded,
  type ShardOptions,
} from "./files.ts";
export { FormatError } from "./format-error.ts";
export { fromNpy, toNpy } from "./npy.ts";
export { fromNpz, toNpz, type NpzOptions } from "./npz.ts";
export { fromSafetensors, toSafetensors, type SafetensorsFile } from "./safetensors.ts";
export type { ByteSize } from "./shards.ts";
export {
  fromTorch,
  fromTorchValue,
  type TorchDict,
  type TorchOptions,
  type TorchValue,
  type TorchValueOptions,
} from "./torch.ts";
export type { ZipOptions } from "./zip.ts";
