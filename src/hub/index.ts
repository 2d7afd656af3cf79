/** Files of the ecosystem: safetensors and ONNX. */

export { exportOnnx, type ExportOptions } from "./export-onnx.ts";
export { loadFile, saveFile } from "./files.ts";
export { fromSafetensors, toSafetensors, type SafetensorsFile } from "./safetensors.ts";
