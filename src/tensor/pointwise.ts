/** Methods of a tensor that compare elements, test them, choose among them and convert them. */

import type { DType } from "../graph/dtype.ts";
import * as compare from "../ops/compare.ts";
import { closeTo, type CloseOptions } from "../ops/closeness.ts";
import { all } from "../ops/statistics.ts";
import { cast } from "../ops/elementwise-rules.ts";
import { sameShape } from "../graph/shape.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions } from "./arguments.ts";
import { binary, derive, unary, type TensorLike } from "./derive.ts";

import { FunctionMethods } from "./functions.ts";

const CLOSE_OPTIONS = ["rtol", "atol", "equalNan"];

export abstract class PointwiseMethods extends FunctionMethods {
  // ---- comparison (bool) -----------------------------------------------------------------------------------------

  /** Where elements are equal. */
  eq(other: TensorLike): Tensor {
    return binary(this, other, compare.eq);
  }

  /** Where elements differ. */
  ne(other: TensorLike): Tensor {
    return binary(this, other, compare.ne);
  }

  /** Where this is smaller. */
  lt(other: TensorLike): Tensor {
    return binary(this, other, compare.lt);
  }

  /** Where this is smaller or equal. */
  le(other: TensorLike): Tensor {
    return binary(this, other, compare.le);
  }

  /** Where this is larger. */
  gt(other: TensorLike): Tensor {
    return binary(this, other, compare.gt);
  }

  /** Where this is larger or equal. */
  ge(other: TensorLike): Tensor {
    return binary(this, other, compare.ge);
  }

  /** Where both are true (not 0). */
  logicalAnd(other: TensorLike): Tensor {
    return binary(this, other, compare.logicalAnd);
  }

  /** Where at least one is true (not 0). */
  logicalOr(other: TensorLike): Tensor {
    return binary(this, other, compare.logicalOr);
  }

  /** Where exactly one is true (not 0). */
  logicalXor(other: TensorLike): Tensor {
    return binary(this, other, compare.logicalXor);
  }

  /** Where elements are false (0). */
  logicalNot(): Tensor {
    return unary(this, compare.logicalNot);
  }

  /** Where elements are NaN. */
  isnan(): Tensor {
    return unary(this, compare.isNaN);
  }

  /** Where elements are infinite, of either sign. */
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

  /** Where elements are Infinity. */
  isposinf(): Tensor {
    return unary(this, (x) => compare.isInfinity(x, Infinity));
  }

  /** Where elements are −Infinity. */
  isneginf(): Tensor {
    return unary(this, (x) => compare.isInfinity(x, -Infinity));
  }

  /** Whether |this − other| ≤ atol + rtol · |other|, element by element. */
  isclose(other: Tensor, options: CloseOptions = {}): Tensor {
    const given = checkOptions("isclose", options, CLOSE_OPTIONS);
    return derive([this, other], ([a, b]) => closeTo(a!, b!, given));
  }

  /** Whether all elements are close: torch.allclose. */
  async allclose(other: Tensor, options: CloseOptions = {}): Promise<boolean> {
    const given = checkOptions("allclose", options, CLOSE_OPTIONS);
    const close = derive([this, other], ([a, b]) => all(closeTo(a!, b!, given)));
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
