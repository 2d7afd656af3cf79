/** `Module`: the base of every layer and model; finds its parameters and children by the names of its fields. */

import { formatShape, sameShape } from "../graph/shape.ts";
import { Tensor } from "../tensor.ts";
import { activeTrace, guard } from "../trace.ts";
import { isFloat, type DType } from "../graph/dtype.ts";
import { place } from "../ops/leaf.ts";
import { Hooks, type ForwardHook, type ForwardPreHook, type HookHandle } from "./hooks.ts";
import { moduleRepr } from "./module-repr.ts";

/** A tensor that a module learns: a leaf that requires gradients. */
export class Parameter extends Tensor {
  constructor(data: Tensor) {
    super(place(data.detach().value), true, true);
  }
}

/** Tensors by the names PyTorch gives them, e.g. `encoder.layers.0.linear1.weight`. */
export type StateDict = Record<string, Tensor>;

/** How a state dict fits a module. */
export interface LoadReport {
  /** Keys the module has and the state dict has not. */
  readonly missing: readonly string[];
  /** Keys the state dict has and the module has not. */
  readonly unexpected: readonly string[];
  /** Keys whose shapes differ. */
  readonly mismatched: readonly {
    key: string;
    expected: readonly number[];
    got: readonly number[];
  }[];
}

/**
 * Base class of layers and models. Fields that hold a Parameter or a Module (also in arrays) are its parameters and
 * children; their names make the state-dict keys. https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html
 */
export abstract class Module {
  #training = true;
  #buffers = new Map<string, { tensor: Tensor; persistent: boolean }>();
  #hooks: Hooks | null = null;

  /** What the module computes: PyTorch calls it when a module is called, here it is called by its name. */
  abstract forward(...inputs: never[]): unknown;

  /** Whether dropout and the like are active. A compiled function that looks at it is traced anew when it changes. */
  get training(): boolean {
    const value = this.#training;
    guard(() => this.#training === value);
    return value;
  }

  /** Sets training mode here and in all children. */
  train(mode = true): this {
    this.#training = mode;
    for (const [, child] of this.namedChildren()) child.train(mode);
    return this;
  }

  /** Sets evaluation mode here and in all children. */
  eval(): this {
    return this.train(false);
  }

  /**
   * Adds a tensor that belongs to the state but is not learned, as a field of that name, and returns it;
   * `persistent: false` keeps it out of state dicts.
   */
  registerBuffer(name: string, tensor: Tensor, { persistent = true } = {}): Tensor {
    const fields = this as unknown as Record<string, unknown>;
    const taken = (fields[name] ?? null) !== null && !this.#buffers.has(name);
    if (name === "" || name.includes(".") || taken)
      throw new Error(
        `registerBuffer: "${name}" ${taken ? `is a field of ${this.constructor.name} already` : "is no name of a field"}`,
      );
    this.#buffers.set(name, { tensor, persistent });
    fields[name] = tensor;
    return tensor;
  }

  /**
   * Has `hook(module, inputs, output)` run after `forward`, however that is called; what it returns, unless undefined,
   * replaces the output. A compiled function is traced anew when hooks of its modules come or go.
   * https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html
   */
  registerForwardHook<M extends Module>(this: M, hook: ForwardHook<M>): HookHandle {
    return (this.#hooks ??= new Hooks(this)).after(hook as ForwardHook<Module>);
  }

  /** Has `hook(module, inputs)` run before `forward`; what it returns, unless undefined, replaces the inputs. */
  registerForwardPreHook<M extends Module>(this: M, hook: ForwardPreHook<M>): HookHandle {
    return (this.#hooks ??= new Hooks(this)).before(hook as ForwardPreHook<Module>);
  }

  /** Direct children with their field names; elements of arrays as `name.0`, `name.1`, … */
  *namedChildren(): Generator<[string, Module]> {
    for (const [name, field] of Object.entries(this) as [string, unknown][]) {
      if (field instanceof Module) yield [name, field];
      else if (Array.isArray(field)) {
        for (const [i, item] of (field as unknown[]).entries())
          if (item instanceof Module) yield [`${name}.${i}`, item];
      }
    }
  }

  /** This module and everything below it, with dotted names; this one is "". */
  *namedModules(prefix = ""): Generator<[string, Module]> {
    yield [prefix, this];
    for (const [name, child] of this.namedChildren()) yield* child.namedModules(join(prefix, name));
  }

  /** Direct children. */
  children(): Module[] {
    return [...new Set(Array.from(this.namedChildren(), ([, child]) => child))];
  }

  /** This module and everything below it. */
  modules(): Module[] {
    return [...new Set(Array.from(this.namedModules(), ([, module]) => module))];
  }

  /** The module of a dotted name, e.g. `encoder.layers.0`; "" is this one. */
  getSubmodule(name: string): Module {
    for (const [known, module] of this.namedModules()) if (known === name) return module;
    throw new Error(
      `getSubmodule: ${this.constructor.name} has no module "${name}"; it has ${Array.from(this.namedModules(), ([known]) => `"${known}"`).join(", ")}`,
    );
  }

  /** Calls `fn` with everything below this module and then with itself, children first. */
  apply(fn: (module: Module) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /** Parameters with dotted names; one that is shared appears once, under its first name. */
  *namedParameters(): Generator<[string, Parameter]> {
    const seen = new Set<Parameter>();
    for (const [key, parameter] of this.#allParameters()) {
      if (seen.has(parameter)) continue;
      seen.add(parameter);
      yield [key, parameter];
    }
  }

  *#allParameters(): Generator<[string, Parameter]> {
    for (const [prefix, module] of this.namedModules()) yield* module.#ownParameters(prefix);
  }

  *#ownParameters(prefix: string): Generator<[string, Parameter]> {
    for (const [name, field] of Object.entries(this) as [string, unknown][]) {
      if (field instanceof Parameter) yield [join(prefix, name), field];
      else if (Array.isArray(field)) {
        for (const [i, item] of (field as unknown[]).entries())
          if (item instanceof Parameter) yield [join(prefix, `${name}.${i}`), item];
      }
    }
  }

  /** Parameters without names, e.g. for an optimizer. */
  parameters(): Parameter[] {
    return Array.from(this.namedParameters(), ([, parameter]) => parameter);
  }

  /** Starts or stops learning of all parameters. */
  requiresGrad_(wanted = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad_(wanted);
    return this;
  }

  /**
   * Converts floating parameters and buffers to a floating dtype, in place; gradients are cleared. Optimizers made before
   * keep state of the old dtype.
   */
  to(dtype: DType): this {
    if (!isFloat(dtype))
      throw new Error(`to: modules convert to floating dtypes, got ${String(dtype)}`);
    if (activeTrace() !== null)
      throw new Error("to: a module cannot be converted inside a compiled function");
    for (const tensor of new Set([...this.parameters(), ...this.buffers()])) {
      if (!isFloat(tensor.dtype) || tensor.dtype === dtype) continue;
      tensor.grad = null;
      tensor.hold(place(tensor.detach().cast(dtype).value));
    }
    return this;
  }

  /** Buffers without names. */
  buffers(): Tensor[] {
    return [...new Set(Array.from(this.namedBuffers(), ([, buffer]) => buffer))];
  }

  /** Buffers with dotted names. */
  *namedBuffers(): Generator<[string, Tensor]> {
    for (const [prefix, module] of this.namedModules())
      for (const [name, { tensor }] of module.#buffers) yield [join(prefix, name), tensor];
  }

  /** The tensors of the state themselves, by key: module by module, parameters before buffers. */
  #state(): Map<string, Tensor> {
    const state = new Map<string, Tensor>();
    for (const [prefix, module] of this.namedModules()) {
      for (const [key, parameter] of module.#ownParameters(prefix)) state.set(key, parameter);
      for (const [name, { tensor, persistent }] of module.#buffers)
        if (persistent) state.set(join(prefix, name), tensor);
    }
    return state;
  }

  /** Snapshots of all parameters and persistent buffers, with PyTorch's keys; later training does not change them. */
  stateDict(): StateDict {
    return Object.fromEntries(Array.from(this.#state(), ([key, tensor]) => [key, tensor.detach()]));
  }

  /**
   * Takes over the tensors of a state dict. Unless `strict` is false, missing or unexpected keys are an error; tensors of
   * another shape always are. Nothing is loaded when there is an error.
   */
  loadStateDict(state: StateDict, { strict = true } = {}): LoadReport {
    const own = this.#state();
    const missing = [...own.keys()].filter((key) => !(key in state));
    const unexpected = Object.keys(state).filter((key) => !own.has(key));
    const mismatched = [...own].flatMap(([key, tensor]) => {
      const given = state[key];
      return given === undefined || sameShape(given.shape, tensor.shape)
        ? []
        : [{ key, expected: tensor.shape, got: given.shape }];
    });
    const problems = mismatched.map(
      ({ key, expected, got }) =>
        `  ${key}: expected ${formatShape(expected)}, got ${formatShape(got)}`,
    );
    if (strict)
      problems.push(
        ...missing.map((key) => `  ${key}: missing`),
        ...unexpected.map((key) => `  ${key}: unexpected`),
      );
    if (problems.length > 0) {
      throw new Error(
        `loadStateDict: ${problems.length} key(s) do not fit ${this.constructor.name}:\n${problems.join("\n")}`,
      );
    }
    for (const [key, tensor] of own) {
      const given = state[key];
      if (given !== undefined) tensor.assign(given.cast(tensor.dtype));
    }
    return { missing, unexpected, mismatched };
  }

  /** What is printed of a module beside its children: its settings, in PyTorch's words. */
  extraRepr(): string {
    return "";
  }

  /** The tree of modules, as PyTorch prints it. */
  toString(): string {
    return moduleRepr(this);
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** Clears the gradients of all parameters. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = null;
  }
}

const join = (prefix: string, name: string): string => (prefix === "" ? name : `${prefix}.${name}`);
