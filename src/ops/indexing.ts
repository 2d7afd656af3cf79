/** Reading and adding at positions given by tensors: gather, scatter-add, row selection. */

import { dtypes, type DType } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { defineOp1, type Emitter } from "../graph/op.ts";
import { formatShape, numel, resolveDim, ShapeError } from "../graph/shape.ts";
import { zerosLike } from "./leaf.ts";
import { permute, reshape, slice } from "./shape.ts";

export function checkIndex(op: string, index: Value): void {
  if (index.dtype !== "int32" && index.dtype !== "int64")
    throw new ShapeError(`${op}: the index must be int32 or int64, got ${index.dtype}`);
}

function checkAlong(op: string, x: Value, dim: number, index: Value): void {
  checkIndex(op, index);
  const fits =
    index.shape.length === x.shape.length &&
    index.shape.every((size, i) => i === dim || size <= x.shape[i]!);
  if (!fits) {
    throw new ShapeError(
      `${op}: the index ${formatShape(index.shape)} must have the dimensions of ${formatShape(x.shape)} ` +
        `and be no larger except along dimension ${dim}`,
    );
  }
}

const gatherOp = defineOp1<{ dim: number }>({
  name: "gather",
  infer: ([x, index]) => ({ dtype: x!.dtype, shape: index!.shape }),
  vjp: ({ inputs: [x, index], attrs: { dim }, grads: [g] }) => [
    scatterAdd(zerosLike({ shape: x!.shape, dtype: g!.dtype }), dim, index!, g!),
    null,
  ],
  lower: ({ inputs: [x, index], types: [type], attrs, emit }) => {
    const pick = (from: string): string =>
      emit.node("GatherElements", [from, index!], { axis: { int: attrs.dim } });
    return emit.target.gpu ? throughFloats(emit, x!, type!.dtype, pick) : pick(x!);
  },
});

/** Moves 32-bit integers and bool by an operator that WebGPU has for float32 only, as halves that it holds exactly. */
function throughFloats(
  emit: Emitter,
  x: string,
  dtype: DType,
  move: (x: string) => string,
): string {
  const cast = (from: string, to: DType): string =>
    emit.node("Cast", [from], { to: { int: dtypes[to].onnx } });
  if (dtype === "bool") return cast(move(cast(x, "float32")), "bool");
  if (dtype !== "int32" && dtype !== "uint32") return move(x);
  const base = emit.scalar(dtype, 65536);
  const high = emit.node("Div", [x, base]);
  const low = emit.node("Sub", [x, emit.node("Mul", [high, base])]);
  const [h, l] = [high, low].map((half) => cast(move(cast(half, "float32")), dtype));
  return emit.node("Add", [emit.node("Mul", [h!, base]), l!]);
}

/** out[i][j] = x[index[i][j]][j] for dim 0, and so on: torch.gather. */
export function gather(x: Value, dim: number, index: Value): Value {
  const axis = resolveDim("gather", dim, x.shape.length);
  checkAlong("gather", x, axis, index);
  return gatherOp([x, index], { dim: axis });
}

const scatterAddOp = defineOp1<{ dim: number }>({
  name: "scatterAdd",
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  vjp: ({ inputs: [, index], attrs: { dim }, grads: [g] }) => [g!, null, gather(g!, dim, index!)],
  lower: ({ inputs, attrs, emit }) =>
    emit.node("ScatterElements", inputs, {
      axis: { int: attrs.dim },
      reduction: { string: "add" },
    }),
});

/** x with `src` added at `index` along a dimension; repeated positions add up: torch.scatter_add. */
export function scatterAdd(x: Value, dim: number, index: Value, src: Value): Value {
  const [axis, source] = checkScatter("scatterAdd", x, dim, index, src);
  return scatterAddOp([x, index, source], { dim: axis });
}

/** The dimension, and of the source what the index uses: elements beyond the index's sizes are not read. */
export function checkScatter(
  op: string,
  x: Value,
  dim: number,
  index: Value,
  src: Value,
): readonly [number, Value] {
  const axis = resolveDim(op, dim, x.shape.length);
  checkAlong(op, x, axis, index);
  if (src.dtype !== x.dtype)
    throw new ShapeError(`${op}: the source must be ${x.dtype} like the tensor, got ${src.dtype}`);
  const { shape } = index;
  if (src.shape.length !== shape.length || shape.some((size, i) => size > src.shape[i]!)) {
    throw new ShapeError(
      `${op}: source ${formatShape(src.shape)} and index ${formatShape(shape)} must have the same shape`,
    );
  }
  return [axis, shape.reduce((part, size, i) => slice(part, i, 0, size), src)];
}

const indexSelectOp = defineOp1<{ dim: number }>({
  name: "indexSelect",
  infer: ([x, index], { dim }) => ({
    dtype: x!.dtype,
    shape: [...x!.shape.slice(0, dim), ...index!.shape, ...x!.shape.slice(dim + 1)],
  }),
  vjp: ({ inputs: [x, index], attrs: { dim }, grads: [g] }) => {
    // Bring the dimensions that the index made to the front, add rows up, and bring the dimension back.
    const rank = g!.shape.length;
    const made = Array.from({ length: index!.shape.length }, (_, i) => dim + i);
    const others = Array.from({ length: rank }, (_, i) => i).filter((i) => !made.includes(i));
    const front = permute(g!, [...made, ...others]);
    const rest = others.map((i) => g!.shape[i]!);
    const count = numel(index!.shape);
    const rows = indexAddOp([reshape(index!, [count]), reshape(front, [count, numel(rest)])], {
      size: x!.shape[dim]!,
    });
    const split = reshape(rows, [x!.shape[dim]!, ...rest]);
    const order = Array.from({ length: rest.length + 1 }, (_, i) =>
      i < dim ? i + 1 : i === dim ? 0 : i,
    );
    return [permute(split, order), null];
  },
  lower: ({ inputs, attrs, emit }) => emit.node("Gather", inputs, { axis: { int: attrs.dim } }),
});

/** Slices of `x` along `dim` picked by an index of any shape, whose dimensions take that one's place; -1 is the last. */
export function indexSelect(x: Value, dim: number, index: Value, op = "indexSelect"): Value {
  checkIndex(op, index);
  return indexSelectOp([x, index], { dim: resolveDim(op, dim, x.shape.length) });
}

/** Rows g [n, d] added into zeros [size, d] at index [n]: the gradient of an embedding. */
const indexAddOp = defineOp1<{ size: number }>({
  name: "indexAdd",
  infer: ([, g], { size }) => ({ dtype: g!.dtype, shape: [size, g!.shape[1]!] }),
  vjp: ({ inputs: [index], grads: [g] }) => [null, indexSelect(g!, 0, index!)],
  // ScatterND with reduction="add" would be a data race on more than one thread; ScatterElements is right.
  lower: ({ inputs: [index, g], types: [, type], outputTypes: [out], emit }) => {
    const shape = type!.shape;
    const column = emit.node("Reshape", [index!, emit.ints([shape[0]!, 1])]);
    const zeros = emit.node("Expand", [emit.scalar(type!.dtype, 0), emit.ints(out!.shape)]);
    return emit.node(
      "ScatterElements",
      [zeros, emit.node("Expand", [column, emit.ints(shape)]), g!],
      {
        axis: { int: 0 },
        reduction: { string: "add" },
      },
    );
  },
});
