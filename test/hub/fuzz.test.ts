/**
 * Ten thousand damaged and hostile files: each is read as a valid value or refused with a clear error, soon, and without
 * taking more memory than a small multiple of its size. Every file follows from its format and number alone.
 */
import { unzipSync } from "fflate";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { Rng } from "../../src/data/rng.ts";
import {
  FormatError,
  fromNpy,
  fromNpz,
  fromSafetensors,
  fromTorchValue,
} from "../../src/hub/index.ts";
import { Tensor } from "../../src/index.ts";
import { fixture } from "./fixtures.ts";
import * as mutate from "./mutations.ts";

const FILES_PER_FORMAT = 2500;
/** Longest time for one file of a few thousand bytes, generous since the machine may be busy. */
const MAX_MS = 1000;
/** What engines say when a program did not check what it was given. */
const UNCLEAR =
  /undefined|is not a|Cannot|Invalid|out of (memory|bounds)|allocation|call stack|\[object |internal/;

interface Format {
  readonly read: (bytes: Uint8Array) => unknown;
  readonly files: readonly Uint8Array[];
  /** Ways to damage a file, each as likely as the others. */
  readonly ways: readonly mutate.Damage[];
  /** Times its size, and bytes besides, by which reading a file may grow memory. */
  readonly growth: readonly [times: number, besides: number];
}

const formats: Readonly<Record<string, Format>> = {
  safetensors: {
    read: fromSafetensors,
    files: ["small.safetensors", "types.safetensors"].map(fixture),
    ways: [mutate.damaged, ...Array<mutate.Damage>(4).fill(mutate.damagedHeader)],
    growth: [8, 2 ** 14],
  },
  npy: {
    read: fromNpy,
    files: [
      ...["version-1.npy", "version-2.npy", "version-3.npy"].map(fixture),
      ...Object.values(unzipSync(fixture("arrays.npz"))),
    ],
    ways: [mutate.damaged, ...Array<mutate.Damage>(3).fill(mutate.damagedHeader)],
    growth: [8, 2 ** 14],
  },
  npz: {
    read: (bytes) => fromNpz(bytes),
    files: ["arrays.npz", "packed.npz"].map(fixture),
    ways: [
      mutate.damaged,
      mutate.damagedZip,
      mutate.damagedZip,
      mutate.inside(/\.npy$/, mutate.damaged),
      mutate.inside(/\.npy$/, mutate.damagedHeader),
      mutate.inside(/\.npy$/, mutate.bomb),
      mutate.lyingBomb,
    ],
    growth: [128, 2 ** 21],
  },
  torch: {
    read: (bytes) => fromTorchValue(bytes),
    files: ["training", "views", "types", "plain", "protocol-4", "big-endian"].map((name) =>
      fixture(`${name}.pt`),
    ),
    ways: [
      mutate.damaged,
      mutate.damagedZip,
      mutate.inside(/data\.pkl$/, mutate.damaged),
      mutate.inside(/data\.pkl$/, mutate.damaged),
      ...Array<mutate.Damage>(3).fill(mutate.inside(/data\.pkl$/, mutate.hostilePickle)),
      mutate.inside(/data\/\d+$/, mutate.damaged),
      mutate.inside(/data\/\d+$/, mutate.bomb),
      mutate.lyingBomb,
    ],
    growth: [128, 2 ** 21],
  },
};

/** All tensors in a value. */
function tensorsIn(value: unknown, found = new Set<Tensor>(), seen = new Set<unknown>()) {
  if (typeof value !== "object" || value === null || seen.has(value)) return found;
  seen.add(value);
  if (value instanceof Tensor) return found.add(value);
  const items: unknown[] =
    value instanceof Map || value instanceof Set ? [...(value as Iterable<unknown>)] : [];
  for (const item of [
    ...items,
    ...(ArrayBuffer.isView(value) ? [] : (Object.values(value) as unknown[])),
  ])
    tensorsIn(item, found, seen);
  return found;
}

test.each(Object.entries(formats))("%s", async (name, { read, files, ways, growth }) => {
  const problems: string[] = [];
  const messages = new Set<string>();
  let loaded = 0;
  for (let i = 0; i < FILES_PER_FORMAT; i++) {
    const rng = new Rng(`${name} ${i}`);
    const bytes = rng.pick(ways)(rng.pick(files), rng);
    const limit = growth[0] * bytes.length + growth[1];
    const before = process.memoryUsage().arrayBuffers;
    const start = performance.now();
    let value: unknown;
    let error: unknown;
    try {
      value = read(bytes);
    } catch (caught) {
      error = caught;
    }
    const ms = performance.now() - start;
    const grown = process.memoryUsage().arrayBuffers - before;
    if (ms > MAX_MS) problems.push(`${i}: took ${ms} ms`);
    if (grown > limit)
      problems.push(
        `${i}: ${bytes.length} bytes made memory grow by ${grown}, the limit is ${limit}`,
      );
    if (error === undefined) {
      loaded++;
      for (const tensor of tensorsIn(value)) {
        const data = await tensor.data();
        if (data.length !== tensor.size)
          problems.push(`${i}: a tensor has ${data.length} elements`);
      }
    } else if (!(error instanceof FormatError)) {
      problems.push(`${i}: ${inspect(error)}`);
    } else {
      messages.add(error.message.replace(/[\d-]+/g, "0"));
      if (!/^(safetensors|npy|npz|torch|pickle): ./.test(error.message))
        problems.push(`${i}: does not name the format: ${error.message}`);
      if (UNCLEAR.test(error.message) || error.message.length > 500)
        problems.push(`${i}: is not clear: ${error.message}`);
    }
  }
  expect(problems).toEqual([]);
  // The damage is neither so slight nor so gross that it proves nothing.
  expect(loaded).toBeGreaterThan(FILES_PER_FORMAT / 100);
  expect(loaded).toBeLessThan(FILES_PER_FORMAT / 2);
  expect(messages.size).toBeGreaterThan(20);
});
