/** Reads the files of scripts/fixtures/checkpoints.py and says what was loaded in the same words as its expected.json. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TorchValue } from "../../src/hub/index.ts";
import { Tensor } from "../../src/index.ts";

export const fixturePath = (name: string): string =>
  join(import.meta.dirname, "../fixtures/hub", name);

export const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(fixturePath(name)));

/** What each file holds; a tensor is [dtype, shape, elements]. */
export const expected = JSON.parse(readFileSync(fixturePath("expected.json"), "utf8")) as Record<
  string,
  { dict: [unknown, unknown][] }
>;

/** A value as expected.json tells it. */
export async function described(value: TorchValue): Promise<unknown> {
  if (value instanceof Tensor) {
    const flat = (await value.reshape([-1]).toArray()) as (number | boolean)[];
    const exact = value.dtype === "int64" ? Array.from(await value.data(), BigInt) : flat;
    return { tensor: [value.dtype, [...value.shape], exact.map(scalar)] };
  }
  if (Array.isArray(value)) return { list: await all(value) };
  if (value instanceof Set) return { set: (await all([...value])).sort() };
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (value instanceof Map) return { dict: await all([...value], pair) };
  if (typeof value === "object" && value !== null)
    return { dict: await all(Object.entries(value), pair) };
  return scalar(value);
}

const pair = async ([key, value]: [TorchValue, TorchValue]) => [
  await described(key),
  await described(value),
];

const all = <T>(values: T[], each: (value: T) => Promise<unknown> = described as never) =>
  Promise.all(values.map((value) => each(value)));

function scalar(value: number | bigint | boolean | string | null): unknown {
  if (typeof value === "bigint")
    return Number.isSafeInteger(Number(value)) ? Number(value) : { bigint: String(value) };
  return typeof value === "number" && !Number.isFinite(value) ? { float: String(value) } : value;
}
