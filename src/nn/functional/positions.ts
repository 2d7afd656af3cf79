/** Checks of tensors that hold positions. */

import { ShapeError } from "../../graph/shape.ts";
import type { Tensor } from "../../tensor.ts";

/** Throws unless a tensor can hold positions. */
export function needIntegers(op: string, what: string, x: Tensor): void {
  if (x.dtype === "int32" || x.dtype === "int64") return;
  throw new ShapeError(
    `${op}: ${what} must be int32 or int64, got ${x.dtype}; make them with { dtype: "int32" }`,
  );
}

/** Positions with negative ones, which ONNX would count from the end, put out of range, where they are an error. */
export const withoutNegatives = (positions: Tensor, size: number): Tensor =>
  positions.maskedFill(positions.lt(0), size);
