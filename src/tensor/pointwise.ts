/** Methods of a tensor that compare elements, test them, choose among them and convert them. */

import type { DType } from "../graph/dtype.ts";
import * as compare from "../ops/compare.ts";
import { closeTo, type CloseOptions } from "../ops/closeness.ts";
import { all } from "../ops/statistics.ts";
import { cast } from "../ops/elementwise-rules.ts";
import { sameShape } from "../graph/shape.ts";
import type { Tensor } from "../tensor.ts";
import { binary, derive, unary, type TensorLike } from "./derive.ts";

import { FunctionMethods } from "./functions.ts";

export abstract class PointwiseMethods extends FunctionMethods {
  // ---- comparison (bool) -----------------------------------------------------------------------------------------

  eq(other: TensorLike): Tensor {
    return binary(this, other, compare.eq);
  }

  ne(other: TensorLike): Tensor {
    return binary(this, other, compare.ne);
  }

  lt(other: TensorLike): Tensor {
    return binary(this, other, compare.lt);
  }

  le(other: TensorLike): Tensor {
    return binary(this, other, compare.le);
  }

  gt(other: TensorLike): Tensor {
    return binary(this, other, compare.gt);
  }

  ge(other: TensorLike): Tensor {
    return binary(this, other, compare.ge);
  }

  logicalAnd(other: TensorLike): Tensor {
    return binary(this, other, compare.logicalAnd);
  }

  logicalOr(other: TensorLike): Tensor {
    return binary(this, other, compare.logicalOr);
  }

  logicalXor(other: TensorLike): Tensor {
    return binary(this, other, compare.logicalXor);
  }

  logicalNot(): Tensor {
    return unary(this, compare.logicalNot);
  }

  isnan(): Tensor {
    return unary(this, compare.isNaN);
  }

  isinf(): Tensor {
    return unary(this, compare.isInf);
  }

  /** As `isnan`. */
  isNaN(): Tensor {
    return this.isnan();
  }

  /** As `isinf`. */
  isInf(): Tensor {
    return this.isinf();
  }

  /** Neither NaN nor infinite. */
  isfinite(): Tensor {
    return unary(this, compare.isFinite);
  }

  isposinf(): Tensor {
    return unary(this, (x) => compare.isInfinity(x, Infinity));
  }

  isneginf(): Tensor {
    return unary(this, (x) => compare.isInfinity(x, -Infinity));
  }

  /** Whether |this − other| ≤ atol + rtol · |other|, element by element. */
  isclose(other: Tensor, options: CloseOptions = {}): Tensor {
    return derive([this, other], ([a, b]) => closeTo(a!, b!, options));
  }

  /** Whether all elements are close: torch.allclose. */
  async allclose(other: Tensor, options: CloseOptions = {}): Promise<boolean> {
    const close = derive([this, other], ([a, b]) => all(closeTo(a!, b!, options)));
    return (await close.item()) === 1;
  }

  /** Whether shapes and all elements are equal: torch.equal. */
  async equal(other: Tensor): Promise<boolean> {
    if (!sameShape(this.shape, other.shape)) return false;
    return (await derive([this, other], ([a, b]) => all(compare.eq(a!, b!))).item()) === 1;
  }

  /** Converts to another dtype; floats to integers round towards zero. */
  cast(dtype: DType): Tensor {
    return unary(this, (x) => cast(x, dtype));
  }
}
