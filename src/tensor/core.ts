/** What every tensor is before it has operations: a handle on a value of the graph, read, differentiated and assigned to. */

import { findLeaves, gradients } from "../autograd/backward.ts";
import { executor } from "../device.ts";
import { computeSoon, computeWhenRead, isHost, readValue } from "../engine.ts";
import { isFloat, type DType, type TypedArray } from "../graph/dtype.ts";
import type { Value } from "../graph/node.ts";
import { formatShape, numel, sameShape, ShapeError, type Shape } from "../graph/shape.ts";
import { add } from "../ops/elementwise.ts";
import { detach, onesLike, place, source } from "../ops/leaf.ts";
import { format, nest, type NestedArray } from "../print.ts";
import { activeTrace, isGradEnabled, leafOf, markLeaf, type Trace } from "../trace.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions } from "./arguments.ts";
import { makeTensor, unary } from "./derive.ts";

/** Options of `backward`. */
export interface BackwardOptions {
  /** Gradient of the objective with respect to this tensor; 1 for a tensor of one element. */
  readonly gradient?: Tensor;
  /** Make the gradients differentiable themselves. */
  readonly createGraph?: boolean;
}

/** State of a tensor: its value, whether it requires gradients, its gradient. */
export abstract class TensorCore {
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

  /** Sizes of the dimensions. */
  get shape(): Shape {
    return this.#value.shape;
  }

  /** What the elements are. */
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

  /** Number of elements, as PyTorch calls it. */
  numel(): number {
    return this.size;
  }

  /** Whether gradients flow into the tensor. */
  /** Whether gradients are collected or flow through; to be set for leaves only, as by `requiresGrad_`. */
  get requiresGrad(): boolean {
    return this.#requiresGrad;
  }

  set requiresGrad(wanted: boolean) {
    this.requiresGrad_(wanted);
  }

  /** Whether gradients collect here: not the result of an operation that tracks them. */
  get isLeaf(): boolean {
    return this.#leaf;
  }

  /** @internal The value in the graph: inside `compile`, a tensor from outside is read anew at every run. */
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
    const trace = activeTrace() as Trace<TensorCore> | null;
    if (trace === null || trace === this.#trace) return this.#grad;
    return gradSlot(trace, this).now as Tensor | null;
  }

  set grad(grad: Tensor | null) {
    if (grad !== null && !sameShape(grad.shape, this.shape)) {
      throw new ShapeError(
        `grad: gradient ${formatShape(grad.shape)} must have the tensor's shape ${formatShape(this.shape)}`,
      );
    }
    const trace = activeTrace() as Trace<TensorCore> | null;
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
      format(await this.data(), this.dtype, this.shape, {
        requiresGrad: this.#requiresGrad,
        device: (await executor()).device,
      }),
    );
  }

  /** Type and shape; elements need `await`, see `print`. */
  toString(): string {
    return `Tensor(shape=${formatShape(this.shape)}, dtype=${this.dtype}${this.#requiresGrad ? ", requiresGrad" : ""})`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** Text in a template; JavaScript's operators, which would join texts or compare handles, throw. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.toString();
    throw new TypeError(
      "Tensor: operators such as + and < do not work on tensors; use methods as in a.add(b) and a.lt(b), or a number: await a.item()",
    );
  }

  /** Throws: the elements have to be waited for. */
  toJSON(): never {
    throw new TypeError(
      "Tensor: JSON needs elements that are known; write await x.toArray(), or save tensors as safetensors",
    );
  }

  // ---- history ---------------------------------------------------------------------------------------------------

  /** The same elements without history. */
  detach(): Tensor {
    return makeTensor(detach(this.value));
  }

  /** A copy with the same history. */
  clone(): Tensor {
    return unary(this, place);
  }

  /**
   * Adds the gradients of this tensor to `.grad` of every leaf it was computed from that requires them.
   * https://docs.pytorch.org/docs/stable/generated/torch.Tensor.backward.html
   */
  backward(options: BackwardOptions = {}): void {
    const { gradient, createGraph = false } = checkOptions("backward", options, [
      "gradient",
      "createGraph",
    ]);
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
    const grads = gradients([value], [seed], found, add);
    found.forEach((leaf, i) => {
      const grad = grads[i];
      if (!grad) return;
      const tensor = leafOf(leaf) as Tensor;
      const fresh = makeTensor(createGraph ? grad : detach(grad), createGraph, !createGraph);
      const known = tensor.grad;
      const sum = known === null ? fresh : known.add(fresh);
      tensor.grad = sum;
      // A sum that is never read would be computed from its first term again in every step.
      if (activeTrace() === null && known?.value.storage === null && sum.#leaf) computeSoon(sum);
    });
  }

  /** @internal A tensor that collects gradients, starting as `value`. */
  static leaf(value: Value): Tensor {
    return makeTensor(place(value), true, true);
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

  /**
   * @internal Takes the elements of a result, and its history where gradients are recorded: what methods whose names end
   * in an underscore do. What was recorded with the old elements keeps them, so no gradient is ever wrong.
   */
  become(op: string, result: TensorCore): this {
    if (!sameShape(result.shape, this.shape))
      throw new ShapeError(
        `${op}: the result ${formatShape(result.shape)} does not have the shape ${formatShape(this.shape)} of the tensor that is changed; use the method without underscore`,
      );
    if (!isGradEnabled() || !(this.#requiresGrad || result.#requiresGrad)) {
      if (!this.#leaf)
        throw new Error(
          `${op}: the tensor is the result of an operation whose gradient it would lose; detach() it first`,
        );
      return this.assign(result as Tensor);
    }
    if (this.#leaf && this.#requiresGrad)
      throw new Error(
        `${op}: a leaf that requires gradients cannot be changed while gradients are recorded; use noGrad(() => …)`,
      );
    const value = result.value;
    if (activeTrace() !== this.#trace)
      throw new Error(
        `${op}: a tensor from outside of a compiled function cannot take a result that requires gradients; detach() the result`,
      );
    // Its elements are now computed when they are read, as those of any result.
    computeWhenRead(this);
    this.#settled = null;
    this.#requiresGrad = true;
    this.#leaf = false;
    this.#hold(value);
    return this;
  }

  #hold(value: Value): void {
    this.#value = value;
    if (this.#trace === null) value.holders++;
    if (this.#requiresGrad && this.#leaf) markLeaf(value, this);
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
}

/** Reads values. Inside `compile` it throws at once: nobody would wait there for a promise that is rejected. */
function reading<T>(read: () => Promise<T>): Promise<T> {
  if (activeTrace() !== null) {
    throw new Error(
      "compile: a value was read inside a compiled function, where nothing is computed yet; return the tensor and read it outside",
    );
  }
  return read();
}

function gradSlot(trace: Trace<TensorCore>, tensor: TensorCore): { now: TensorCore | null } {
  let slot = trace.grads.get(tensor);
  if (slot === undefined) {
    const before = tensor.gradOutside();
    slot = { before, now: before };
    trace.grads.set(tensor, slot);
  }
  return slot;
}
