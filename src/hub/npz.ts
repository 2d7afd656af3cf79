/** Writes and reads .npz, NumPy's zip archive of named arrays. */
import { zipSync } from "fflate";
import type { StateDict } from "../nn/module.ts";
import type { Tensor } from "../tensor.ts";
import { FormatError, shown } from "./format-error.ts";
import { fromNpy, toNpy } from "./npy.ts";
import { isZip, openZip, type ZipOptions } from "./zip.ts";

/** How an .npz file is written. */
export interface NpzOptions {
  /** Pack the arrays, as `np.savez_compressed` does. */
  readonly compress?: boolean;
}

/** Largest archive in the form that is written, in bytes. */
const MAX_ARCHIVE = 2 ** 32 - 1;

/**
 * The bytes of an .npz file, one array a name, as `np.savez` writes it.
 * @throws Error when the archive would reach 4 GiB.
 */
export async function toNpz(
  tensors: StateDict,
  { compress = false }: NpzOptions = {},
): Promise<Uint8Array> {
  const files: [string, Uint8Array][] = [];
  let total = 22;
  for (const [name, tensor] of Object.entries(tensors)) {
    const bytes = await toNpy(tensor);
    // Two headers with the name, in UTF-8.
    total += bytes.length + 2 * (64 + 3 * name.length);
    files.push([`${name}.npy`, bytes]);
  }
  if (total > MAX_ARCHIVE)
    throw new Error(
      `npz: the arrays need about ${total} bytes, the limit is 4 GiB; save them as safetensors`,
    );
  // The earliest time that the format has: equal arrays make equal files.
  return zipSync(Object.fromEntries(files), {
    level: compress ? 6 : 0,
    mtime: new Date(1980, 0, 1),
  });
}

/**
 * The arrays in the bytes of an .npz file, by name.
 * @throws FormatError when the archive or an array is damaged, is none that `fromNpy` reads, or unpacks to more than the limit.
 */
export function fromNpz(bytes: Uint8Array, options: ZipOptions = {}): StateDict {
  const empty = bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 5 && bytes[3] === 6;
  if (!isZip(bytes) && !empty)
    throw new FormatError("npz: expected the zip archive of np.savez, got something else");
  const tensors: [string, Tensor][] = [];
  for (const [entry, read] of openZip("npz", bytes, options).entries) {
    if (!entry.endsWith(".npy"))
      throw new FormatError(`npz: entry ${shown(entry)} is no array, expected the ending .npy`);
    const name = entry.slice(0, -".npy".length);
    const content = read();
    try {
      tensors.push([name, fromNpy(content)]);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw new FormatError(`npz: array ${shown(name)}: ${error.message}`, { cause: error });
    }
  }
  return Object.fromEntries(tensors);
}
