/** `Tensor`: the handle a user holds on a value of the graph. Operations record; reading a value computes. */

import { findLeaves, gradients } from "./autograd/backward.ts";
import { computeSoon, computeWhenRead, isHost, readValue } from "./engine.ts";
import { isFloat, type DType, type TypedArray } from "./graph/dtype.ts";
import type { Value } from "./graph/node.ts";
import {
  formatShape,
  numel,
  resolveDim,
  sameShape,
  ShapeError,
  type Shape,
} from "./graph/shape.ts";
import * as compare from "./ops/compare.ts";
import * as ew from "./ops/elementwise.ts";
import { cast, type Operand } from "./ops/elementwise-rules.ts";
import { detach, full, onesLike, place, source } from "./ops/leaf.ts";
import { gather, indexSelect, scatterAdd, topk } from "./ops/indexing.ts";
import { matmul, type MatmulOptions } from "./ops/matmul.ts";
import { logSoftmax, softmax } from "./ops/normalize.ts";
import * as reduce from "./ops/reduce.ts";
import * as shapes from "./ops/shape.ts";
import { split } from "./ops/split.ts";
import { sum } from "./ops/sum.ts";
import { format, nest, type NestedArray } from "./print.ts";
import { activeTrace, isGradEnabled, leafOf, markLeaf, type Trace } from "./trace.ts";

export type Dims = number | readonly number[];

export interface ReduceOptions {
  /** Dimensions to reduce; all unless given. Negative ones count from the end. */
  readonly dims?: Dims;
  /** Keep reduced dimensions with size 1. */
  readonly keepdim?: boolean;
}

/** What arithmetic takes beside a tensor. */
export type TensorLike = Tensor | number;

export interface BackwardOptions {
  /** Gradient of the objective with respect to this tensor; 1 for a tensor of one element. */
  readonly gradient?: Tensor;
  /** Make the gradients differentiable themselves. */
  readonly createGraph?: boolean;
}

/** An n-dimensional array with a dtype, computed when it is read. Made by `tensor`, `zeros`, `randn`, … */
export class Tensor {
  #value: Value;
  readonly #trace: Trace | null;
  #requiresGrad: boolean;
  #grad: Tensor | null = null;
  /** The value before assignments that have not been computed yet. */
  #settled: Value | null = null;
  /** Whether it has no history: gradients end here and collect in `grad`. */
  #leaf: boolean;

  /** @internal Tensors are made by functions; this wraps a value of the graph. */
  constructor(value: Value, requiresGrad = false, leaf = !requiresGrad) {
    this.#value = value;
    this.#trace = activeTrace();
    this.#requiresGrad = requiresGrad;
    this.#leaf = leaf;
    if (this.#trace === null) value.holders++;
    if (leaf && requiresGrad) markLeaf(value, this);
  }

  get shape(): Shape {
    return this.#value.shape;
  }

  get dtype(): DType {
    return this.#value.dtype;
  }

  /** Number of dimensions. */
  get ndim(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return numel(this.shape);
  }

  get requiresGrad(): boolean {
    return this.#requiresGrad;
  }

  /** Whether gradients collect here: not the result of an operation that tracks them. */
  get isLeaf(): boolean {
    return this.#leaf;
  }

  /** The value in the graph: inside `compile`, a tensor from outside is read anew at every run. */
  get value(): Value {
    const trace = activeTrace();
    if (trace === this.#trace) return this.#value;
    if (trace !== null && this.#trace === null) return trace.capture(this).current;
    throw new Error(
      "compile: a tensor made inside a compiled function is used outside of it; return it from the function instead",
    );
  }

  /** Gradient collected by `backward`, or null. */
  get grad(): Tensor | null {
    const trace = activeTrace() as Trace<Tensor> | null;
    if (trace === null || trace === this.#trace) return this.#grad;
    return gradSlot(trace, this).now;
  }

  set grad(grad: Tensor | null) {
    if (grad !== null && !sameShape(grad.shape, this.shape)) {
      throw new ShapeError(
        `grad: gradient ${formatShape(grad.shape)} must have the tensor's shape ${formatShape(this.shape)}`,
      );
    }
    const trace = activeTrace() as Trace<Tensor> | null;
    if (trace === null || trace === this.#trace) {
      if (this.#grad !== null && trace === null) computeWhenRead(this.#grad);
      this.#grad = grad;
    } else gradSlot(trace, this).now = grad;
  }

  /** Starts or stops collecting gradients in this tensor; floats without history only. */
  requiresGrad_(wanted = true): this {
    if (wanted && !isFloat(this.dtype))
      throw new Error(`requiresGrad_: only floating tensors have gradients, got ${this.dtype}`);
    if (!this.#leaf) throw new Error("requiresGrad_: the tensor has a history; detach() it first");
    if (wanted && !this.#requiresGrad) this.#hold(place(this.#value));
    this.#requiresGrad = wanted;
    if (wanted) markLeaf(this.#value, this);
    return this;
  }

  // ---- reading ---------------------------------------------------------------------------------------------------

  /** The elements at the time of the call, row-major, as a new typed array: bool as 0/1 bytes, int64 as bigints, float16 as raw bits. */
  data(): Promise<TypedArray> {
    return reading(async () => {
      const data = await readValue(this.value);
      // What is known needs no history, unless gradients may still flow through it.
      if (this.#value.storage !== null && this.#leaf) this.settle();
      return data;
    });
  }

  /** The only element of a tensor of one element, as a number (bool: 0 or 1). */
  item(): Promise<number> {
    return reading(async () => {
      if (this.size !== 1)
        throw new ShapeError(
          `item: the tensor must have one element, got shape ${formatShape(this.shape)}`,
        );
      return Number(nest(await this.data(), this.dtype, []));
    });
  }

  /** Nested arrays of numbers (bool: booleans); a number for a 0-d tensor. */
  toArray(): Promise<NestedArray> {
    return reading(async () => nest(await this.data(), this.dtype, this.shape));
  }

  /** Prints the elements as PyTorch does. */
  print(): Promise<void> {
    return reading(async () => console.log(await this.format()));
  }

  /** What `print` prints. */
  format(): Promise<string> {
    return reading(async () =>
      format(await this.data(), this.dtype, this.shape, this.#requiresGrad),
    );
  }

  /** Type and shape; elements need `await`, see `print`. */
  toString(): string {
    return `Tensor(shape=${formatShape(this.shape)}, dtype=${this.dtype}${this.#requiresGrad ? ", requiresGrad" : ""})`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  // ---- history ---------------------------------------------------------------------------------------------------

  /** The same elements without history. */
  detach(): Tensor {
    return new Tensor(detach(this.value));
  }

  /** A copy with the same history. */
  clone(): Tensor {
    return unary(this, place);
  }

  /**
   * Adds the gradients of this tensor to `.grad` of every leaf it was computed from that requires them.
   * https://docs.pytorch.org/docs/stable/generated/torch.Tensor.backward.html
   */
  backward({ gradient, createGraph = false }: BackwardOptions = {}): void {
    if (!this.#requiresGrad)
      throw new Error(
        "backward: the tensor requires no gradient; nothing it was computed from does",
      );
    if (gradient === undefined && this.size !== 1) {
      throw new ShapeError(
        `backward: the tensor must have one element, got shape ${formatShape(this.shape)}; reduce it or give { gradient }`,
      );
    }
    const value = this.value;
    const seed = gradient?.value ?? onesLike(value);
    if (!sameShape(seed.shape, value.shape)) {
      throw new ShapeError(
        `backward: gradient ${formatShape(seed.shape)} must have the tensor's shape ${formatShape(value.shape)}`,
      );
    }
    const found = findLeaves([value], (v) => leafOf(v)?.requiresGrad === true);
    const grads = gradients([value], [seed], found, ew.add);
    found.forEach((leaf, i) => {
      const grad = grads[i];
      if (!grad) return;
      const tensor = leafOf(leaf) as Tensor;
      const fresh = new Tensor(createGraph ? grad : detach(grad), createGraph, !createGraph);
      const known = tensor.grad;
      const sum = known === null ? fresh : known.add(fresh);
      tensor.grad = sum;
      // A sum that is never read would be computed from its first term again in every step.
      if (activeTrace() === null && known?.value.storage === null && sum.#leaf) computeSoon(sum);
    });
  }

  /** @internal A tensor that collects gradients, starting as `value`. */
  static leaf(value: Value): Tensor {
    return new Tensor(place(value), true, true);
  }

  /**
   * Gives this tensor other elements, of the same shape and dtype; what was recorded with the old ones keeps them.
   * Inside `compile` the assignment is made at every run.
   */
  assign(other: Tensor): this {
    if (other.dtype !== this.dtype || !sameShape(other.shape, this.shape)) {
      throw new ShapeError(
        `assign: expected ${this.dtype} ${formatShape(this.shape)}, got ${other.dtype} ${formatShape(other.shape)}`,
      );
    }
    if (!this.#leaf)
      throw new Error("assign: the tensor is the result of an operation; detach() it first");
    const given = other.#requiresGrad ? detach(other.value) : other.value;
    // A value of its own, so that nobody else can hold the storage it gets; elements known on the host need no program.
    const value =
      activeTrace() === null && given.storage !== null && isHost(given.storage)
        ? source(given, given.storage)
        : place(given);
    const trace = activeTrace();
    if (trace !== null && trace !== this.#trace) {
      if (this.#trace !== null)
        throw new Error("assign: the tensor belongs to another compiled function");
      trace.capture(this).current = value;
      if (this.#requiresGrad) markLeaf(value, this);
      return this;
    }
    if (trace === null) {
      this.#settled ??= this.#value;
      computeSoon(this);
    }
    this.#hold(value);
    return this;
  }

  /** Copies elements into this tensor, converting the dtype and broadcasting: torch's `copy_`. */
  copy_(other: Tensor): this {
    return this.assign(other.detach().cast(this.dtype).expand(this.shape));
  }

  /** Sets every element: torch's `fill_`. */
  fill_(value: number): this {
    return this.assign(new Tensor(full(this.shape, value, this.dtype)));
  }

  zero_(): this {
    return this.fill_(0);
  }

  /** Adds `alpha · other` to this tensor's own elements. */
  add_(other: TensorLike, alpha = 1): this {
    const term = alpha === 1 ? other : typeof other === "number" ? other * alpha : other.mul(alpha);
    return this.copy_(this.detach().add(term));
  }

  mul_(other: TensorLike): this {
    return this.copy_(this.detach().mul(other));
  }

  #hold(value: Value): void {
    this.#value = value;
    if (this.#trace === null) value.holders++;
    if (this.#requiresGrad) markLeaf(value, this);
  }

  /** @internal The gradient collected outside of any trace. */
  gradOutside(): Tensor | null {
    return this.#grad;
  }

  /** @internal Sets the gradient when a compiled function has run. */
  setGradOutside(grad: Tensor | null): void {
    this.#grad = grad;
  }

  /** @internal */
  pendingValue(): Value {
    return this.#value;
  }

  /** @internal Puts storage in place of history, once the value is computed. */
  settle(): void {
    this.#settled = null;
    const { storage, holders, dtype, shape, node } = this.#value;
    if (storage === null || node.op.name === "source") return;
    const fresh = source({ dtype, shape }, storage);
    // Others may still hold the value, and with it this storage.
    fresh.holders = Math.max(0, holders - 1);
    this.#hold(fresh);
  }

  /** @internal Takes back assignments that could not be computed. */
  undo(): void {
    if (this.#settled !== null) this.#hold(this.#settled);
    this.#settled = null;
  }

  /** @internal New elements from a program that has run. */
  hold(value: Value): void {
    this.#hold(value);
  }

  // ---- arithmetic ------------------------------------------------------------------------------------------------

  add(other: TensorLike): Tensor {
    return binary(this, other, ew.add);
  }

  sub(other: TensorLike): Tensor {
    return binary(this, other, ew.sub);
  }

  mul(other: TensorLike): Tensor {
    return binary(this, other, ew.mul);
  }

  /** True division: integers give float32. */
  div(other: TensorLike): Tensor {
    return binary(this, other, ew.div);
  }

  pow(other: TensorLike): Tensor {
    return binary(this, other, ew.pow);
  }

  /** Remainder with the sign of the divisor, as Python's %. */
  remainder(other: TensorLike): Tensor {
    return binary(this, other, ew.remainder);
  }

  maximum(other: TensorLike): Tensor {
    return binary(this, other, ew.maximum);
  }

  minimum(other: TensorLike): Tensor {
    return binary(this, other, ew.minimum);
  }

  neg(): Tensor {
    return unary(this, ew.neg);
  }

  abs(): Tensor {
    return unary(this, ew.abs);
  }

  sign(): Tensor {
    return unary(this, ew.sign);
  }

  exp(): Tensor {
    return unary(this, ew.exp);
  }

  log(): Tensor {
    return unary(this, ew.log);
  }

  log1p(): Tensor {
    return unary(this, ew.log1p);
  }

  expm1(): Tensor {
    return unary(this, ew.expm1);
  }

  sqrt(): Tensor {
    return unary(this, ew.sqrt);
  }

  reciprocal(): Tensor {
    return unary(this, ew.reciprocal);
  }

  rsqrt(): Tensor {
    return this.sqrt().reciprocal();
  }

  square(): Tensor {
    return this.mul(this);
  }

  sin(): Tensor {
    return unary(this, ew.sin);
  }

  cos(): Tensor {
    return unary(this, ew.cos);
  }

  tan(): Tensor {
    return unary(this, ew.tan);
  }

  asin(): Tensor {
    return unary(this, ew.asin);
  }

  acos(): Tensor {
    return unary(this, ew.acos);
  }

  atan(): Tensor {
    return unary(this, ew.atan);
  }

  sinh(): Tensor {
    return unary(this, ew.sinh);
  }

  cosh(): Tensor {
    return unary(this, ew.cosh);
  }

  tanh(): Tensor {
    return unary(this, ew.tanh);
  }

  asinh(): Tensor {
    return unary(this, ew.asinh);
  }

  acosh(): Tensor {
    return unary(this, ew.acosh);
  }

  atanh(): Tensor {
    return unary(this, ew.atanh);
  }

  sigmoid(): Tensor {
    return unary(this, ew.sigmoid);
  }

  erf(): Tensor {
    return unary(this, ew.erf);
  }

  relu(): Tensor {
    return unary(this, ew.relu);
  }

  floor(): Tensor {
    return unary(this, ew.floor);
  }

  ceil(): Tensor {
    return unary(this, ew.ceil);
  }

  /** To the nearest integer, halves to even. */
  round(): Tensor {
    return unary(this, ew.round);
  }

  /** Limits elements to `[min, max]`; either may be left out. */
  clamp(min?: number, max?: number): Tensor {
    return unary(this, (x) => compare.clamp(x, min, max));
  }

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

  isNaN(): Tensor {
    return unary(this, compare.isNaN);
  }

  isInf(): Tensor {
    return unary(this, compare.isInf);
  }

  /** Converts to another dtype; floats to integers round towards zero. */
  cast(dtype: DType): Tensor {
    return unary(this, (x) => cast(x, dtype));
  }

  /** `value` where the mask (bool, broadcast) holds, this tensor elsewhere. */
  maskedFill(mask: Tensor, value: number): Tensor {
    return derive([this, mask], ([x, m]) => compare.where(m!, value, x!));
  }

  // ---- products --------------------------------------------------------------------------------------------------

  /** Matrix product; leading dimensions broadcast: torch.matmul. */
  matmul(other: Tensor, options: MatmulOptions = {}): Tensor {
    return derive([this, other], ([a, b]) => matmul(a!, b!, options));
  }

  // ---- reductions ------------------------------------------------------------------------------------------------

  sum(options: ReduceOptions = {}): Tensor {
    return reduced(this, options, sum);
  }

  mean(options: ReduceOptions = {}): Tensor {
    return reduced(this, options, reduce.mean);
  }

  /** Largest elements; equal ones share the gradient. */
  amax(options: ReduceOptions = {}): Tensor {
    return reduced(this, options, reduce.amax);
  }

  amin(options: ReduceOptions = {}): Tensor {
    return reduced(this, options, reduce.amin);
  }

  /** Variance; `correction` (default 1) is taken from the count. */
  var(options: ReduceOptions & { readonly correction?: number } = {}): Tensor {
    return reduced(this, options, (x, dims) => reduce.variance(x, dims, options.correction));
  }

  std(options: ReduceOptions & { readonly correction?: number } = {}): Tensor {
    return this.var(options).sqrt();
  }

  /** Product over one dimension, or over all elements. */
  prod(dim?: number): Tensor {
    return unary(this, (x) => reduce.prod(x, dim));
  }

  /** Whether all elements are true (not 0). */
  all(options: ReduceOptions = {}): Tensor {
    return reduced(this, options, (x, dims) => reduce.amin(cast(x, "bool"), dims));
  }

  /** Whether any element is true (not 0). */
  any(options: ReduceOptions = {}): Tensor {
    return reduced(this, options, (x, dims) => reduce.amax(cast(x, "bool"), dims));
  }

  /** int32 position of the first largest element along a dimension, or in the flattened tensor. */
  argmax(dim?: number): Tensor {
    return unary(this, (x) => reduce.argmax(x, dim));
  }

  argmin(dim?: number): Tensor {
    return unary(this, (x) => reduce.argmin(x, dim));
  }

  /** Running sum along a dimension. */
  cumsum(dim: number): Tensor {
    return unary(this, (x) => reduce.cumsum(x, dim));
  }

  /** The k largest (or smallest) elements along a dimension, sorted, and their int32 positions. */
  topk(
    k: number,
    { dim = -1, largest = true }: { dim?: number; largest?: boolean } = {},
  ): {
    values: Tensor;
    indices: Tensor;
  } {
    const [values, indices] = topk(operand(this), k, dim, largest);
    return { values: new Tensor(values, tracks(this)), indices: new Tensor(indices) };
  }

  softmax(dim: number): Tensor {
    return unary(this, (x) => softmax(x, dim));
  }

  logSoftmax(dim: number): Tensor {
    return unary(this, (x) => logSoftmax(x, dim));
  }

  // ---- shape -----------------------------------------------------------------------------------------------------

  /** Same elements in another shape; one size may be -1. */
  reshape(shape: Shape): Tensor {
    return unary(this, (x) => shapes.reshape(x, shape));
  }

  /** Joins dimensions `start` … `end` into one. */
  flatten(start = 0, end = -1): Tensor {
    if (this.ndim === 0) return this.reshape([1]);
    const [first, last] = [
      resolveDim("flatten", start, this.ndim),
      resolveDim("flatten", end, this.ndim),
    ];
    if (first > last) throw new ShapeError(`flatten: start ${start} lies behind end ${end}`);
    const joined = numel(this.shape.slice(first, last + 1));
    return this.reshape([...this.shape.slice(0, first), joined, ...this.shape.slice(last + 1)]);
  }

  transpose(a: number, b: number): Tensor {
    return unary(this, (x) => shapes.transpose(x, a, b));
  }

  /** The transpose of a matrix. */
  get T(): Tensor {
    return this.ndim < 2 ? this : this.transpose(-2, -1);
  }

  permute(order: readonly number[]): Tensor {
    return unary(this, (x) => shapes.permute(x, order));
  }

  /** Repeats dimensions of size 1 up to `shape`; -1 keeps a size. */
  expand(shape: Shape): Tensor {
    return unary(this, (x) => shapes.expand(x, shape));
  }

  /** Adds a dimension of size 1. */
  unsqueeze(dim: number): Tensor {
    const at = resolveDim("unsqueeze", dim, this.ndim + 1);
    return this.reshape([...this.shape.slice(0, at), 1, ...this.shape.slice(at)]);
  }

  /** Drops a dimension of size 1, or all of them. */
  squeeze(dim?: number): Tensor {
    const at = dim === undefined ? null : resolveDim("squeeze", dim, this.ndim);
    return this.reshape(this.shape.filter((size, i) => size !== 1 || (at !== null && i !== at)));
  }

  /** Elements `start`, `start + step`, … before `end` of one dimension; negative positions count from the end. */
  slice(dim: number, start?: number, end?: number, step = 1): Tensor {
    return unary(this, (x) => shapes.slice(x, dim, start, end, step));
  }

  /** One position of a dimension, which is dropped: torch's `select`. */
  select(dim: number, position: number): Tensor {
    const at = resolveDim("select", dim, this.ndim);
    const size = this.shape[at]!;
    const from = position < 0 ? position + size : position;
    if (!Number.isInteger(position) || from < 0 || from >= size)
      throw new ShapeError(
        `select: position ${position} is out of range for dimension ${dim} of size ${size}`,
      );
    return this.slice(at, from, from + 1).reshape(this.shape.filter((_, i) => i !== at));
  }

  /** Consecutive pieces along a dimension, of one size (the last may be smaller) or of the sizes given. */
  split(sizes: number | readonly number[], dim = 0): Tensor[] {
    const at = resolveDim("split", dim, this.ndim);
    const total = this.shape[at]!;
    if (typeof sizes === "number" && !(Number.isInteger(sizes) && sizes > 0))
      throw new ShapeError(`split: the size must be a positive integer, got ${sizes}`);
    const list =
      typeof sizes === "number"
        ? Array.from({ length: Math.ceil(total / sizes) }, (_, i) =>
            Math.min(sizes, total - i * sizes),
          )
        : sizes;
    return split(operand(this), list, at).map((piece) => new Tensor(piece, tracks(this)));
  }

  /** Adds `before[i]` and `after[i]` elements around dimension i. */
  pad(before: readonly number[], after: readonly number[], value = 0): Tensor {
    return unary(this, (x) => shapes.pad(x, before, after, value));
  }

  flip(dims: readonly number[]): Tensor {
    return unary(this, (x) => shapes.flip(x, dims));
  }

  // ---- positions given by tensors ----------------------------------------------------------------------------------

  /** out[i][j] = this[index[i][j]][j] for dim 0: torch.gather. */
  gather(dim: number, index: Tensor): Tensor {
    return derive([this, index], ([x, i]) => gather(x!, dim, i!));
  }

  /** This tensor with `src` added at `index`: torch.scatter_add. */
  scatterAdd(dim: number, index: Tensor, src: Tensor): Tensor {
    return derive([this, index, src], ([x, i, s]) => scatterAdd(x!, dim, i!, s!));
  }

  /** Slices along `dim` picked by an index of any shape, whose dimensions take that one's place. */
  indexSelect(dim: number, index: Tensor): Tensor {
    return derive([this, index], ([x, i]) => indexSelect(x!, dim, i!));
  }
}

// ---- reading and recording ---------------------------------------------------------------------------------------

/** Reads values. Inside `compile` it throws at once: nobody would wait there for a promise that is rejected. */
function reading<T>(read: () => Promise<T>): Promise<T> {
  if (activeTrace() !== null) {
    throw new Error(
      "compile: a value was read inside a compiled function, where nothing is computed yet; return the tensor and read it outside",
    );
  }
  return read();
}

const tracks = (t: Tensor): boolean => t.requiresGrad && isGradEnabled();

/** A tensor's value as an operation takes it: without history where gradients are off. */
const operand = (t: Tensor): Value =>
  t.requiresGrad && !isGradEnabled() ? detach(t.value) : t.value;

/** Records operations on the values of tensors; the result tracks gradients if one of them does. */
export function derive(
  inputs: readonly Tensor[],
  record: (values: readonly Value[]) => Value,
): Tensor {
  const value = record(inputs.map(operand));
  return new Tensor(value, inputs.some(tracks) && isFloat(value.dtype));
}

function unary(x: Tensor, record: (x: Value) => Value): Tensor {
  const value = record(operand(x));
  return new Tensor(value, tracks(x) && isFloat(value.dtype));
}

function binary(a: Tensor, b: TensorLike, record: (a: Operand, b: Operand) => Value): Tensor {
  if (typeof b === "number") return unary(a, (x) => record(x, b));
  const value = record(operand(a), operand(b));
  return new Tensor(value, (tracks(a) || tracks(b)) && isFloat(value.dtype));
}

function reduced(
  x: Tensor,
  { dims, keepdim = false }: ReduceOptions,
  record: (x: Value, dims?: Dims) => Value,
): Tensor {
  return unary(x, (value) => {
    const result = record(value, dims);
    return keepdim ? reduce.keepDims(result, value, dims) : result;
  });
}

function gradSlot(trace: Trace<Tensor>, tensor: Tensor): { now: Tensor | null } {
  let slot = trace.grads.get(tensor);
  if (slot === undefined) {
    const before = tensor.gradOutside();
    slot = { before, now: before };
    trace.grads.set(tensor, slot);
  }
  return slot;
}
