/** Weights and arrays on disk: `saveFile` and `loadFile`, as the Python package safetensors names them, and their kin. */
import type { StateDict } from "../nn/module.ts";
import type { Tensor } from "../tensor.ts";
import { FormatError, shown } from "./format-error.ts";
import { fromNpy, toNpy } from "./npy.ts";
import { fromNpz, toNpz, type NpzOptions } from "./npz.ts";
import { readWhole } from "./read-whole.ts";
import { fromSafetensors, toSafetensors } from "./safetensors.ts";
import {
  bytesOf,
  indexOf,
  parseIndex,
  shardName,
  splitIntoShards,
  type ByteSize,
} from "./shards.ts";
import {
  fromTorch,
  fromTorchValue,
  isLegacyTorch,
  type TorchOptions,
  type TorchValue,
  type TorchValueOptions,
} from "./torch.ts";
import { isZip, type ZipOptions } from "./zip.ts";

/** How a state dict is divided among files. */
export interface ShardOptions {
  /** Most bytes of tensors in one file, e.g. "500MB"; "2GB" unless given. A larger tensor has a file to itself. */
  readonly maxShardSize?: ByteSize;
}

/** What a folder's weights are called, in the order of preference. */
const WEIGHTS = [
  "model.safetensors",
  "model.safetensors.index.json",
  "pytorch_model.bin",
  "pytorch_model.bin.index.json",
];
const WRITTEN = /^model(-\d{5}-of-\d{5})?\.safetensors(\.index\.json)?$/;

/** Writes a state dict as a safetensors file, which appears whole or not at all. Node only. */
export async function saveFile(tensors: StateDict, path: string): Promise<void> {
  await write(path, await toSafetensors(tensors));
}

/**
 * Reads weights, e.g. for `model.loadStateDict(await loadFile(path))`: a safetensors file; a PyTorch checkpoint that is a
 * state dict; an index file (`*.index.json`) with the shards beside it; or a Hugging Face folder with any of them, by its
 * usual name. Node only.
 * @throws FormatError naming the file and what is wrong with it.
 */
export async function loadFile(path: string): Promise<StateDict> {
  const { stat } = await import("node:fs/promises");
  if ((await stat(path)).isDirectory()) return loadFile(await weightsIn(path));
  if (path.endsWith(".index.json")) return loadShards(path);
  return load(path, weightsOf);
}

/**
 * Writes a state dict into a folder as Hugging Face does: `model.safetensors` if it fits, else shards
 * `model-00001-of-00003.safetensors`, … and `model.safetensors.index.json`. Files of these names that an earlier save left
 * are removed. Each file appears whole or not at all; the index comes last. Node only.
 * @returns the names of the files.
 */
export async function saveSharded(
  tensors: StateDict,
  folder: string,
  { maxShardSize = "2GB" }: ShardOptions = {},
): Promise<string[]> {
  const { mkdir, readdir, rm } = await import("node:fs/promises");
  const paths = await import("node:path");
  const shards = splitIntoShards(tensors, bytesOf("saveSharded: maxShardSize", maxShardSize));
  await mkdir(folder, { recursive: true });
  const names: string[] = [];
  for (const [i, shard] of shards.entries()) {
    const name = shards.length === 1 ? "model.safetensors" : shardName(i, shards.length);
    await saveFile(shard, paths.join(folder, name));
    names.push(name);
  }
  if (shards.length > 1) {
    names.push("model.safetensors.index.json");
    await write(paths.join(folder, names.at(-1)!), new TextEncoder().encode(indexOf(shards)));
  }
  for (const name of await readdir(folder))
    if (WRITTEN.test(name) && !names.includes(name)) await rm(paths.join(folder, name));
  return names;
}

/**
 * Reads the state dict of a PyTorch checkpoint (`.pt`, `.pth`, `.bin`), e.g. for
 * `model.loadStateDict(await loadTorch(path, { key: "model" }))`. Nothing of the file is run; see {@link fromTorch}. Node only.
 * @throws FormatError naming the file and what is wrong with it.
 */
export const loadTorch = (path: string, options?: TorchOptions): Promise<StateDict> =>
  load(path, (bytes) => fromTorch(bytes, options));

/**
 * Reads whatever `torch.save` wrote: tensors, and plain containers of them. Nothing of the file is run; see
 * {@link fromTorchValue}. Node only.
 * @throws FormatError naming the file and what is wrong with it.
 */
export const loadTorchValue = (path: string, options?: TorchValueOptions): Promise<TorchValue> =>
  load(path, (bytes) => fromTorchValue(bytes, options));

/** Writes a tensor as an .npy file, which appears whole or not at all. Node only. */
export async function saveNpy(tensor: Tensor, path: string): Promise<void> {
  await write(path, await toNpy(tensor));
}

/**
 * Reads an .npy file, NumPy's of one array; see {@link fromNpy}. Node only.
 * @throws FormatError naming the file and what is wrong with it.
 */
export const loadNpy = (path: string): Promise<Tensor> => load(path, fromNpy);

/** Writes tensors as an .npz file, NumPy's of named arrays, which appears whole or not at all. Node only. */
export async function saveNpz(
  tensors: StateDict,
  path: string,
  options?: NpzOptions,
): Promise<void> {
  await write(path, await toNpz(tensors, options));
}

/**
 * Reads an .npz file, NumPy's of named arrays; see {@link fromNpz}. Node only.
 * @throws FormatError naming the file and what is wrong with it.
 */
export const loadNpz = (path: string, options?: ZipOptions): Promise<StateDict> =>
  load(path, (bytes) => fromNpz(bytes, options));

async function weightsIn(folder: string): Promise<string> {
  const { readdir } = await import("node:fs/promises");
  const paths = await import("node:path");
  const names = await readdir(folder);
  const found = WEIGHTS.find((name) => names.includes(name));
  if (found === undefined)
    throw new FormatError(`${folder}: there are no weights, expected one of ${WEIGHTS.join(", ")}`);
  return paths.join(folder, found);
}

async function loadShards(path: string): Promise<StateDict> {
  const paths = await import("node:path");
  const files = await load(path, (bytes) => parseIndex(new TextDecoder().decode(bytes)));
  const tensors: [string, Tensor][] = [];
  for (const [file, names] of files) {
    const shard = await load(paths.join(paths.dirname(path), file), weightsOf);
    for (const name of names) {
      if (!Object.hasOwn(shard, name))
        throw new FormatError(`${path}: tensor ${shown(name)} is not in ${shown(file)}`);
      tensors.push([name, shard[name]!]);
    }
  }
  return Object.fromEntries(tensors);
}

const weightsOf = (bytes: Uint8Array): StateDict =>
  isZip(bytes) || isLegacyTorch(bytes) ? fromTorch(bytes) : fromSafetensors(bytes).tensors;

async function load<T>(path: string, parse: (bytes: Uint8Array) => T): Promise<T> {
  const bytes = await readWhole(path);
  try {
    return parse(bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`${path}: ${error.message}`, { cause: error });
  }
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  const { writeFileAtomic } = await import("../data/atomic-write.ts");
  await writeFileAtomic(path, bytes);
}
