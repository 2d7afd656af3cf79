/** What optimizers share: groups of parameters, state kept from step to step, and its dictionary. */

import { tensor, zerosLike } from "../creation.ts";
import { formatShape, sameShape } from "../graph/shape.ts";
import { cat } from "../joining.ts";
import { Parameter } from "../nn/module.ts";
import type { Tensor } from "../tensor.ts";
import { guard, noGrad } from "../trace.ts";
import { refuseUnknown, withDefaults } from "./options.ts";
import {
  groupsOf,
  ParamGroup,
  parametersOf,
  type CommonOptions,
  type OptimizerParams,
  type ParamGroupInput,
} from "./param-group.ts";
import {
  exported,
  fromTorchState,
  REST,
  type OptimizerState,
  type TorchOptimizerState,
} from "./state-dict.ts";

/** What one update reads and gives: a parameter, or several small ones joined into one. */
export interface Slot {
  readonly value: Tensor;
  /** The gradient, negative where the objective is maximized. */
  readonly grad: Tensor;
  /** Tensors kept from step to step, by PyTorch's names. */
  readonly state: Readonly<Record<string, Tensor>>;
  /** Stores the new value and state. */
  readonly assign: (value: Tensor, state: Readonly<Record<string, Tensor>>) => void;
}

/** Vectors up to this many elements are updated together: a program's cost for them is in its nodes, not its numbers. */
const SMALL = 4096;

/**
 * Base class of optimizers: torch.optim.Optimizer. It takes parameters, parameters with names, or groups of them with
 * options of their own: `new AdamW(model.parameters(), { lr: 1e-3 })`.
 */
export abstract class Optimizer<O extends CommonOptions> {
  readonly #defaults: O;
  readonly #groups: ParamGroup<O>[] = [];
  /** Tensors kept for each parameter, by PyTorch's names. */
  readonly #state = new Map<Tensor, Record<string, Tensor>>();

  constructor(params: OptimizerParams<O>, defaults: O, options: Partial<O>) {
    this.#defaults = withDefaults(this.#name, options, defaults);
    for (const group of groupsOf(this.#name, params)) this.addParamGroup(group);
  }

  /** The groups; options of one are changed by its `lr` and `set`. */
  get paramGroups(): readonly ParamGroup<O>[] {
    const count = this.#groups.length;
    guard(() => this.#groups.length === count);
    return this.#groups;
  }

  get #name(): string {
    return this.constructor.name;
  }

  /** Throws for options out of range. */
  protected abstract check(options: O): void;
  /** What is kept for a parameter from step to step, by PyTorch's names, as it is before the first step. */
  protected abstract initialState(p: Tensor, options: O): Record<string, Tensor>;
  /** Records the update of parameters of a group that have gradients; `steps`, this one included, holds for all of them. */
  protected abstract update(group: ParamGroup<O>, slots: readonly Slot[], steps: Tensor): void;

  /** Whether PyTorch keeps the number of steps under `step`. */
  protected readonly keepsStep: boolean = true;
  /** Whether PyTorch keeps state before the first step. */
  protected readonly startsAtOnce: boolean = false;
  /** Whether an element's update depends on that element only, so that parameters can be joined. */
  protected readonly elementwise: boolean = true;

  /** What a kept tensor is multiplied by to give the one PyTorch keeps under that name. */
  protected unitOf(_name: string, _options: O): number {
    return 1;
  }

  /** Throws unless the options of these names are numbers of at least 0. */
  protected needNonNegative(options: O, ...names: (keyof O & string)[]): void {
    for (const name of names) {
      const value: unknown = options[name];
      if (!(typeof value === "number" && value >= 0))
        throw new Error(`${this.#name}: ${name} must be at least 0, got ${String(value)}`);
    }
  }

  /** Throws unless there are two betas in [0, 1). */
  protected needBetas(betas: readonly number[]): void {
    if (!Array.isArray(betas) || betas.length !== 2)
      throw new Error(`${this.#name}: betas must be two numbers, got ${String(betas)}`);
    if (!betas.every((beta) => beta >= 0 && beta < 1))
      throw new Error(`${this.#name}: betas must be in [0, 1), got ${betas.join(", ")}`);
  }

  /** Adds parameters, e.g. of layers that are no longer frozen. Functions compiled before are traced anew. */
  addParamGroup({ params: given, ...options }: ParamGroupInput<O>): void {
    const { params, names } = parametersOf(this.#name, given);
    refuseUnknown(this.#name, options, this.#defaults);
    const merged = { ...this.#defaults, ...(options as unknown as Partial<O>) };
    if (params.length === 0) throw new Error(`${this.#name}: got no parameters`);
    if (new Set(params).size < params.length || params.some((p) => this.#state.has(p)))
      throw new Error(`${this.#name}: a parameter appears in two groups or twice in one`);
    // A frozen Parameter may be learned later; a plain tensor without gradients is a slip.
    const odd = params.find((p) => !p.isLeaf || !(p.requiresGrad || p instanceof Parameter));
    if (odd !== undefined)
      throw new Error(
        `${this.#name}: parameters must be leaves that require gradients, got ${String(odd)}`,
      );
    if (this.#groups.some(({ paramNames }) => (paramNames === null) !== (names === null)))
      throw new Error(`${this.#name}: either all groups' parameters have names or none has`);
    this.#checkAll(merged);
    for (const p of params) this.#state.set(p, this.#initial(p, merged));
    const prepare = (next: O, previous: O): void => this.#prepare(params, next, previous);
    this.#groups.push(new ParamGroup(params, names, merged, prepare));
  }

  #checkAll(options: O): void {
    this.needNonNegative(options, "lr");
    this.check(options);
  }

  #initial(p: Tensor, options: O): Record<string, Tensor> {
    const made = Object.entries(this.initialState(p, options));
    return Object.fromEntries(made.map(([name, t]) => [name, t.detach()]));
  }

  /** Checks options that are about to hold, and brings the state into the form they need. */
  #prepare(params: readonly Tensor[], next: O, previous: O): void {
    refuseUnknown(this.#name, next, this.#defaults);
    this.#checkAll(next);
    for (const p of params) {
      const kept = this.#state.get(p)!;
      const state = this.#initial(p, next);
      for (const name of Object.keys(state)) {
        const own = kept[name];
        if (own === undefined) continue;
        const scale = this.unitOf(name, previous) / this.unitOf(name, next);
        state[name] = scale === 1 ? own : own.assign(own.mul(scale));
      }
      this.#state.set(p, state);
    }
  }

  /** Updates all parameters that have a gradient. */
  step(): void {
    noGrad(() => {
      for (const group of this.paramGroups) {
        const live = group.params.filter((p) => p.grad !== null);
        const { maximize } = group.options;
        for (const { params, steps } of group.counts.advance(live))
          this.update(group, this.#slots(params, maximize), steps.cast(group.rate.dtype));
      }
    });
  }

  #slots(params: readonly Tensor[], maximize: boolean): Slot[] {
    const small = params.filter(
      (p) => p.ndim === 1 && p.size <= SMALL && p.dtype === params[0]!.dtype,
    );
    if (small.length < 2 || !this.elementwise) return params.map((p) => this.#slot(p, maximize));
    const alone = params.filter((p) => !small.includes(p));
    return [...alone.map((p) => this.#slot(p, maximize)), this.#joined(small, maximize)];
  }

  #slot(p: Tensor, maximize: boolean): Slot {
    const state = this.#state.get(p)!;
    return {
      value: p,
      grad: maximize ? p.grad!.neg() : p.grad!,
      state,
      assign: (value, next) => {
        p.assign(value);
        for (const [name, own] of Object.entries(state)) own.assign(next[name]!);
      },
    };
  }

  /** Vectors one behind the other, as one. */
  #joined(params: readonly Tensor[], maximize: boolean): Slot {
    const states = params.map((p) => this.#state.get(p)!);
    const names = Object.keys(states[0]!);
    const sizes = params.map((p) => p.size);
    const scatter = (joined: Tensor, targets: readonly Tensor[]): void =>
      joined.split(sizes).forEach((piece, i) => targets[i]!.assign(piece));
    const all = (name: string): Tensor[] => states.map((state) => state[name]!);
    const grad = cat(params.map((p) => p.grad!));
    return {
      value: cat(params),
      grad: maximize ? grad.neg() : grad,
      state: Object.fromEntries(names.map((name) => [name, cat(all(name))])),
      assign: (value, next) => {
        scatter(value, params);
        for (const name of names) scatter(next[name]!, all(name));
      },
    };
  }

  /** Clears the gradients of all parameters; without `setToNone` those that exist become zeros. */
  zeroGrad({ setToNone = true }: { readonly setToNone?: boolean } = {}): void {
    for (const group of this.paramGroups)
      for (const p of group.params)
        p.grad = setToNone || p.grad === null ? null : zerosLike(p).detach();
  }

  /** Snapshot of moments, step counts, learning rates and options, in torch's layout; see `toTorchState`. */
  stateDict(): OptimizerState {
    let next = 0;
    const state: Record<number, Record<string, Tensor>> = {};
    const paramGroups = this.#groups.map((group) => {
      const counts = group.counts.snapshot();
      const params = group.params.map((p) => {
        const step = counts.get(p) ?? (this.startsAtOnce ? tensor(0) : undefined);
        const entry: Record<string, Tensor> = {};
        if (step !== undefined && this.keepsStep) entry["step"] = step;
        if (step !== undefined)
          for (const [name, t] of Object.entries(this.#state.get(p)!))
            Object.assign(entry, exported(name, t.detach(), this.unitOf(name, group.options)));
        if (Object.keys(entry).length > 0) state[next] = entry;
        return next++;
      });
      const { initialLr, paramNames } = group;
      return {
        ...(group.current() as CommonOptions & Record<string, unknown>),
        ...(initialLr === null ? {} : { initialLr }),
        ...(paramNames === null ? {} : { paramNames }),
        params,
      };
    });
    return { state, paramGroups };
  }

  /**
   * Takes over what `stateDict` returned for the same parameters, here or in PyTorch: their state, and their groups'
   * options. Parameters without an entry start anew. Nothing is loaded when it does not fit.
   */
  loadStateDict(given: OptimizerState | TorchOptimizerState): void {
    const { state, paramGroups } = fromTorchState(given);
    const groups = this.#groups;
    const fits =
      paramGroups.length === groups.length &&
      paramGroups.every((group, i) => group.params.length === groups[i]!.params.length);
    if (!fits)
      throw new Error("optimizer: the state dict has other parameter groups than the optimizer");
    const plans = groups.map((group, i) => this.#planLoad(group, paramGroups[i]!, state));
    groups.forEach((group, i) => {
      const { options, initialLr, counts, assignments } = plans[i]!;
      group.set(options);
      group.initialLr = initialLr ?? group.initialLr;
      for (const [p, name, value] of assignments) this.#state.get(p)![name]!.assign(value);
      group.counts.load(counts);
    });
  }

  /** What loading one group will do, once all groups are known to fit. */
  #planLoad(
    group: ParamGroup<O>,
    given: OptimizerState["paramGroups"][number],
    state: OptimizerState["state"],
  ) {
    const known = Object.entries(given).filter(([key]) => key in this.#defaults);
    const options = { ...group.current(), ...Object.fromEntries(known) };
    this.#checkAll(options);
    const assignments: [p: Tensor, name: string, value: Tensor][] = [];
    const counts = new Map<Tensor, Tensor | null>();
    group.params.forEach((p, j) => {
      const number = given.params[j]!;
      const entry = state[number];
      const expect = (name: string, shape: readonly number[]): Tensor => {
        const found = entry?.[name];
        if (found === undefined || !sameShape(found.shape, shape))
          throw new Error(
            `optimizer: state.${number}.${name} is ${found === undefined ? "missing" : formatShape(found.shape)}, expected ${formatShape(shape)}`,
          );
        return found;
      };
      for (const [name, initial] of Object.entries(this.initialState(p, options))) {
        if (entry === undefined) {
          assignments.push([p, name, initial]);
          continue;
        }
        const unit = this.unitOf(name, options);
        const found = expect(name, initial.shape).cast(p.dtype);
        const value = unit === 1 ? found : found.div(unit);
        const rest = entry[name + REST] && expect(name + REST, initial.shape).cast(p.dtype);
        assignments.push([p, name, rest ? value.add(rest) : value]);
      }
      // Optimizers that keep no count need only know whether there was a step.
      const step = this.keepsStep ? () => expect("step", []) : () => tensor(1);
      counts.set(p, entry === undefined ? null : step());
    });
    const { initialLr } = given as { initialLr?: number };
    return { options, initialLr, counts, assignments };
  }
}
