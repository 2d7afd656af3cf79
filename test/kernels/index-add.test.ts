/** Rows added at an index as a kernel: against a loop in JavaScript, and where programs get it. */

import { describe, expect, test } from "vitest";
import { fuse } from "../../src/kernels/fuse.ts";
import { indexAddKernel } from "../../src/kernels/index-add.ts";
import type { Value } from "../../src/graph/node.ts";
import { lowerProgram } from "../../src/onnx/lower.ts";
import { indexSelect } from "../../src/ops/indexing.ts";
import { source } from "../../src/ops/leaf.ts";
import { codeMemory, Guarded, runCode } from "./run-code.ts";

const guarded = (data: Int32Array | Float32Array): Guarded =>
  new Guarded(new Uint8Array(data.slice().buffer));

describe.skipIf(codeMemory === undefined)("the kernel (needs AVX2)", () => {
  test.each([
    [5, 7, 3, 1],
    [100, 13, 64, 2],
    [33, 9, 131, 2],
    [64, 50, 256, 4],
    [1, 1, 1, 1],
    [20, 4, 200, 3],
    [9, 3, 8, 2],
  ])("%i rows into %i of %i columns, for %i threads", (count, size, columns, threads) => {
    const ids = Int32Array.from({ length: count }, (_, i) => ((i * 7919) % (2 * size)) - size);
    // Out of range: passed over.
    if (count > 20) ids.set([size, -size - 1, 2 ** 31 - 1, -(2 ** 31)], 3);
    const rows = Float32Array.from({ length: count * columns }, (_, i) => Math.sin(i));
    const kernel = indexAddKernel("add", { count, size, columns }, threads);
    const [index, given, out] = [guarded(ids), guarded(rows), new Guarded(4 * size * columns)];
    runCode(kernel.code, [index, given, out], kernel.parts);

    const expected = new Float32Array(size * columns);
    ids.forEach((id, r) => {
      const row = id < 0 ? id + size : id;
      if (row < 0 || row >= size) return;
      for (let c = 0; c < columns; c++) expected[row * columns + c]! += rows[r * columns + c]!;
    });
    expect(new Float32Array(out.bytes.slice().buffer)).toEqual(expected);
    expect([index, given, out].every((operand) => operand.intact())).toBe(true);
  });
});

/** Operators of a program after fusion. */
function operators(inputs: readonly Value[], outputs: readonly Value[]): string[] {
  const program = lowerProgram({
    inputs,
    outputs,
    target: { gpu: false, contrib: true, kernels: true },
  });
  const { model } = fuse(program, { threads: 2, products: true });
  return model.graph.nodes.map(({ opType }) => opType);
}

describe("an embedding's gradient", () => {
  const table = source({ dtype: "float32", shape: [30, 8] });
  const ids = source({ dtype: "int32", shape: [4, 5] });
  const g = source({ dtype: "float32", shape: [4, 5, 8] });
  const chosen = indexSelect(table, 0, ids);
  const { op, inputs, attrs } = chosen.node;
  const [gradient] = op.vjp!({
    ...{ attrs, inputs, outputs: [chosen], grads: [g], needs: [true, false] },
  });

  test("is a kernel beside what was gathered, and the zeros are not made", () => {
    const found = operators([table, ids, g], [chosen, gradient!]);
    expect(found).toContain("Gather");
    expect(found.some((name) => name.startsWith("kernel_"))).toBe(true);
    expect(found).not.toContain("ScatterElements");
    expect(found).not.toContain("Expand");
  });

  test("stays with ONNX Runtime alone, which tells of positions out of range", () => {
    expect(operators([ids, g], [gradient!])).toContain("ScatterElements");
  });
});
