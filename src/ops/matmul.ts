/** Matrix products: batched and broadcasting `matmul`, and `linear`, the product every layer is made of. */

import type { Value } from "../graph/node.ts";
import { defineOp1, type LowerContext } from "../graph/op.ts";
import { broadcast, checkSameDType, formatShape, numel, ShapeError } from "../graph/shape.ts";
import { isFloat, promote } from "../graph/dtype.ts";
import { cast } from "./elementwise-rules.ts";
import { sum, sumTo } from "./sum.ts";
import { reshape } from "./shape.ts";

interface MatmulAttrs {
  readonly transA: boolean;
  readonly transB: boolean;
  /** Factor on the product. */
  readonly alpha: number;
}

/** alpha · op(A) op(B), where op transposes the last two dimensions when asked. Both have rank ≥ 2. */
const matmulOp = defineOp1<MatmulAttrs>({
  name: "matmul",
  infer: ([a, b], { transA, transB }) => {
    if (a!.dtype === "bool")
      throw new ShapeError("matmul: bool has no matmul, cast to int32 or float32 first");
    const [m, k] = matrix(a!, transA);
    const [k2, n] = matrix(b!, transB);
    if (k !== k2) {
      throw new ShapeError(
        `matmul: inner dimensions differ, got ${formatShape(a!.shape)} and ${formatShape(b!.shape)}`,
      );
    }
    return {
      dtype: a!.dtype,
      shape: [...broadcast("matmul", a!.shape.slice(0, -2), b!.shape.slice(0, -2)), m, n],
    };
  },
  // C = αAB ⇒ dA = α dC Bᵀ, dB = α Aᵀ dC, and so on for the transposed forms.
  vjp: ({ inputs, attrs: { transA, transB, alpha }, grads, needs }) => {
    const [a, b, g] = [inputs[0]!, inputs[1]!, grads[0]!];
    const product = (x: Value, y: Value, tx: boolean, ty: boolean): Value =>
      matmulOp([x, y], { transA: tx, transB: ty, alpha });
    return [
      needs[0]
        ? sumTo(transA ? product(b, g, transB, true) : product(g, b, false, !transB), a.shape)
        : null,
      needs[1]
        ? sumTo(transB ? product(g, a, true, transA) : product(a, g, !transA, false), b.shape)
        : null,
    ];
  },
  lower: lowerMatmul,
  flops: ([a], [y], { transA }) => 2 * numel(y!.shape) * a!.shape.at(transA ? -2 : -1)!,
});

const matrix = (x: Value, transposed: boolean): readonly [number, number] => {
  const [rows, columns] = [x.shape.at(-2)!, x.shape.at(-1)!];
  return transposed ? [columns, rows] : [rows, columns];
};

function lowerMatmul({
  inputs,
  types,
  outputTypes,
  attrs,
  emit,
}: LowerContext<MatmulAttrs>): string {
  const [a, b] = [inputs[0]!, inputs[1]!];
  const { transA, transB, alpha } = attrs;
  const [rankA, rankB] = [types[0]!.shape.length, types[1]!.shape.length];
  const { dtype } = types[0]!;
  const plain = !transA && !transB && alpha === 1;
  // A sum of nothing: WebGPU's kernels crash.
  if (emit.target.gpu && numel(types[0]!.shape) === 0)
    return emit.filled(dtype, outputTypes[0]!.shape, 0);
  if (plain || numel(types[0]!.shape) === 0 || numel(types[1]!.shape) === 0)
    return emit.node("MatMul", [transposed(a, rankA, transA), transposed(b, rankB, transB)]);
  const flags = {
    transA: { int: transA ? 1 : 0 },
    transB: { int: transB ? 1 : 0 },
    alpha: { float: alpha },
  };
  // Gemm has no integers, and in float64 the attribute would round alpha to float32.
  if (rankA === 2 && rankB === 2 && (dtype === "float32" || (isFloat(dtype) && alpha === 1)))
    return emit.node("Gemm", [a, b], flags);
  if (emit.target.contrib && !emit.target.gpu && dtype === "float32")
    return emit.node("FusedMatMul", [a, b], flags, "com.microsoft");
  const product = emit.node("MatMul", [transposed(a, rankA, transA), transposed(b, rankB, transB)]);
  return alpha === 1 ? product : emit.node("Mul", [product, emit.scalar(dtype, alpha)]);

  function transposed(x: string, rank: number, wanted: boolean): string {
    if (!wanted) return x;
    const perm = Array.from({ length: rank }, (_, i) =>
      i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i,
    );
    return emit.node("Transpose", [x], { perm: { ints: perm } });
  }
}

/** Options of `matmul`. */
export interface MatmulOptions {
  /** Transposes the last two dimensions of the first operand. */
  readonly transA?: boolean;
  /** Transposes the last two dimensions of the second operand. */
  readonly transB?: boolean;
  /** Factor on the product. */
  readonly alpha?: number;
}

/** Matrix product as torch.matmul: 1-d operands are vectors, leading dimensions broadcast. */
export function matmul(
  x: Value,
  y: Value,
  { transA = false, transB = false, alpha = 1 }: MatmulOptions = {},
): Value {
  if (x.shape.length === 0 || y.shape.length === 0) {
    throw new ShapeError(
      `matmul: both operands need at least one dimension, got ${formatShape(x.shape)} and ${formatShape(y.shape)}`,
    );
  }
  const dtype = promote(x.dtype, y.dtype);
  if (!isFloat(dtype) && !Number.isInteger(alpha))
    throw new ShapeError(`matmul: alpha must be an integer for ${dtype}, got ${alpha}`);
  const [a, b] = [cast(x, dtype), cast(y, dtype)];
  if (a.shape.length === 1) {
    const row = matmul(reshape(a, [1, a.shape[0]!]), b, { transB, alpha });
    return reshape(row, [
      ...row.shape.slice(0, -2),
      ...(b.shape.length === 1 ? [] : row.shape.slice(-1)),
    ]);
  }
  if (b.shape.length === 1) {
    const column = matmul(a, reshape(b, [b.shape[0]!, 1]), { transA, alpha });
    return reshape(column, column.shape.slice(0, -1));
  }
  // Many rows times one matrix is one large product: fold the leading dimensions into the rows.
  if (a.shape.length > 2 && b.shape.length === 2 && !transA) {
    const k = a.shape.at(-1)!;
    const rows = reshape(a, [numel(a.shape.slice(0, -1)), k]);
    const product = matmulOp([rows, b], { transA, transB, alpha });
    return reshape(product, [...a.shape.slice(0, -1), product.shape[1]!]);
  }
  return matmulOp([a, b], { transA, transB, alpha });
}

const linearOp = defineOp1({
  name: "linear",
  infer: ([x, w, b]) => {
    if (x!.shape.at(-1) !== w!.shape[1]) {
      throw new ShapeError(
        `linear: the last dimension of the input ${formatShape(x!.shape)} must equal the weight's input size, weight ${formatShape(w!.shape)}`,
      );
    }
    if (b!.shape.length !== 1 || b!.shape[0] !== w!.shape[0])
      throw new ShapeError(
        `linear: bias ${formatShape(b!.shape)} does not fit weight ${formatShape(w!.shape)}`,
      );
    return { dtype: x!.dtype, shape: [x!.shape[0]!, w!.shape[0]!] };
  },
  vjp: ({ inputs: [x, w], grads: [g], needs }) => [
    needs[0] ? matmul(g!, w!) : null,
    needs[1] ? matmul(g!, x!, { transA: true }) : null,
    needs[2] ? sum(g!, 0) : null,
  ],
  lower: ({ inputs, types: [x], outputTypes: [y], emit }) =>
    emit.target.gpu && numel(x!.shape) === 0
      ? emit.node("Expand", [inputs[2]!, emit.ints(y!.shape)])
      : emit.node("Gemm", inputs, { transB: { int: 1 } }),
  flops: ([, w], [y]) => 2 * numel(y!.shape) * w!.shape[1]!,
});

/** x Wᵀ + b with W of shape [out, in]; any number of leading dimensions. */
export function linear(x: Value, weight: Value, bias: Value | null): Value {
  if (weight.shape.length !== 2)
    throw new ShapeError(`linear: the weight must be a matrix, got ${formatShape(weight.shape)}`);
  if (x.shape.length === 0) throw new ShapeError("linear: the input needs at least one dimension");
  checkSameDType("linear", bias === null ? [x, weight] : [x, weight, bias]);
  if (bias === null) return matmul(x, weight, { transB: true });
  const lead = x.shape.slice(0, -1);
  const rows = reshape(x, [numel(lead), x.shape.at(-1)!]);
  return reshape(linearOp([rows, weight, bias]), [...lead, weight.shape[0]!]);
}
