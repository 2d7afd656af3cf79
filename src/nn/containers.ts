/** Modules that hold modules or parameters. */

import type { Tensor } from "../tensor.ts";
import { Layer } from "./layer.ts";
import { Module, Parameter } from "./module.ts";

/** The place that Python's `list[i]` means; throws where there is none. */
function place(container: string, i: number, length: number): number {
  const at = i < 0 ? i + length : i;
  if (!Number.isInteger(at) || at < 0 || at >= length)
    throw new Error(`${container}: no item ${i}, there are ${length}`);
  return at;
}

const noForward = (container: string): never => {
  throw new Error(`${container} has no forward: call what it holds`);
};

function needModule(container: string, name: string, module: unknown): void {
  if (!(module instanceof Module))
    throw new Error(
      `${container}: "${name}" must be a module, got ${module === null ? "null" : typeof module}`,
    );
}

/**
 * Modules one after another, each given what the one before returned. State-dict keys are `0.weight`, `1.weight`, …, or
 * begin with the names in `new Sequential({ conv: …, act: … })`: torch.nn.Sequential.
 */
export class Sequential extends Layer {
  readonly #modules: [name: string, module: Module][] = [];

  constructor(named: Readonly<Record<string, Module>>);
  constructor(...modules: readonly Module[]);
  constructor(...given: readonly (Module | Readonly<Record<string, Module>>)[]) {
    super();
    const [first] = given;
    const named = given.length === 1 && typeof first === "object" && !(first instanceof Module);
    for (const [name, module] of Object.entries(named ? first : given)) this.#add(name, module);
  }

  #add(name: string, module: unknown): void {
    needModule("Sequential", name, module);
    this.#modules.push([name, module as Module]);
  }

  /** How many there are. */
  get length(): number {
    return this.#modules.length;
  }

  /** The i-th module; negative positions count from the end. */
  at(i: number): Module {
    return this.#modules[place("Sequential", i, this.length)]![1];
  }

  /** Goes over the modules in order. */
  *[Symbol.iterator](): Generator<Module> {
    for (const [, module] of this.#modules) yield module;
  }

  /** Adds a module at the end. */
  append(module: Module): this {
    this.#add(String(this.length), module);
    return this;
  }

  override *namedChildren(): Generator<[string, Module]> {
    yield* this.#modules;
  }

  forward(x: Tensor): Tensor {
    let value: unknown = x;
    for (const [, module] of this.#modules) value = module.forward(value as never);
    return value as Tensor;
  }
}

/** A list of modules, whose parameters are the holder's: torch.nn.ModuleList. */
export class ModuleList<M extends Module = Module> extends Module {
  readonly #modules: M[] = [];

  constructor(modules: Iterable<M> = []) {
    super();
    this.extend(modules);
  }

  /** How many there are. */
  get length(): number {
    return this.#modules.length;
  }

  /** The i-th module; negative positions count from the end. */
  at(i: number): M {
    return this.#modules[place("ModuleList", i, this.length)]!;
  }

  /** Puts another module in the i-th place. */
  set(i: number, module: M): this {
    needModule("ModuleList", String(i), module);
    this.#modules[place("ModuleList", i, this.length)] = module;
    return this;
  }

  /** Goes over the modules in order. */
  [Symbol.iterator](): IterableIterator<M> {
    return this.#modules.values();
  }

  /** Adds a module at the end. */
  append(module: M): this {
    return this.insert(this.length, module);
  }

  /** Adds all of a list at the end. */
  extend(modules: Iterable<M>): this {
    for (const module of modules) this.append(module);
    return this;
  }

  /** Adds a module before the i-th. */
  insert(i: number, module: M): this {
    needModule("ModuleList", String(i), module);
    this.#modules.splice(i, 0, module);
    return this;
  }

  override *namedChildren(): Generator<[string, Module]> {
    for (const [i, module] of this.#modules.entries()) yield [String(i), module];
  }

  forward(): never {
    return noForward("ModuleList");
  }
}

/** Modules by name: torch.nn.ModuleDict. */
export class ModuleDict<M extends Module = Module> extends Module {
  readonly #modules = new Map<string, M>();

  constructor(modules: Readonly<Record<string, M>> = {}) {
    super();
    for (const [name, module] of Object.entries(modules)) this.set(name, module);
  }

  /** How many there are. */
  get length(): number {
    return this.#modules.size;
  }

  /** The module of a name; throws where there is none. */
  get(name: string): M {
    const module = this.#modules.get(name);
    if (module === undefined)
      throw new Error(
        `ModuleDict: no module "${name}", there are ${[...this.keys()].join(", ") || "none"}`,
      );
    return module;
  }

  /** Whether there is one of that name. */
  has(name: string): boolean {
    return this.#modules.has(name);
  }

  /** Holds a module under a name. */
  set(name: string, module: M): this {
    needModule("ModuleDict", name, module);
    if (name === "" || name.includes("."))
      throw new Error(`ModuleDict: a name must not be empty or have a dot, got "${name}"`);
    this.#modules.set(name, module);
    return this;
  }

  /** Takes away the module of a name; returns whether there was one. */
  delete(name: string): boolean {
    return this.#modules.delete(name);
  }

  /** Names, in the order they were set. */
  keys(): IterableIterator<string> {
    return this.#modules.keys();
  }

  /** What the names stand for, in the order they were set. */
  values(): IterableIterator<M> {
    return this.#modules.values();
  }

  /** Names and what they stand for, in the order they were set. */
  entries(): IterableIterator<[string, M]> {
    return this.#modules.entries();
  }

  /** Goes over names and what they stand for, in the order they were set. */
  [Symbol.iterator](): IterableIterator<[string, M]> {
    return this.entries();
  }

  override *namedChildren(): Generator<[string, Module]> {
    yield* this.#modules;
  }

  forward(): never {
    return noForward("ModuleDict");
  }
}

/** A tensor as something to learn. */
const learned = (tensor: Tensor): Parameter =>
  tensor instanceof Parameter ? tensor : new Parameter(tensor);

/** A list of parameters, with state-dict keys `0`, `1`, …: torch.nn.ParameterList. */
export class ParameterList extends Module {
  readonly #parameters: Parameter[] = [];

  constructor(parameters: Iterable<Tensor> = []) {
    super();
    this.extend(parameters);
  }

  /** How many there are. */
  get length(): number {
    return this.#parameters.length;
  }

  /** The i-th parameter; negative positions count from the end. */
  at(i: number): Parameter {
    return this.#parameters[place("ParameterList", i, this.length)]!;
  }

  /** Goes over the parameters in order. */
  [Symbol.iterator](): IterableIterator<Parameter> {
    return this.#parameters.values();
  }

  /** Adds a parameter, or a tensor as one, at the end. */
  append(tensor: Tensor): this {
    const parameter = learned(tensor);
    // As a field it is found like every module's parameters.
    Object.assign(this, { [this.length]: parameter });
    this.#parameters.push(parameter);
    return this;
  }

  /** Adds all of a list at the end. */
  extend(tensors: Iterable<Tensor>): this {
    for (const tensor of tensors) this.append(tensor);
    return this;
  }

  forward(): never {
    return noForward("ParameterList");
  }
}

/** Parameters by name: torch.nn.ParameterDict. */
export class ParameterDict extends Module {
  readonly #parameters = new Map<string, Parameter>();

  constructor(parameters: Readonly<Record<string, Tensor>> = {}) {
    super();
    for (const [name, tensor] of Object.entries(parameters)) this.set(name, tensor);
  }

  /** How many there are. */
  get length(): number {
    return this.#parameters.size;
  }

  /** The parameter of a name; throws where there is none. */
  get(name: string): Parameter {
    const parameter = this.#parameters.get(name);
    if (parameter === undefined)
      throw new Error(
        `ParameterDict: no parameter "${name}", there are ${[...this.keys()].join(", ") || "none"}`,
      );
    return parameter;
  }

  /** Whether there is one of that name. */
  has(name: string): boolean {
    return this.#parameters.has(name);
  }

  /** Holds a parameter, or a tensor as one, under a name that is no field or method of modules. */
  set(name: string, tensor: Tensor): this {
    const taken = name in this && !this.#parameters.has(name);
    if (name === "" || name.includes(".") || taken)
      throw new Error(
        `ParameterDict: "${name}" ${taken ? "is a field of modules" : "is no name of a field"}; take another name`,
      );
    const parameter = learned(tensor);
    this.#parameters.set(name, parameter);
    Object.assign(this, { [name]: parameter });
    return this;
  }

  /** Names, in the order they were set. */
  keys(): IterableIterator<string> {
    return this.#parameters.keys();
  }

  /** What the names stand for, in the order they were set. */
  values(): IterableIterator<Parameter> {
    return this.#parameters.values();
  }

  /** Names and what they stand for, in the order they were set. */
  entries(): IterableIterator<[string, Parameter]> {
    return this.#parameters.entries();
  }

  /** Goes over names and what they stand for, in the order they were set. */
  [Symbol.iterator](): IterableIterator<[string, Parameter]> {
    return this.entries();
  }

  forward(): never {
    return noForward("ParameterDict");
  }
}
