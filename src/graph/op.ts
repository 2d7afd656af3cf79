/** `defineOp`: shape and dtype rule, gradient rule and ONNX lowering of one operation in one literal. */

import type { DType, TypedArray } from "./dtype.ts";
import { intern, type Node, type TypeSpec, type Value } from "./node.ts";
import type { Shape } from "./shape.ts";

/** What the executor that will run a program has, as far as lowerings care. */
export interface Target {
  /** WebGPU: some ONNX operators would silently leave the device and are decomposed. */
  readonly gpu: boolean;
  /** ONNX Runtime's `com.microsoft` operators may be used; false for exported files. */
  readonly contrib: boolean;
  /** About how many elements elementwise operations on large tensors compute at a time; whole tensors unless given. */
  readonly piece?: number;
  /** Whether groups of nodes become kernels in machine code afterwards. */
  readonly kernels?: boolean;
}

/** Attribute of an ONNX node as lowerings write it; numbers say whether they are `int` or `float`. */
export type OnnxAttribute =
  | { int: number }
  | { float: number }
  | { string: string }
  | { ints: readonly number[] }
  | { floats: readonly number[] };

/** The name of a value that was written, and its type. */
export interface Typed extends TypeSpec {
  readonly name: string;
}

/** What is made of some rows: values of those rows, and sums over them. */
export interface MadeOfRows<T> {
  readonly rows: readonly T[];
  readonly sums: readonly T[];
}

/** What a lowering writes to: ONNX nodes and constants, values by name. */
export interface Emitter {
  readonly target: Target;
  /** Emits a node, or takes an equal one emitted before, and returns the name of its first output. */
  node(
    opType: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    domain?: string,
  ): string;
  /** Emits a node with several outputs. */
  nodes(
    opType: string,
    inputs: readonly string[],
    outputCount: number,
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    domain?: string,
  ): readonly string[];
  /** A constant tensor; equal small ones are stored once. */
  constant(dtype: DType, shape: Shape, data: TypedArray): string;
  /** A 0-d constant. */
  scalar(dtype: DType, value: number): string;
  /** A tensor of one number. */
  filled(dtype: DType, shape: Shape, value: number): string;
  /** A 1-d int64 constant, as axes and shapes are given. */
  ints(values: readonly number[]): string;
  /**
   * What `body` writes for so many rows of values [rows, …], run over a few rows at a time where the tensors exceed the
   * processor's caches; what it makes of these few is put together, or added up.
   */
  overRows(
    given: readonly Typed[],
    body: (names: readonly string[], rows: number) => MadeOfRows<Typed>,
  ): MadeOfRows<string>;
}

export interface LowerContext<A> {
  readonly attrs: A;
  readonly inputs: readonly string[];
  readonly types: readonly TypeSpec[];
  readonly outputTypes: readonly TypeSpec[];
  readonly emit: Emitter;
}

export interface VjpContext<A> {
  readonly attrs: A;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Gradient of the objective with respect to each output; null where it does not depend on it. */
  readonly grads: readonly (Value | null)[];
  /** Which inputs' gradients are wanted; the others may be null. */
  readonly needs: readonly boolean[];
}

export interface OpDefinition<A extends object> {
  readonly name: string;
  /** Types of the outputs; throws a ShapeError for inputs the operation does not take. */
  infer(inputs: readonly Value[], attrs: A): TypeSpec | readonly TypeSpec[];
  /** Vector–Jacobian product: gradients of the inputs, written with operations. `null`: no gradient passes. */
  readonly vjp: ((context: VjpContext<A>) => readonly (Value | null)[]) | null;
  /** Emits ONNX and returns the name(s) of the result(s). */
  lower(context: LowerContext<A>): string | readonly string[];
  /** Serialises attributes for hash-consing; JSON unless given. `null`: equal to no other application. */
  key?(attrs: A): string | null;
  /** Each output element depends on the same element (after broadcasting) of the inputs, and on nothing else. */
  readonly elementwise?: boolean;
  /** The output is the input unchanged, element for element. */
  readonly identity?: boolean;
  /** The output may share the input's memory in the executor: identities and changes of layout. */
  readonly view?: boolean;
  /** The output is the first input with some elements replaced, and costs no more than these where both share memory. */
  readonly overwrites?: boolean;
  /** Multiplications and additions of its products; operations without products say nothing. */
  readonly flops?: (inputs: readonly TypeSpec[], outputs: readonly TypeSpec[], attrs: A) => number;
}

/** A defined operation with its attribute type erased, as nodes hold it. */
export interface Op {
  readonly id: number;
  readonly name: string;
  readonly elementwise: boolean;
  readonly identity: boolean;
  readonly view: boolean;
  readonly overwrites: boolean;
  readonly flops:
    ((inputs: readonly TypeSpec[], outputs: readonly TypeSpec[], attrs: object) => number) | null;
  /** One type, or a list of them where the operation has several outputs. */
  infer(inputs: readonly Value[], attrs: object): TypeSpec | readonly TypeSpec[];
  readonly vjp: ((context: VjpContext<object>) => readonly (Value | null)[]) | null;
  lower(context: LowerContext<object>): string | readonly string[];
}

/** Every defined operation by name: the conformance suite walks it. */
export const registry = new Map<string, Op>();

const NO_ATTRS: object = {};

/** Defines an operation and returns the function that records it. */
export function defineOp<A extends object = Record<never, never>>(
  definition: OpDefinition<A>,
): (inputs: readonly Value[], attrs?: A) => readonly Value[] {
  const record = define(definition);
  return (inputs, attrs) => record(inputs, attrs).outputs;
}

/** As `defineOp`, for operations with one output. */
export function defineOp1<A extends object = Record<never, never>>(
  definition: OpDefinition<A>,
): (inputs: readonly Value[], attrs?: A) => Value {
  const record = define(definition);
  return (inputs, attrs) => record(inputs, attrs).output;
}

function define<A extends object>(
  definition: OpDefinition<A>,
): (inputs: readonly Value[], attrs?: A) => Node {
  if (registry.has(definition.name))
    throw new Error(`operation "${definition.name}" is defined twice`);
  const op: Op = {
    id: registry.size + 1,
    name: definition.name,
    elementwise: definition.elementwise ?? false,
    identity: definition.identity ?? false,
    view: definition.view ?? definition.identity ?? false,
    overwrites: definition.overwrites ?? false,
    flops: (definition.flops ?? null) as Op["flops"],
    infer: (inputs, attrs) => definition.infer(inputs, attrs as A),
    vjp: definition.vjp as Op["vjp"],
    lower: (context) => definition.lower(context as LowerContext<A>),
  };
  registry.set(op.name, op);
  return (inputs, attrs) => {
    if (attrs === undefined) return intern(op, inputs, NO_ATTRS, "");
    const key = definition.key === undefined ? JSON.stringify(attrs) : definition.key(attrs);
    return intern(op, inputs, attrs, key);
  };
}
