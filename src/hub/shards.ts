/** Weights in several files with an index, as Hugging Face splits large models. */
import { dtypes } from "../graph/dtype.ts";
import type { StateDict } from "../nn/module.ts";
import type { Tensor } from "../tensor.ts";
import { duplicateKey } from "./duplicate-keys.ts";
import { FormatError, shown } from "./format-error.ts";

/** Bytes, or text such as "500MB" (millions) or "2GiB" (powers of 1024). */
export type ByteSize = number | string;

const UNITS: ReadonlyMap<string, number> = new Map([
  ["B", 1],
  ["KB", 1e3],
  ["MB", 1e6],
  ["GB", 1e9],
  ["KIB", 2 ** 10],
  ["MIB", 2 ** 20],
  ["GIB", 2 ** 30],
]);

/** The number of bytes that a size means. */
export function bytesOf(what: string, size: ByteSize): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(String(size)) ?? [];
  const bytes =
    typeof size === "number" ? size : Number(number) * (UNITS.get(unit.toUpperCase()) ?? NaN);
  if (!(bytes > 0))
    throw new Error(`${what}: expected bytes or a size such as "500MB" or "2GiB", got ${size}`);
  return bytes;
}

const byteLength = ({ dtype, size }: Tensor): number => size * dtypes[dtype].bytes;

/** The tensors, in their order, in groups of at most `maxBytes`; one that is larger has a group to itself. */
export function splitIntoShards(tensors: StateDict, maxBytes: number): StateDict[] {
  const shards: [string, Tensor][][] = [[]];
  let room = maxBytes;
  for (const [name, tensor] of Object.entries(tensors)) {
    const bytes = byteLength(tensor);
    if (bytes > room && shards.at(-1)!.length > 0) {
      shards.push([]);
      room = maxBytes;
    }
    shards.at(-1)!.push([name, tensor]);
    room -= bytes;
  }
  return shards.map((shard) => Object.fromEntries(shard));
}

/** The name of shard `i` (from 0) of `count`, e.g. `model-00001-of-00003.safetensors`. */
export const shardName = (i: number, count: number): string =>
  `model-${digits(i + 1)}-of-${digits(count)}.safetensors`;

const digits = (n: number): string => String(n).padStart(5, "0");

/** The index over shards that bear the names of {@link shardName}, as the text of `model.safetensors.index.json`. */
export function indexOf(shards: readonly StateDict[]): string {
  const named = shards.flatMap((shard, i) =>
    Object.keys(shard).map((name) => [name, shardName(i, shards.length)] as const),
  );
  const total = shards.flatMap((shard) => Object.values(shard)).map(byteLength);
  const index = {
    metadata: { total_size: total.reduce((a, b) => a + b, 0) },
    weight_map: Object.fromEntries(named),
  };
  return `${JSON.stringify(index, null, 2)}\n`;
}

/**
 * Which tensors stand in which file, from the text of an index. File names are taken only if they name a file beside
 * the index.
 * @throws FormatError when it is no index, or names a file elsewhere.
 */
export function parseIndex(text: string): Map<string, string[]> {
  let index: unknown;
  try {
    index = JSON.parse(text);
  } catch (error) {
    throw wrong("it is not JSON", { cause: error });
  }
  const twice = duplicateKey(text);
  if (twice !== undefined) throw wrong(`it has the key ${shown(twice)} twice`);
  const map = isRecord(index) ? index["weight_map"] : undefined;
  if (!isRecord(map)) throw wrong("it has no weight_map");
  const files = new Map<string, string[]>();
  for (const [name, file] of Object.entries(map)) {
    if (typeof file !== "string" || !/^[^/\\:\0]+$/.test(file) || /^\.{1,2}$/.test(file))
      throw wrong(
        `tensor ${shown(name)} stands in ${typeof file === "string" ? shown(file) : typeof file}, expected the name of a file beside the index`,
      );
    const names = files.get(file);
    if (names === undefined) files.set(file, [name]);
    else names.push(name);
  }
  return files;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const wrong = (problem: string, options?: ErrorOptions): FormatError =>
  new FormatError(`index of weights: ${problem}`, options);
