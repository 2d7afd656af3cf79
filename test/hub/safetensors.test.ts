/** Safetensors: what is written can be read here and by the reference implementation, and bad files are refused. */
import { describe, expect, test } from "vitest";
import { tensor, zeros } from "../../src/creation.ts";
import { fromSafetensors, toSafetensors } from "../../src/hub/safetensors.ts";
import { temporaryFolder } from "../data/temp.ts";
import { findPython, runPython } from "../support/python.ts";
import { described, expected, fixture as readFixture } from "./fixtures.ts";

const { file } = temporaryFolder();
const fixture = readFixture("small.safetensors");

/** The contents of scripts/fixtures/safetensors_files.py. */
const CONTENT = {
  "encoder.weight": ["float32", [2, 3], [1.5, -2.25, 3, 0, -0, Math.fround(1e-30)]],
  double: ["float64", [2], [Math.PI, -Infinity]],
  half: ["float16", [3], [0x3800, 0xc000, 0x7bff]],
  counts: ["int32", [2, 1], [2 ** 31 - 1, -(2 ** 31)]],
  long: ["int64", [2], [2n ** 53n + 1n, -1n]],
  unsigned: ["uint32", [1], [2 ** 32 - 1]],
  mask: ["bool", [3], [1, 0, 1]],
  scalar: ["float32", [], [7]],
  empty: ["float32", [0, 4], []],
  "naïve — 名前": ["float32", [1], [1]],
} as const;

async function contentOf(bytes: Uint8Array) {
  const { tensors } = fromSafetensors(bytes);
  const entries = Object.entries(tensors).map(
    async ([name, t]) => [name, [t.dtype, [...t.shape], [...(await t.data())]]] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

test("reads a file of the reference implementation", async () => {
  expect(await contentOf(fixture)).toEqual(CONTENT);
  expect(fromSafetensors(fixture).metadata).toEqual({ format: "np", note: "é" });
});

test("reads the types that are widened, as PyTorch wrote them", async () => {
  const { tensors } = fromSafetensors(readFixture("types.safetensors"));
  const sorted = (items: [unknown, unknown][]) =>
    items.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  const { dict } = (await described(tensors)) as { dict: [unknown, unknown][] };
  expect(sorted(dict)).toEqual(sorted(expected["types.safetensors"]!.dict));
  expect(() => fromSafetensors(readFixture("refused-f8.safetensors"))).toThrow(
    "tensor x has the type F8_E4M3",
  );
});

test("reads what it writes, from any offset in memory", async () => {
  const { tensors } = fromSafetensors(fixture);
  const bytes = await toSafetensors(tensors, { note: "ü" });
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  expect(await contentOf(shifted.subarray(3))).toEqual(CONTENT);
  expect(fromSafetensors(bytes).metadata).toEqual({ note: "ü" });
  expect(await contentOf(await toSafetensors({}))).toEqual({});
  const odd = { ["__proto__"]: tensor([1]), 1: tensor([2]) };
  expect(Object.keys(fromSafetensors(await toSafetensors(odd)).tensors).sort()).toEqual([
    "1",
    "__proto__",
  ]);
});

test("every tensor is aligned to its element size", async () => {
  const bytes = await toSafetensors({
    a: tensor([true]),
    b: zeros([1], { dtype: "float64" }),
    c: zeros([1]),
  });
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  expect(length % 8).toBe(0);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<
    string,
    { data_offsets: number[] }
  >;
  expect(["a", "b", "c"].map((name) => header[name]?.data_offsets)).toEqual([
    [12, 13],
    [0, 8],
    [8, 12],
  ]);
});

const python = findPython(["safetensors", "numpy"]);
test.skipIf(python === null)(
  `the reference implementation reads it${python === null ? " (skipped: no Python with safetensors and numpy)" : ""}`,
  async () => {
    const path = file("ours.safetensors", await toSafetensors(fromSafetensors(fixture).tensors));
    const printed = runPython(
      python ?? "",
      `import sys, json
from safetensors.numpy import load_file
print(json.dumps({k: [str(v.dtype), list(v.shape), v.tobytes().hex()] for k, v in load_file(sys.stdin.read()).items()}))`,
      path,
    );
    const read = JSON.parse(printed) as Record<string, [string, number[], string]>;
    expect(Object.keys(read).sort()).toEqual(Object.keys(CONTENT).sort());
    for (const [name, t] of Object.entries(fromSafetensors(fixture).tensors)) {
      const data = await t.data();
      const hex = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex");
      expect(read[name], name).toEqual([t.dtype, [...t.shape], hex]);
    }
  },
);

describe("files that are damaged or lie", () => {
  /** A file with this header and `size` bytes of elements. */
  function forged(header: unknown, size: number): Uint8Array {
    const json = new TextEncoder().encode(
      typeof header === "string" ? header : JSON.stringify(header),
    );
    const bytes = new Uint8Array(8 + json.length + size);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
    bytes.set(json, 8);
    return bytes;
  }
  const entry = (dtype: unknown, shape: unknown, offsets: unknown) => ({
    x: { dtype, shape, data_offsets: offsets },
  });

  test("no prefix of a file is one", () => {
    for (let length = 0; length < fixture.length; length++) {
      expect(() => fromSafetensors(fixture.subarray(0, length))).toThrow(/^safetensors: /);
    }
  });

  test.each([
    ["{}", 1, "expected 10 bytes, got 11"],
    [
      '{"x":{"dtype":"F32","dtype":"I32","shape":[1],"data_offsets":[0,4]}}',
      4,
      "the key dtype twice",
    ],
    ['{"__metadata__":{"a":"\\\\\\":{","\\u0061":""}}', 0, "the key a twice"],
    ['{"x":{},"x":{}}', 0, "the header has the key x twice"],
    [entry("U64", [1], [0, 8]), 8, "has the type U64, expected one of F32"],
    [entry(["F32"], [1], [0, 4]), 4, "has no type that is named, expected"],
    [entry("constructor", [1], [0, 4]), 4, "has the type constructor"],
    [entry("F32", Array(65).fill(1), [0, 4]), 4, "has 65 dimensions, expected at most 64"],
    [entry("F32", [2 ** 53], [0, 4]), 4, "has no valid shape"],
    [entry("F32", ["4"], [0, 16]), 16, "has no valid shape"],
    [entry("F32", [1], [-4, 0]), 4, "has no valid data_offsets"],
    [entry("F32", [1], [2 ** 52, 2 ** 52 + 4]), 4, "expected 0"],
    ["[]", 0, "the header is not an object"],
    ["{", 0, "the header is not JSON"],
    [{ __metadata__: 1 }, 0, "__metadata__ is not an object"],
    [{ __metadata__: { a: 1 } }, 0, "__metadata__ a is not text"],
    [{ x: 1 }, 0, "tensor x is not described by an object"],
    [entry("F8", [1], [0, 1]), 1, "has the type F8, expected one of F32"],
    [entry("F32", [-1], [0, 4]), 4, "has no valid shape"],
    [entry("F32", "1", [0, 4]), 4, "has no valid shape"],
    [entry("F32", [1], [0]), 4, "has no valid data_offsets"],
    [entry("F32", [1], [0, 4.5]), 4, "has no valid data_offsets"],
    [entry("F32", [1], [4, 0]), 4, "needs 4 bytes, got -4"],
    [entry("F32", [2], [0, 4]), 4, "of shape [2] needs 8 bytes, got 4"],
    [entry("F32", [2 ** 40, 2 ** 40], [0, 4]), 4, "has too many elements"],
    [entry("F32", [1], [4, 8]), 8, "tensor x begins at 4, expected 0"],
    [entry("F32", [1], [0, 4]), 3, "is the file truncated or damaged?"],
    [
      { ...entry("F32", [1], [0, 4]), y: { dtype: "F32", shape: [1], data_offsets: [0, 4] } },
      4,
      "tensor y begins at 0, expected 4",
    ],
  ])("%j with %i bytes", (header, size, message) => {
    expect(() => fromSafetensors(forged(header, size))).toThrow(message);
  });

  test("a header longer than the file", () => {
    const bytes = forged("{}", 0);
    new DataView(bytes.buffer).setBigUint64(0, 2n ** 63n, true);
    expect(() => fromSafetensors(bytes)).toThrow("is it safetensors, and whole?");
  });
});
