/** NumPy's files: read as NumPy wrote them, written so that it reads them, and refused where they are damaged or lie. */
import { zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import {
  FormatError,
  fromNpy,
  fromNpz,
  fromSafetensors,
  loadNpy,
  loadNpz,
  saveNpy,
  saveNpz,
  toNpy,
  toNpz,
} from "../../src/hub/index.ts";
import { tensor, zeros } from "../../src/index.ts";
import { temporaryFolder } from "../data/temp.ts";
import { findPython, runPython } from "../support/python.ts";
import { described, expected, fixture, fixturePath } from "./fixtures.ts";

const { file } = temporaryFolder();

/** An .npy file with this header and `size` bytes of elements. */
function forged(header: string, size: number, version = 1): Uint8Array {
  const text = new TextEncoder().encode(header);
  const start = version === 1 ? 10 : 12;
  const bytes = new Uint8Array(start + text.length + size);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), version, 0]);
  const view = new DataView(bytes.buffer);
  if (version === 1) view.setUint16(8, text.length, true);
  else view.setUint32(8, text.length, true);
  bytes.set(text, start);
  return bytes;
}
const header = (descr: string, shape: string, fortran = "False") =>
  `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;

test("reads every type and layout that NumPy wrote", async () => {
  const tensors = fromNpz(fixture("arrays.npz"));
  expect(await described(tensors)).toEqual(expected["arrays.npz"]);
  const { zeros: packed, ...rest } = await loadNpz(fixturePath("packed.npz"));
  expect(await described(rest)).toEqual(expected["arrays.npz"]);
  expect(packed?.shape).toEqual([100, 10]);
});

test.each([1, 2, 3])("reads version %i of the format", async (version) => {
  const t = await loadNpy(fixturePath(`version-${version}.npy`));
  expect(await t.toArray()).toEqual([
    [0, 1, 2],
    [3, 4, 5],
  ]);
});

test("writes what NumPy itself writes, byte for byte", async () => {
  const t = fromNpy(fixture("version-1.npy"));
  expect(await toNpy(t)).toEqual(fixture("version-1.npy"));
});

test("reads what it writes, packed or not", async () => {
  const { tensors } = fromSafetensors(fixture("small.safetensors"));
  const all = { ...tensors, ["__proto__"]: tensor([1]), deep: zeros([1, 1, 1, 1, 2]) };
  const before = await described(all);
  for (const compress of [false, true]) {
    const path = file("ours.npz", "");
    await saveNpz(all, path, { compress });
    expect(await described(await loadNpz(path))).toEqual(before);
  }
  expect(fromNpz(await toNpz({}))).toEqual({});
  const path = file("ours.npy", "");
  await saveNpy(tensors["half"]!, path);
  expect(await (await loadNpy(path)).toArray()).toEqual(await tensors["half"]?.toArray());
});

const python = findPython(["numpy"]);
test.skipIf(python === null)(
  `NumPy reads it${python === null ? " (skipped: no Python with numpy)" : ""}`,
  async () => {
    const { tensors } = fromSafetensors(fixture("small.safetensors"));
    for (const compress of [false, true]) {
      const path = file("ours.npz", await toNpz(tensors, { compress }));
      const printed = runPython(
        python ?? "",
        `import sys, json, numpy as np
print(json.dumps({k: [str(v.dtype), list(v.shape), v.tobytes().hex()] for k, v in np.load(sys.stdin.read()).items()}))`,
        path,
      );
      const read = JSON.parse(printed) as Record<string, [string, number[], string]>;
      expect(Object.keys(read).sort()).toEqual(Object.keys(tensors).sort());
      for (const [name, t] of Object.entries(tensors)) {
        const data = await t.data();
        const hex = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex");
        expect(read[name], name).toEqual([t.dtype, [...t.shape], hex]);
      }
    }
  },
);

describe("what is refused", () => {
  test.each([
    ["objects", /type \|O: Python objects/],
    ["complex", /type <c8: complex numbers/],
    ["text", /type <U1: text/],
    ["dates", /type <M8\[D\]: dates/],
    ["structured", /the array is structured/],
    ["uint64", /type <u8; expected one of f4, /],
  ])("%s", (name, message) => {
    expect(() => fromNpy(fixture(`refused-${name}.npy`))).toThrow(message);
    expect(() => fromNpy(fixture(`refused-${name}.npy`))).toThrow(FormatError);
  });

  test("no prefix of a file is one, nor is one that is longer", async () => {
    const whole = fixture("version-2.npy");
    for (let length = 0; length < whole.length; length++)
      expect(() => fromNpy(whole.subarray(0, length))).toThrow(/^npy: /);
    expect(() => fromNpy(Uint8Array.of(...whole, 0))).toThrow("needs 24 bytes, got 25");
    const path = file("short.npy", whole.subarray(0, 140));
    await expect(loadNpy(path)).rejects.toThrow(/short\.npy: npy: .*truncated or damaged/);
  });

  test.each([
    [header("'<f4'", "(-1,)"), 4, "has no valid shape, got [-1]"],
    [header("'<f4'", "(1.5,)"), 4, "expected a Python literal"],
    [header("'<f4'", "('1',)"), 4, "has no valid shape"],
    [header("'<f4'", "(True,)"), 4, "has no valid shape"],
    [header("'<f4'", "(1)"), 4, "the shape is no tuple"],
    [header("'<f4'", "(99999999999999999,)"), 4, "has no valid shape"],
    [header("'<f4'", "(1073741824, 1073741824)"), 4, "too many elements"],
    [header("'<f4'", "(1073741824, 1048576)"), 4, "needs 4503599627370496 bytes, got 4"],
    [header("'<f4'", `(${"1, ".repeat(65)})`), 4, "has 65 dimensions"],
    [header("'<f4'", "(1,)", "1"), 4, "neither True nor False"],
    [header("'<f4[s]'", "(1,)"), 4, "type <f4[s]"],
    [header("'f4f4'", "(1,)"), 4, "type f4f4"],
    [header("'constructor'", "(1,)"), 4, "type constructor; expected one of f4"],
    [header("__import__('os')", "(1,)"), 4, "which is none near"],
    [header("'<f4'", "((1,),)"), 4, "has no valid shape"],
    [header("'<f4'", `${"(".repeat(40)}${")".repeat(40)}`), 4, "expected a Python literal"],
    ["{'descr': '<f4', 'descr': '<f4', 'shape': (1,)}", 4, "expected a Python literal"],
    ["{'descr': '<f4', 'shape': (1,)}", 4, "expected a dict of descr, fortran_order and shape"],
    ["[1, 2", 4, "expected a Python literal"],
    ["(1 2)", 4, "expected a Python literal"],
    ["", 4, "expected a Python literal"],
    [" ".repeat(10_001), 4, "the limit is 10000"],
  ])("%j with %i bytes", (text, size, message) => {
    expect(() => fromNpy(forged(text, size))).toThrow(message);
    expect(() => fromNpy(forged(text, size))).toThrow(FormatError);
  });

  test("other versions, and text that is none", () => {
    expect(() => fromNpy(forged("", 0, 4))).toThrow("expected version 1.0, 2.0 or 3.0, got 4.0");
    const bytes = forged(header("'<f4'", "(1,)"), 4, 3);
    bytes[14] = 0xff;
    expect(() => fromNpy(bytes)).toThrow("the header is not UTF-8");
  });

  test("archives of other things, and one that unpacks to far more than it has", () => {
    const one = fixture("version-1.npy");
    const text = new Uint8Array([1, 2, 3]);
    expect(() => fromNpz(one)).toThrow("expected the zip archive of np.savez");
    expect(() => fromNpz(zipSync({ "a.txt": text }))).toThrow("entry a.txt is no array");
    expect(() => fromNpz(zipSync({ "a.npy": text }))).toThrow("npz: array a: npy: ");
    const bomb = zipSync({ "a.npy": forged(header("'<f4'", "(1000000,)"), 4_000_000) });
    expect(() => fromNpz(bomb)).toThrow(
      /unpacked it has 4\d+ bytes, the limit is .*\{ maxBytes \}/,
    );
    expect(fromNpz(bomb, { maxBytes: 5e6 })["a"]?.shape).toEqual([1_000_000]);
  });
});
