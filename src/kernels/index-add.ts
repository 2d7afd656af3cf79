/** Rows added to rows of zeros, wherever an index says: the gradient of an embedding. */

import { numel } from "../graph/shape.ts";
import type { NodeProto } from "../onnx/proto.ts";
import {
  Assembler,
  r10,
  r11,
  r12,
  r13,
  r14,
  r15,
  r8,
  r9,
  rax,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
} from "./assembler.ts";
import { type Kernel, MOST_ELEMENTS } from "./kernel.ts";
import type { NodeKernel } from "./kernel-set.ts";
import { LANES, laneMask } from "./lanes.ts";
import type { Surroundings } from "./program.ts";

/** Columns of each part, at least: a few cache lines. */
const FEWEST_COLUMNS = 64;

/** Sums of rows by index: result[index[i]] += source[i], the result being [size, columns]. */
export interface IndexAdd {
  readonly count: number;
  readonly size: number;
  readonly columns: number;
}

/**
 * The kernel of a ScatterElements that adds, where its data are zeros and its indices the same along each row; null for
 * another node. Rows that an index out of range names would be an error in ONNX Runtime and are passed over by the kernel, so
 * it stands only for indices by which something of as many rows is gathered too.
 */
export function indexAddOf(
  { program }: Surroundings,
  node: NodeProto,
  threads: number,
): NodeKernel | null {
  const { axis, reduction } = node.attributes;
  const adds = reduction?.kind === "string" && reduction.value === "add";
  if (node.opType !== "ScatterElements" || !adds || axis?.kind !== "int" || axis.value !== 0)
    return null;
  const [zeros, spread] = node.inputs.map((name) => program.maker(name));
  if (zeros?.opType !== "Expand" || spread?.opType !== "Expand") return null;
  const zero = program.constants.get(zeros.inputs[0]!);
  const isZero = zero?.dtype === "float32" && zero.data.length === 1 && Number(zero.data[0]) === 0;
  const [index, source] = [
    program.types.get(spread.inputs[0]!),
    program.types.get(node.inputs[2]!),
  ];
  const result = program.types.get(node.outputs[0]!);
  if (!isZero || index?.dtype !== "int32" || source?.shape.length !== 2 || result === undefined)
    return null;
  const [count, columns] = source.shape as [number, number];
  const inColumn = index.shape.length === 2 && index.shape[0] === count && index.shape[1] === 1;
  const ids = program.root(spread.inputs[0]!);
  const size = result.shape[0]!;
  const gathers = program.nodes.some(
    ({ opType, inputs: [table, positions] }) =>
      opType === "Gather" &&
      program.root(positions!) === ids &&
      program.types.get(table!)?.shape[0] === size,
  );
  if (!inColumn || !gathers || numel(result.shape) >= MOST_ELEMENTS) return null;
  return {
    key: ["index-add", count, size, columns],
    make: (name) => indexAddKernel(name, { count, size, columns }, threads),
    inputs: [spread.inputs[0]!, node.inputs[2]!],
  };
}

/** The kernel; threads share the columns. */
export function indexAddKernel(
  name: string,
  { count, size, columns }: IndexAdd,
  threads: number,
): Kernel {
  const most = Math.max(1, Math.min(threads, Math.floor(columns / FEWEST_COLUMNS)));
  const each = Math.ceil(columns / most / LANES) * LANES;
  const parts = Math.ceil(columns / each);
  return {
    name,
    inputs: [
      { dtype: "int32", shape: [count, 1] },
      { dtype: "float32", shape: [count, columns] },
    ],
    outputs: [{ dtype: "float32", shape: [size, columns] }],
    parts,
    code: indexAddCode({ count, size, columns, each }),
  };
}

function indexAddCode({
  count,
  size,
  columns,
  each,
}: {
  readonly count: number;
  readonly size: number;
  readonly columns: number;
  /** Columns of a part. */
  readonly each: number;
}): Uint8Array {
  const a = new Assembler();
  const saved = [rbx, r12, r13, r14, r15];
  const left = columns % LANES;
  const [zero, mask, value] = [0, 1, 2];
  const [index, source, out, from, to] = [r12, r13, r14, r10, r11];
  for (const register of saved) a.push(register);
  a.mov(index, { base: rdi });
  a.mov(source, { base: rdi, offset: 8 });
  a.mov(out, { base: rdi, offset: 16 });
  a.multiply(from, rsi, each);
  // Whole vectors of the part; the last part has what is left.
  a.lea(to, { base: from, offset: each });
  const within = a.label();
  a.movImmediate(r15, 0);
  a.arithmeticImmediate("cmp", to, columns);
  a.jump(within, "less");
  a.movImmediate(to, columns - left);
  a.movImmediate(r15, 1);
  a.bind(within);
  a.three("vxorps", zero, zero, zero);
  a.two("vmovups", mask, a.constant(laneMask(left)));

  /** Runs over the part's columns, whole vectors and what is left, at rcx. */
  const overColumns = (whole: () => void, rest: () => void): void => {
    const [next, done, end] = [a.label(), a.label(), a.label()];
    a.mov(rcx, from);
    a.bind(next);
    a.arithmetic("cmp", rcx, to);
    a.jump(done, "atLeast");
    whole();
    a.arithmeticImmediate("add", rcx, LANES);
    a.jump(next);
    a.bind(done);
    if (left === 0) return;
    a.arithmeticImmediate("cmp", r15, 1);
    a.jump(end, "notEqual");
    rest();
    a.bind(end);
  };
  const at = (base: number) => ({ base, index: rcx, scale: 4 }) as const;

  // out = 0
  const nextZero = a.label();
  a.mov(r8, out);
  a.movImmediate(r9, size);
  a.bind(nextZero);
  overColumns(
    () => a.vstore(at(r8), zero),
    () => a.vmaskStore(at(r8), mask, zero),
  );
  a.arithmeticImmediate("add", r8, 4 * columns);
  a.arithmeticImmediate("sub", r9, 1);
  a.jump(nextZero, "notEqual");

  // out[index[r]] += source[r]
  const [nextRow, skip] = [a.label(), a.label()];
  const inRange = a.label();
  a.movImmediate(rbx, 0);
  a.bind(nextRow);
  a.mov32(rax, { base: index, index: rbx, scale: 4 });
  a.arithmeticImmediate("cmp", rax, size);
  a.jump(inRange, "less");
  // −1 is the last: as unsigned it is 2³² − 1.
  a.arithmeticImmediate("add", rax, size);
  for (const part of [2 ** 31 - 1, 2 ** 31 - 1, 2]) a.arithmeticImmediate("sub", rax, part);
  a.arithmeticImmediate("cmp", rax, 0);
  a.jump(skip, "less");
  a.arithmeticImmediate("cmp", rax, size);
  a.jump(skip, "atLeast");
  a.bind(inRange);
  a.multiply(r8, rax, 4 * columns);
  a.arithmetic("add", r8, out);
  a.multiply(rdx, rbx, 4 * columns);
  a.arithmetic("add", rdx, source);
  overColumns(
    () => {
      a.two("vmovups", value, at(rdx));
      a.three("vaddps", value, value, at(r8));
      a.vstore(at(r8), value);
    },
    () => {
      a.vmaskLoad(value, mask, at(rdx));
      a.vmaskLoad(3, mask, at(r8));
      a.three("vaddps", value, value, 3);
      a.vmaskStore(at(r8), mask, value);
    },
  );
  a.bind(skip);
  a.arithmeticImmediate("add", rbx, 1);
  a.arithmeticImmediate("cmp", rbx, count);
  a.jump(nextRow, "less");
  for (const register of saved.toReversed()) a.pop(register);
  a.vzeroupper();
  a.ret();
  return a.finish();
}
