/** Methods that give a tensor other elements, with names that end in an underscore as in PyTorch. */

import { isFloat, type DType } from "../graph/dtype.ts";
import { ShapeError } from "../graph/shape.ts";
import { lt } from "../ops/compare.ts";
import { add, mul } from "../ops/elementwise.ts";
import { cast } from "../ops/elementwise-rules.ts";
import { full } from "../ops/leaf.ts";
import { randomNormal, randomUniform } from "../ops/random.ts";
import { expand } from "../ops/shape.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions } from "./arguments.ts";
import type { AlphaOptions, ValueOptions } from "./arithmetic.ts";
import type { TensorCore } from "./core.ts";
import { makeTensor, unary, type TensorLike } from "./derive.ts";
import { drawnState, type Draws } from "./draws.ts";
import { placed, type Index, type PutOptions } from "./selecting.ts";

import { ProductMethods } from "./products.ts";

/** Where the random numbers come from. */
export interface FillOptions {
  /** Where the random numbers come from: a `Generator`; the default one unless given. */
  readonly generator?: Draws;
}

/**
 * In-place methods change what this tensor stands for from here on; values recorded before keep the old elements. Where
 * gradients are recorded the tensor takes the history of its new elements, and a leaf that requires gradients throws, as
 * in PyTorch. Tensors share no memory: changing a slice, a view or a `detach()` leaves the original as it is.
 */
export abstract class InPlaceMethods extends ProductMethods {
  // ---- elements given --------------------------------------------------------------------------------------------

  /** Copies elements into this tensor, converting the dtype and broadcasting: torch's `copy_`. */
  copy_(other: Tensor): this {
    const given = unary(other, (x) => expand(cast(x, this.dtype), this.shape, "copy_"));
    return this.become("copy_", given);
  }

  /** Sets every element: torch's `fill_`. */
  fill_(value: number | boolean): this {
    return this.become("fill_", makeTensor(full(this.shape, Number(value), this.dtype)));
  }

  /** Sets every element to 0. */
  zero_(): this {
    return this.become("zero_", makeTensor(full(this.shape, 0, this.dtype)));
  }

  /** `x[…] = value`: sets what `x.at(...index)` reads; see `setAt`. */
  setAt_(index: readonly Index[], value: TensorLike | boolean, options: PutOptions = {}): this {
    return this.become("setAt_", placed("setAt_", this, index, value, options));
  }

  // ---- arithmetic ------------------------------------------------------------------------------------------------

  /** Adds `alpha · other`. */
  add_(other: TensorLike, options: AlphaOptions = {}): this {
    return changed("add_", this, this.add(other, checkOptions("add_", options, ["alpha"])));
  }

  /** Takes away `alpha · other`. */
  sub_(other: TensorLike, options: AlphaOptions = {}): this {
    return changed("sub_", this, this.sub(other, checkOptions("sub_", options, ["alpha"])));
  }

  /** Multiplies by a number or a tensor. */
  mul_(other: TensorLike): this {
    return changed("mul_", this, this.mul(other));
  }

  /** Divides by a number or a tensor; floats only, since quotients are. */
  div_(other: TensorLike): this {
    return changed("div_", this, this.div(other));
  }

  /** Raises to a power. */
  pow_(exponent: TensorLike): this {
    return changed("pow_", this, this.pow(exponent));
  }

  /** −x in its place. */
  neg_(): this {
    return changed("neg_", this, this.neg());
  }

  /** |x| in its place. */
  abs_(): this {
    return changed("abs_", this, this.abs());
  }

  /** √x in its place. */
  sqrt_(): this {
    return changed("sqrt_", this, this.sqrt());
  }

  /** eˣ in its place. */
  exp_(): this {
    return changed("exp_", this, this.exp());
  }

  /** The natural logarithm in its place. */
  log_(): this {
    return changed("log_", this, this.log());
  }

  /** The nearest integer in its place; halves to even. */
  round_(): this {
    return changed("round_", this, this.round());
  }

  /** max(x, 0) in its place. */
  relu_(): this {
    return changed("relu_", this, this.relu());
  }

  /** 1 / (1 + exp(−x)) in its place. */
  sigmoid_(): this {
    return changed("sigmoid_", this, this.sigmoid());
  }

  /** The hyperbolic tangent in its place. */
  tanh_(): this {
    return changed("tanh_", this, this.tanh());
  }

  /** Limits elements to `[min, max]`; either may be left out. */
  clamp_(min?: number, max?: number): this {
    return changed("clamp_", this, this.clamp(min, max));
  }

  /** this + weight · (end − this), as moving averages need it. */
  lerp_(end: Tensor, weight: TensorLike): this {
    return changed("lerp_", this, this.lerp(end, weight));
  }

  /** Adds value · a · b. */
  addcmul_(a: Tensor, b: Tensor, options: ValueOptions = {}): this {
    const given = checkOptions("addcmul_", options, ["value"]);
    return changed("addcmul_", this, this.addcmul(a, b, given));
  }

  /** Adds value · a / b. */
  addcdiv_(a: Tensor, b: Tensor, options: ValueOptions = {}): this {
    const given = checkOptions("addcdiv_", options, ["value"]);
    return changed("addcdiv_", this, this.addcdiv(a, b, given));
  }

  // ---- parts -----------------------------------------------------------------------------------------------------

  /** Sets elements where the mask holds; see `maskedFill`. */
  maskedFill_(mask: Tensor, value: TensorLike): this {
    return changed("maskedFill_", this, this.maskedFill(mask, value));
  }

  /** Takes elements of `source`, one after the other, where the mask holds; see `maskedScatter`. */
  maskedScatter_(mask: Tensor, source: Tensor): this {
    return this.become("maskedScatter_", this.maskedScatter(mask, source));
  }

  /** Takes `src` at the positions of `index`; see `scatter`. */
  scatter_(dim: number, index: Tensor, src: TensorLike): this {
    return this.become("scatter_", this.scatter(dim, index, src));
  }

  /** Adds `src` at the positions of `index`; see `scatterAdd`. */
  scatterAdd_(dim: number, index: Tensor, src: Tensor): this {
    return this.become("scatterAdd_", this.scatterAdd(dim, index, src));
  }

  /** Adds slices of `source` at the slices that `index` names; see `indexAdd`. */
  indexAdd_(
    dim: number,
    index: Tensor,
    source: Tensor,
    options: { readonly alpha?: number } = {},
  ): this {
    return this.become("indexAdd_", this.indexAdd(dim, index, source, options));
  }

  /** Takes slices of `source` for those that `index` names; see `indexCopy`. */
  indexCopy_(dim: number, index: Tensor, source: Tensor): this {
    return this.become("indexCopy_", this.indexCopy(dim, index, source));
  }

  /** Sets the slices that `index` names; see `indexFill`. */
  indexFill_(dim: number, index: Tensor, value: TensorLike): this {
    return this.become("indexFill_", this.indexFill(dim, index, value));
  }

  /** Zeros above diagonal `k`. */
  tril_(k = 0): this {
    return this.become("tril_", this.tril(k));
  }

  /** Zeros below diagonal `k`. */
  triu_(k = 0): this {
    return this.become("triu_", this.triu(k));
  }

  /** Sets the diagonal of a matrix. */
  fillDiagonal_(value: number): this {
    if (this.ndim !== 2)
      throw new ShapeError(`fillDiagonal_: needs 2 dimensions, got ${this.ndim}`);
    const ones = makeTensor(full([Math.min(...this.shape)], 1, "int32"));
    const [n, m] = this.shape as readonly [number, number];
    const mask = ones
      .diag()
      .pad([0, 0], [n - ones.size, m - ones.size])
      .bool();
    return this.become("fillDiagonal_", this.maskedFill(mask, value));
  }

  // ---- random ----------------------------------------------------------------------------------------------------

  /** Normal numbers with the given mean and standard deviation. */
  normal_(mean = 0, std = 1, options: FillOptions = {}): this {
    const state = stateFor("normal_", this, options);
    return this.become(
      "normal_",
      makeTensor(cast(add(mul(randomNormal(state, this.shape), std), mean), this.dtype)),
    );
  }

  /** Uniform numbers in [from, to). */
  uniform_(from = 0, to = 1, options: FillOptions = {}): this {
    const state = stateFor("uniform_", this, options);
    return this.become(
      "uniform_",
      makeTensor(cast(add(mul(randomUniform(state, this.shape), to - from), from), this.dtype)),
    );
  }

  /** 1 with probability p, else 0. */
  bernoulli_(p = 0.5, options: FillOptions = {}): this {
    if (!(p >= 0 && p <= 1))
      throw new RangeError(`bernoulli_: the probability must be in [0, 1], got ${p}`);
    const { generator } = checkOptions("bernoulli_", options, ["generator"]);
    const drawn = lt(randomUniform(drawnState(generator), this.shape), p);
    return this.become("bernoulli_", makeTensor(cast(drawn, this.dtype)));
  }
}

/** Bool, integers, floats: what a dtype can hold of others. */
const kind = (dtype: DType): number => (dtype === "bool" ? 0 : isFloat(dtype) ? 2 : 1);

/** Takes a result, converted to the tensor's own dtype where that holds such elements. */
function changed<T extends TensorCore>(op: string, x: T, result: Tensor): T {
  if (kind(result.dtype) > kind(x.dtype))
    throw new ShapeError(
      `${op}: the result is ${result.dtype}, which a tensor of ${x.dtype} cannot hold; use the method without underscore`,
    );
  return x.become(op, result.cast(x.dtype));
}

function stateFor(op: string, x: TensorCore, options: FillOptions): ReturnType<typeof drawnState> {
  if (!isFloat(x.dtype)) throw new ShapeError(`${op}: needs a floating dtype, got ${x.dtype}`);
  const { generator } = checkOptions(op, options, ["generator"]);
  return drawnState(generator);
}
