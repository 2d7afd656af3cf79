/** Programs whose groups of nodes became kernels against the same programs without: what fuses, and equal results. */

import { describe, expect, it } from "vitest";
import { fuse } from "../../src/kernels/fuse.ts";
import { attr, type NodeProto } from "../../src/onnx/proto.ts";
import { FfiExecutor } from "../../src/runtime/node-ffi.ts";
import type { TypedArray } from "../../src/graph/dtype.ts";
import { lowered, outputsOf, spec, type Small } from "./programs.ts";
import { Dice, elementsOf } from "./random-loops.ts";
import { codeMemory } from "./run-code.ts";

const executor = new FfiExecutor({ threads: 2 });

const node = (
  opType: string,
  inputs: readonly string[],
  output: string,
  attributes: NodeProto["attributes"] = {},
): Small["nodes"][number] => ({ opType, inputs, outputs: [output], attributes });

const ints = (name: string, ...values: number[]) => ({
  ...({ name, dtype: "int64", shape: [values.length] } as const),
  data: BigInt64Array.from(values, BigInt),
});

/** Runs a program both ways and returns the operators that are left with kernels. */
function compare(small: Small, seed = 1, threads = 2): string[] {
  const program = lowered(small);
  const dice = new Dice(seed);
  const given = small.inputs.map(({ dtype, shape }): TypedArray => {
    const bytes = elementsOf(
      dice,
      dtype,
      shape.reduce((a, b) => a * b, 1),
      true,
    );
    return dtype === "float32" ? new Float32Array(bytes.buffer) : bytes;
  });
  const truth = outputsOf(executor, program, given);
  const got = outputsOf(executor, program, given, threads);
  got.forEach((values, i) => {
    const off = values.findIndex(
      (x, j) => !(Math.abs(Number(x) - Number(truth[i]![j])) <= 1e-5 * (1 + Math.abs(Number(x)))),
    );
    expect(
      off < 0 ? "" : `${small.outputs[i]!.name}[${off}]: ${values[off]} for ${truth[i]![off]}`,
    ).toBe("");
    expect(values.length).toBe(truth[i]!.length);
  });
  return fuse(program, threads).model.graph.nodes.map(({ opType }) => opType);
}

const f32 = (name: string, ...shape: number[]) => spec(name, "float32", ...shape);

describe.skipIf(codeMemory === undefined)("groups", () => {
  it("never need one another", () => {
    // Together s and t would need n, which needs m, which stands with g, which needs s.
    const nodes = [
      node("Exp", ["x"], "m"),
      node("MatMul", ["w", "m"], "n"),
      node("Exp", ["v"], "s"),
      node("Mul", ["m", "s"], "g"),
      node("Add", ["s", "n"], "t"),
    ];
    const left = compare({
      inputs: [f32("x", 32, 16), f32("w", 32), f32("v", 16)],
      outputs: [f32("n", 16), f32("g", 32, 16), f32("t", 16)],
      nodes,
    });
    expect(left).toContain("MatMul");
  });
});
