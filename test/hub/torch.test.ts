/** PyTorch checkpoints: every kind of content as PyTorch wrote it, and nothing that could run. */
import { zipSync, unzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import {
  FormatError,
  fromTorch,
  fromTorchValue,
  loadTorch,
  loadTorchValue,
  type TorchDict,
} from "../../src/hub/index.ts";
import type { Tensor } from "../../src/index.ts";
import { Linear, ReLU, Sequential } from "../../src/nn/index.ts";
import { temporaryFolder } from "../data/temp.ts";
import { findPython, runPython } from "../support/python.ts";
import { described, expected, fixture, fixturePath } from "./fixtures.ts";
import { archive, op, pickle } from "./pickles.ts";

const { file, folder } = temporaryFolder();

test.each(["training.pt", "views.pt", "types.pt", "plain.pt", "protocol-4.pt", "big-endian.pt"])(
  "reads %s as PyTorch wrote it",
  async (name) => {
    expect(await described(fromTorchValue(fixture(name)))).toEqual(expected[name]);
    expect(await described(await loadTorchValue(fixturePath(name)))).toEqual(expected[name]);
  },
);

test("a state dict goes into a model, also out of a larger checkpoint", async () => {
  const model = new Sequential(new Linear(3, 4), new ReLU(), new Linear(4, 2));
  const path = fixturePath("training.pt");
  const state = await loadTorch(path, { key: "model" });
  model.loadStateDict(state, { strict: false });
  expect(await model.stateDict()["2.weight"]?.toArray()).toEqual(
    await state["2.weight"]?.toArray(),
  );
  expect(Object.keys(fromTorch(fixture("views.pt")))).toContain("transposed");
  await expect(loadTorch(path)).rejects.toThrow(
    /training\.pt: torch: expected a dict of tensors, got a dict of model \(dict\), optimizer \(dict\), epoch \(number\), .*\{ key \}/,
  );
  await expect(loadTorch(path, { key: "epoch" })).rejects.toThrow("got number");
  await expect(loadTorch(path, { key: "toString" })).rejects.toThrow(
    "nothing by the key toString, got a dict of model",
  );
});

test("equal views are one tensor, and no tensor requires gradients", () => {
  const { tensors, set } = fromTorchValue(
    archive(
      op.dict({
        tensors: op.list(...[0, 0].map(() => op.tensor("0", 4, 0, [2, 2], [1, 2]))),
        set: op.call("builtins", "set", op.tuple(op.list())),
      }),
      { "0": new Uint8Array(16) },
    ),
  ) as TorchDict;
  const [a, b] = tensors as Tensor[];
  expect(a).toBe(b);
  expect(a?.requiresGrad).toBe(false);
  expect(set).toEqual(new Set());
  const { parameter } = fromTorch(fixture("types.pt"));
  expect(parameter?.requiresGrad).toBe(false);
});

test("an archive whose entries are packed", async () => {
  const packed = zipSync(unzipSync(fixture("training.pt")), { level: 9 });
  expect(await described(fromTorchValue(packed))).toEqual(expected["training.pt"]);
});

describe("what is refused", () => {
  test.each([
    [
      "hostile.pt",
      /names the Python object (builtins|__builtin__)\.print, which is not loaded.*torch\.save/,
    ],
    ["legacy.pt", /format before PyTorch 1\.6; save it anew in Python/],
    ["complex.pt", /tensors of torch\.ComplexFloatStorage are not supported/],
    ["small.safetensors", /expected the zip archive of torch\.save/],
    ["arrays.npz", /0 entries data\.pkl/],
  ])("%s", (name, message) => {
    expect(() => fromTorchValue(fixture(name))).toThrow(message);
    expect(() => fromTorchValue(fixture(name))).toThrow(FormatError);
  });

  const run = op.tuple(op.text("echo this ran"));
  const four = { "0": new Uint8Array(16) };
  test.each<[string, number[], RegExp]>([
    ["os.system", op.call("posix", "system", run), /names the Python object posix\.system/],
    ["eval", op.call("builtins", "eval", run), /builtins\.eval/],
    ["getattr", op.call("builtins", "getattr", run), /builtins\.getattr/],
    ["torch.load", op.call("torch", "load", run), /torch\.load/],
    ["a name with dots", op.call("torch", "os.system", run), /torch\.os\.system/],
    ["an allowed prefix", op.call("collections", "OrderedDict.fromkeys", run), /fromkeys/],
    ["__proto__", op.call("__proto__", "x", run), /__proto__\.x/],
    ["constructor", [...op.global("", "constructor")], /\.constructor/],
    ["a name on the stack", [...op.text("nt"), ...op.text("system"), 0x93], /nt\.system/],
    ["a name that is none", [...op.text("nt"), 0x4b, 1, 0x93], /name is no text/],
    ["INST", [0x28, 0x69, ...Buffer.from("os\nsystem\n")], /opcode 0x69 at byte 3/],
    ["EXT1", [0x82, 1], /opcode 0x82/],
    ["an unknown opcode", [0xff], /opcode 0xff/],
    ["a class as a value", op.global("torch", "FloatStorage"), /stands where a value/],
    ["a storage as a value", op.storage("0", 4), /stands where a value/],
    ["a call of text", [...op.text("a"), ...op.tuple(), 0x52], /no function/],
    ["a call without a tuple", [...op.global("torch", "Size"), ...op.list(), 0x52], /no tuple/],
    ["a call of a class", op.call("torch", "FloatStorage", op.tuple()), /which is no function/],
    ["a state for a list", [...op.list(), ...op.tuple(), 0x62], /state/],
    ["a list within itself", [0x5d, 0x71, 0, 0x68, 0, 0x61], /contains itself/],
    [
      "deep nesting",
      [...Array<number>(2000).fill(0x5d), ...Array<number>(1999).fill(0x61)],
      /deeper than 200/,
    ],
    ["a list as a key", [0x7d, ...op.list(), 0x4e, 0x73], /neither text nor a number/],
    [
      "calls within calls",
      op.call(
        "torch._tensor",
        "_rebuild_from_type_v2",
        op.tuple(op.global("torch._tensor", "_rebuild_from_type_v2"), op.list(), op.tuple()),
      ),
      /not made as a tensor or parameter/,
    ],
    ["underflow", [0x61], /takes more than it has built/],
    ["underflow at a mark", [0x5d, 0x28, 0x4e, 0x61], /takes more than it has built/],
    ["an end without a beginning", [0x74], /has not begun/],
    ["an object that was not stored", [0x68, 9], /recalls object 9/],
    ["a length beyond the file", [0x58, 255, 255, 255, 127], /truncated/],
    ["a length of 8 bytes", [0x8d, ...Array<number>(8).fill(255)], /truncated/],
    ["a huge whole number", [0x8b, 0, 0, 0, 1], /whole number of 16777216 bytes/],
    ["text that is not UTF-8", [0x58, 1, 0, 0, 0, 0xff], /not UTF-8/],
    ["protocol 9", [0x80, 9], /protocol 5 or lower, got 9/],
    ["a key outside", op.tensor("../0", 4, 0, [4], [1]), /storage \.\.\/0 is missing/],
    ["a storage of another size", op.tensor("0", 5, 0, [4], [1]), /should have 5 elements/],
    ["too large a tensor", op.tensor("0", 4, 0, [5], [1]), /exceeds storage 0 of 16 bytes/],
    ["too far a stride", op.tensor("0", 4, 0, [2], [4]), /exceeds storage/],
    ["too far an offset", op.tensor("0", 4, 4, [1], [1]), /exceeds storage/],
    ["a negative size", op.tensor("0", 4, 0, [-1], [1]), /no valid shape, got \[-1\]/],
    ["a negative stride", op.tensor("0", 4, 3, [2], [-1]), /no valid strides/],
    ["a negative offset", op.tensor("0", 4, -1, [1], [1]), /no valid offset/],
    ["too few strides", op.tensor("0", 4, 0, [2, 2], [1]), /no valid strides/],
    ["a vast expansion", op.tensor("0", 4, 0, [2 ** 30, 2 ** 20], [0, 0]), /raise \{ maxBytes \}/],
    ["too many elements", op.tensor("0", 4, 0, [2 ** 30, 2 ** 30], [0, 0]), /too many elements/],
    [
      "65 dimensions",
      op.tensor("0", 4, 0, Array<number>(65).fill(1), Array<number>(65).fill(1)),
      /65 dimensions/,
    ],
  ])("%s", (_, code, message) => {
    expect(() => fromTorchValue(archive(code, four))).toThrow(message);
    expect(() => fromTorchValue(archive(code, four))).toThrow(FormatError);
  });

  test("a pickle that doubles what it has, again and again", () => {
    // set(list) of one list of 1,000 items, 1,000 times.
    const items = [...op.list(...Array.from({ length: 1000 }, () => [0x4b, 1])), 0x71, 0];
    const copy = [...op.global("builtins", "set"), 0x68, 0, 0x85, 0x52];
    const code = [...items, ...op.list(...Array.from({ length: 1000 }, () => copy))];
    expect(() => fromTorchValue(archive(code, {}))).toThrow(/far more items/);
    const bytes = [...op.text("x".repeat(50_000)), 0x71, 0];
    const encode = [...op.global("_codecs", "encode"), 0x68, 0, ...op.text("latin1"), 0x86, 0x52];
    const longer = [...bytes, ...op.list(...Array.from({ length: 1000 }, () => encode))];
    expect(() => fromTorchValue(archive(longer, {}))).toThrow(/raise \{ maxBytes \}/);
  });

  test("two pickles, and none that is torch's", () => {
    const zipped = (files: Record<string, Uint8Array>) => zipSync(files, { level: 0 });
    const none = pickle([0x4e]);
    expect(() => fromTorchValue(zipped({ "a/data.pkl": none, "b/data.pkl": none }))).toThrow(
      "has 2 entries data.pkl",
    );
    expect(fromTorchValue(zipped({ "data.pkl": none }))).toBe(null);
    expect(() => fromTorchValue(zipped({ "a/data.pkl": none, "a/constants.pkl": none }))).toThrow(
      "the file is a TorchScript program",
    );
    const order = new TextEncoder().encode("middle");
    expect(() => fromTorchValue(zipped({ "data.pkl": none, byteorder: order }))).toThrow(
      "the byte order is middle",
    );
  });
});

const python = findPython(["torch"]);
test.skipIf(python === null)(
  `what this Python's PyTorch writes${python === null ? " (skipped: no Python with torch)" : ""}`,
  async () => {
    const path = file("fresh.pt", "");
    runPython(
      python ?? "",
      `import sys, torch
x = torch.arange(6.0).reshape(2, 3)
torch.save({"x": x.t(), "h": x.half(), "n": 3}, sys.stdin.read())`,
      path,
    );
    const { x, h, n } = (await loadTorchValue(path)) as { x: Tensor; h: Tensor; n: number };
    expect(await x.toArray()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    expect(h.dtype).toBe("float16");
    expect(n).toBe(3);
    await expect(loadTorch(folder)).rejects.toThrow();
  },
);
