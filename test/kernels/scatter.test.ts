/** Slices written where an index says, as a kernel: against a loop in JavaScript, and where programs get it. */

import { describe, expect, it, onTestFinished } from "vitest";
import { numel, strides } from "../../src/graph/shape.ts";
import { compile, setDevice, tensor, type Tensor } from "../../src/index.ts";
import { fuse } from "../../src/kernels/fuse.ts";
import { type Scatter, scatterKernel } from "../../src/kernels/scatter.ts";
import { lowerProgram } from "../../src/onnx/lower.ts";
import { source } from "../../src/ops/leaf.ts";
import { indexCopy } from "../../src/ops/scatter.ts";
import { permute, reshape } from "../../src/ops/shape.ts";
import { split } from "../../src/ops/split.ts";
import { Dice } from "./dice.ts";
import { AtEdge, codeMemory, Guarded, runCode } from "./run-code.ts";

interface Case {
  readonly scatter: Scatter;
  readonly index: BigInt64Array;
  /** Elements of what holds the source. */
  readonly held: number;
}

/** A source whose dimensions but the last follow in any order, with gaps. */
function sourceOf(dice: Dice, shape: readonly number[]) {
  const steps = shape.map(() => 1);
  let step = shape.at(-1)! + dice.one([0, 0, 3]);
  const left = shape.slice(0, -1).map((_, i) => i);
  while (left.length > 0) {
    const [dim] = left.splice(dice.below(left.length), 1) as [number];
    steps[dim] = step;
    step = step * shape[dim]! + dice.one([0, 0, 5]);
  }
  const offset = dice.one([0, 0, 9]);
  const last = shape.reduce((sum, size, i) => sum + (size - 1) * steps[i]!, 0);
  return { view: { offset, shape, strides: steps }, held: offset + last + 1 };
}

function caseOf(dice: Dice): Case {
  const length = dice.one([2, 5, 8, 24, 37, 64]);
  const outer = dice.one([[3], [2, 5], [4, 1, 3]]);
  const inner = dice.one([[], [4], [2, 3]]);
  const data = [...outer, ...inner, length];
  const places = dice.one([[1], [4], [2, 3], [0]]);
  const { view, held } = sourceOf(dice, [...places, ...inner, length]);
  const index = BigInt64Array.from({ length: numel(places) * outer.length }, (_, i) => {
    const size = outer[i % outer.length]!;
    return BigInt(dice.between(-size, size - 1));
  });
  return { scatter: { data, index: [...places, outer.length], source: view }, index, held };
}

/** data[index[i]] = source[i], element by element. */
function write({ scatter, index }: Case, held: Float32Array, data: Float32Array): void {
  const depth = scatter.index.at(-1)!;
  const steps = strides(scatter.data);
  const slice = numel(scatter.data.slice(depth));
  const { shape, offset, strides: from } = scatter.source;
  const order = strides(shape);
  for (let i = 0; i < numel(shape); i++) {
    const place = Math.floor(i / slice);
    let to = i % slice;
    for (let j = 0; j < depth; j++) {
      const size = scatter.data[j]!;
      to += ((Number(index[place * depth + j]!) + size) % size) * steps[j]!;
    }
    const at = shape.map((size, dim) => Math.floor(i / order[dim]!) % size);
    data[to] = held[at.reduce((sum, one, dim) => sum + one * from[dim]!, offset)]!;
  }
}

const bytes = ({ buffer }: Float32Array | BigInt64Array): Uint8Array => new Uint8Array(buffer);
const floats = (of: Guarded): Float32Array => new Float32Array(of.bytes.slice().buffer);

describe.skipIf(codeMemory === undefined)("the kernel (needs AVX2)", () => {
  const dice = new Dice(3);

  it.each([true, false])("writes slices, in place %s", (inPlace) => {
    for (let round = 0; round < 150; round++) {
      const made = caseOf(dice);
      const { scatter, index, held } = made;
      const given = Float32Array.from({ length: held }, (_, i) => Math.sin(i));
      const before = Float32Array.from({ length: numel(scatter.data) }, (_, i) => i);
      const data = new Guarded(bytes(before));
      const result = inPlace ? data : new Guarded(4 * before.length);
      const [at, from] = [new AtEdge(bytes(index)), new AtEdge(bytes(given))];
      const kernel = scatterKernel("scatter", scatter, [held]);
      expect(runCode(kernel.code, [data, at, from, result], kernel.parts)).toBe(0);
      [at, from].forEach((edge) => edge.release());
      const expected = before.slice();
      write(made, given, expected);
      expect(floats(result)).toEqual(expected);
      if (!inPlace) expect(floats(data)).toEqual(before);
      expect(data.intact() && result.intact()).toBe(true);
    }
  });

  it.each([4n, -5n, 2n ** 40n, -(2n ** 63n), 2n ** 63n - 1n])(
    "writes nothing where position %d is out of range, and says so",
    (odd) => {
      const scatter = { data: [4, 3], index: [3, 1], source: { offset: 0, ...whole([3, 3]) } };
      const [data, from] = [new Guarded(new Uint8Array(48)), new Guarded(new Uint8Array(36))];
      const at = new Guarded(bytes(BigInt64Array.of(0n, 1n, odd)));
      const kernel = scatterKernel("scatter", scatter, [3, 3]);
      expect(runCode(kernel.code, [data, at, from, data], kernel.parts)).not.toBe(0);
      expect(data.bytes.every((byte) => byte === 0)).toBe(true);
    },
  );
});

const whole = (shape: readonly number[]) => ({ shape, strides: strides(shape) });

describe("a cache of keys", () => {
  const f32 = (...shape: number[]) => source({ dtype: "float32", shape });
  const [batch, heads, size, capacity] = [2, 4, 16, 8];
  const cache = f32(batch * heads, capacity, 3 * size);
  const at = source({ dtype: "int32", shape: [1] });
  const all = f32(batch * 3, 2 * heads * size);
  const [keys] = split(all, [heads * size, heads * size], 1);
  const parted = permute(reshape(keys!, [batch, 3, heads, size]), [0, 2, 1, 3]);
  const row = reshape(parted, [batch * heads, 1, 3 * size]);

  const operators = (inPlace: boolean): string[] => {
    const copied = indexCopy(cache, 1, at, row);
    const program = lowerProgram({
      inputs: [cache, at, all],
      outputs: [copied],
      updates: [inPlace ? cache : null],
      target: { gpu: false, contrib: true, kernels: true },
    });
    const { model } = fuse(program, { threads: 2, products: true });
    return model.graph.nodes.map(({ opType }) => opType);
  };

  it("gets rows of the projection without copies of heads", () => {
    const found = operators(true);
    expect(found.at(-1)).toMatch(/^kernel_/);
    for (const move of ["ScatterND", "Transpose", "Split"]) expect(found).not.toContain(move);
  });

  it("is copied by ONNX Runtime where the result is a new tensor", () => {
    expect(operators(false)).toContain("ScatterND");
  });

  it("is the same with kernels and without, and stays as it was after an error", async () => {
    onTestFinished(async () => {
      await setDevice("cpu");
    });
    const run = async (kernels: boolean) => {
      await setDevice("cpu", { threads: 2, kernels });
      const rows = tensor(Float32Array.from({ length: 40 }, (_, i) => i + 1)).reshape([2, 20]);
      const kept = tensor(new Float32Array(80)).reshape([4, 20]);
      const copy = compile((index: Tensor) => {
        kept.assign(kept.indexCopy(0, index, rows));
      });
      const places = (...of: number[]) => tensor(of, { dtype: "int32" });
      await copy(places(2, -4));
      await expect(copy(places(1, 4))).rejects.toThrow(
        kernels && codeMemory !== undefined
          ? "a position to write at is not in a tensor of shape [4,20]"
          : "invalid indice",
      );
      return (await kept.data()).slice();
    };
    const [fast, plain] = [await run(true), await run(false)];
    expect(fast).toEqual(plain);
    expect([fast[40], fast[0], fast[20]]).toEqual([1, 21, 0]);
  });
});
