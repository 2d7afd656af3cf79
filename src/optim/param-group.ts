/** Groups of parameters with options of their own, and what the constructors of optimizers accept. */

import { tensor } from "../creation.ts";
import { Module } from "../nn/module.ts";
import { Tensor } from "../tensor.ts";
import { activeTrace, guard } from "../trace.ts";
import { StepCounts } from "./step-counts.ts";

/** Options that schedules and the base class know. */
export interface CommonOptions {
  readonly lr: number;
  /** Go up the gradient instead of down. */
  readonly maximize: boolean;
  readonly momentum?: number;
  readonly betas?: readonly [number, number];
}

/** Parameters, or parameters with their names, as `module.parameters()` and `module.namedParameters()` give them. */
export type Parameters = Iterable<Tensor> | Iterable<readonly [string, Tensor]>;

/** Parameters with options of their own; options left out are the optimizer's. */
export type ParamGroupInput<O> = { readonly params: Tensor | Parameters } & Partial<O>;

/** What optimizers take: parameters, or groups of them. */
export type OptimizerParams<O> = Parameters | Iterable<ParamGroupInput<O>>;

/** One group of parameters as an optimizer keeps it. */
export class ParamGroup<O extends CommonOptions> {
  readonly params: readonly Tensor[];
  /** Names, where the optimizer was given them. */
  readonly paramNames: readonly string[] | null;
  /** The learning rate as programs read it, a 0-d tensor: float64 where a parameter is, else float32. */
  readonly rate: Tensor;
  /** The learning rate that schedules start from, once there is one. */
  initialLr: number | null = null;
  /** @internal */
  readonly counts: StepCounts;
  readonly #prepare: (next: O, previous: O) => void;
  #options: O;
  #lr: number;
  #momentum: Tensor | null = null;
  #momentumNow: number | null = null;

  /** @internal `prepare` checks options that are about to hold and makes the state they need. */
  constructor(
    params: readonly Tensor[],
    paramNames: readonly string[] | null,
    options: O,
    prepare: (next: O, previous: O) => void,
  ) {
    this.params = params;
    this.paramNames = paramNames;
    this.#options = options;
    this.#lr = options.lr;
    this.#prepare = prepare;
    this.rate = this.#scalar(options.lr);
    this.counts = new StepCounts(params);
  }

  /**
   * Options as programs have them built in; one that is traced while they hold is not used when they have changed. The
   * learning rate and momentum of now are `lr` and `momentum`.
   */
  get options(): O {
    const current = this.#options;
    guard(() => this.#options === current);
    return current;
  }

  /** The learning rate; setting it needs no new trace. */
  get lr(): number {
    return this.#lr;
  }

  set lr(lr: number) {
    if (!(lr >= 0)) throw new Error(`optimizer: the learning rate must be at least 0, got ${lr}`);
    outsideOfPrograms("the learning rate");
    this.#lr = lr;
    this.rate.assign(this.#scalar(lr));
  }

  /** Momentum or β₁, null for optimizers without; setting it needs a new trace the first time only. */
  get momentum(): number | null {
    return this.#momentumNow ?? this.#options.betas?.[0] ?? this.#options.momentum ?? null;
  }

  set momentum(momentum: number) {
    outsideOfPrograms("the momentum");
    if (this.#momentum === null) {
      this.set(this.#withMomentum(momentum));
      this.#momentum = this.#scalar(momentum);
    } else this.#momentum.assign(this.#scalar(momentum));
    this.#momentumNow = momentum;
  }

  /** @internal Momentum as programs read it, once it has been set; null while it is an option, built in. */
  get movingMomentum(): Tensor | null {
    const current = this.#momentum;
    guard(() => this.#momentum === current);
    return current;
  }

  /** Changes options, for the steps that follow. Functions compiled before are traced anew. */
  set(changes: Partial<O>): void {
    outsideOfPrograms("options");
    const next = { ...this.#options, ...changes };
    this.#prepare(next, this.#options);
    this.#options = next;
    if (changes.lr !== undefined) this.lr = changes.lr;
    const momentum = next.betas?.[0] ?? next.momentum;
    if (this.#momentum !== null && momentum !== undefined) this.momentum = momentum;
  }

  /** @internal Options with the learning rate and the momentum of now. */
  current(): O {
    const { lr, momentum } = this;
    return { ...this.#options, ...(momentum === null ? {} : this.#withMomentum(momentum)), lr };
  }

  #withMomentum(momentum: number): Partial<O> {
    const { betas } = this.#options;
    return (betas ? { betas: [momentum, betas[1]] } : { momentum }) as unknown as Partial<O>;
  }

  #scalar(value: number): Tensor {
    const wide = this.params.some((p) => p.dtype === "float64");
    return tensor(value, { dtype: wide ? "float64" : "float32" });
  }
}

function outsideOfPrograms(what: string): void {
  if (activeTrace() !== null)
    throw new Error(
      `optimizer: ${what} cannot be set inside a compiled function, which would set the same again in every run; do it between runs`,
    );
}

const isIterable = (x: unknown): x is Iterable<unknown> =>
  typeof x === "object" && x !== null && Symbol.iterator in x;

/** How a value is named in an error. */
export function described(x: unknown): string {
  if (typeof x === "object" && x !== null) return `a ${x.constructor?.name ?? "plain object"}`;
  return typeof x === "string" ? `"${x}"` : String(x);
}

/** The groups that an optimizer's first argument means. */
export function groupsOf<O>(name: string, given: OptimizerParams<O>): ParamGroupInput<O>[] {
  if (given instanceof Module)
    throw new Error(
      `${name}: expected parameters, got the module ${given.constructor.name}; pass module.parameters()`,
    );
  if (!isIterable(given) || given instanceof Tensor)
    throw new Error(
      `${name}: expected an iterable of parameters, of [name, parameter] or of groups { params, … }, got ${described(given)}`,
    );
  const items = [...(given as Iterable<unknown>)];
  if (items.length === 0)
    throw new Error(
      `${name}: got no parameters; a module has those in its fields, unless they are #private`,
    );
  const isGroup = (item: unknown): boolean =>
    typeof item === "object" && item !== null && "params" in item;
  if (!items.some(isGroup)) return [{ params: items } as unknown as ParamGroupInput<O>];
  const odd = items.find((item) => !isGroup(item));
  if (odd !== undefined)
    throw new Error(`${name}: expected groups { params, … } only, got ${described(odd)} too`);
  return items as ParamGroupInput<O>[];
}

/** The parameters of a group and, where all have one, their names. */
export function parametersOf(
  name: string,
  given: Tensor | Parameters,
): { params: Tensor[]; names: string[] | null } {
  if (given instanceof Tensor) return { params: [given], names: null };
  if (!isIterable(given))
    throw new Error(
      `${name}: a group's params must be an iterable of parameters, got ${described(given)}`,
    );
  const params: Tensor[] = [];
  const names: string[] = [];
  for (const item of given as Iterable<unknown>) {
    const [key, p] = Array.isArray(item) ? (item as unknown[]) : [null, item];
    if (!(p instanceof Tensor))
      throw new Error(`${name}: parameters must be tensors, got ${described(p)}`);
    params.push(p);
    if (typeof key === "string") names.push(key);
  }
  if (names.length > 0 && names.length < params.length)
    throw new Error(`${name}: either all parameters have names or none has`);
  return { params, names: names.length > 0 ? names : null };
}
