/** What optimizers share: parameter groups, learning rates that programs read, state and its dictionary. */

import { cat, tensor, zerosLike } from "../creation.ts";
import type { Tensor } from "../tensor.ts";
import { noGrad } from "../trace.ts";

/** Parameters with options of their own; options left out are the optimizer's. */
export type ParamGroupInput<O> = { readonly params: readonly Tensor[] } & Partial<O>;

/** One group of parameters as an optimizer keeps it. */
export class ParamGroup<O extends { readonly lr: number }> {
  readonly params: readonly Tensor[];
  readonly options: O;
  /** The learning rate as programs read it, float32 []. */
  readonly rate: Tensor;
  /** Steps taken, float32 []. */
  readonly steps: Tensor;
  #lr: number;

  constructor(params: readonly Tensor[], options: O) {
    this.params = params;
    this.options = options;
    this.#lr = options.lr;
    this.rate = tensor(options.lr);
    this.steps = tensor(0);
  }

  /** The learning rate; setting it needs no new trace. */
  get lr(): number {
    return this.#lr;
  }

  set lr(lr: number) {
    if (!(lr >= 0)) throw new Error(`optimizer: the learning rate must be at least 0, got ${lr}`);
    this.#lr = lr;
    this.rate.assign(tensor(lr));
  }
}

/** torch's optimizer state dict: state by parameter number, groups with their options. */
export interface OptimizerState {
  readonly state: Record<number, Record<string, Tensor>>;
  readonly paramGroups: readonly ({
    readonly params: readonly number[];
    readonly lr: number;
  } & Record<string, unknown>)[];
}

/** What one update reads and gives: a parameter, or several small ones joined into one. */
export interface Slot {
  readonly value: Tensor;
  readonly grad: Tensor;
  /** Tensors kept from step to step, by PyTorch's names. */
  readonly state: Readonly<Record<string, Tensor>>;
  /** Stores the new value and state. */
  assign(value: Tensor, state: Readonly<Record<string, Tensor>>): void;
}

/** Vectors up to this many elements are updated together: a program's cost for them is in its nodes, not its numbers. */
const SMALL = 4096;

/** Base class of optimizers. Updates must be elementwise. */
export abstract class Optimizer<O extends { readonly lr: number }> {
  readonly paramGroups: readonly ParamGroup<O>[];
  /** Tensors kept for each parameter, by PyTorch's names. */
  readonly #state = new Map<Tensor, Record<string, Tensor>>();

  constructor(params: readonly Tensor[] | readonly ParamGroupInput<O>[], defaults: O) {
    const groups = params.length > 0 && "params" in params[0]! ? params : [{ params }];
    this.paramGroups = (groups as readonly ParamGroupInput<O>[]).map((group) => {
      const { params: members, ...options } = { ...defaults, ...group };
      return new ParamGroup(members, options as unknown as O);
    });
    const all = this.paramGroups.flatMap((group) => group.params);
    if (all.length === 0) throw new Error(`${this.constructor.name}: got no parameters`);
    if (new Set(all).size !== all.length)
      throw new Error(
        `${this.constructor.name}: a parameter appears in two groups or twice in one`,
      );
    const odd = all.find((p) => !p.requiresGrad || !p.isLeaf);
    if (odd !== undefined)
      throw new Error(
        `${this.constructor.name}: parameters must be leaves that require gradients, got ${String(odd)}`,
      );
    for (const { options } of this.paramGroups) {
      this.check(options);
      if (!(options.lr >= 0))
        throw new Error(`${this.constructor.name}: lr must be at least 0, got ${options.lr}`);
    }
    for (const group of this.paramGroups)
      for (const p of group.params) {
        const names = this.slots(group.options);
        this.#state.set(p, Object.fromEntries(names.map((name) => [name, zerosLike(p).detach()])));
      }
  }

  /** Throws for options out of range. */
  protected abstract check(options: O): void;
  /** Names of the tensors kept for each parameter, shaped like it. */
  protected abstract slots(options: O): readonly string[];
  /** Records the update of a group's parameters that have gradients. */
  protected abstract update(group: ParamGroup<O>, slots: readonly Slot[]): void;

  /** What a kept tensor is multiplied by to give the one PyTorch keeps under that name. */
  protected unitOf(_name: string, _options: O): number {
    return 1;
  }

  /** Updates all parameters that have a gradient. */
  step(): void {
    noGrad(() => {
      for (const group of this.paramGroups) {
        group.steps.assign(group.steps.add(1));
        const live = group.params.filter((p) => p.grad !== null);
        const small = live.filter(
          (p) => p.ndim === 1 && p.size <= SMALL && p.dtype === live[0]!.dtype,
        );
        const alone = small.length > 1 ? live.filter((p) => !small.includes(p)) : live;
        const slots = alone.map((p) => this.#slot(p));
        if (small.length > 1) slots.push(this.#joined(small));
        this.update(group, slots);
      }
    });
  }

  #slot(p: Tensor): Slot {
    const state = this.#state.get(p)!;
    return {
      value: p,
      grad: p.grad!,
      state,
      assign: (value, next) => {
        p.assign(value);
        for (const [name, own] of Object.entries(state)) own.assign(next[name]!);
      },
    };
  }

  /** Vectors one behind the other, as one. */
  #joined(params: readonly Tensor[]): Slot {
    const states = params.map((p) => this.#state.get(p)!);
    const names = Object.keys(states[0]!);
    const sizes = params.map((p) => p.size);
    const scatter = (joined: Tensor, targets: readonly Tensor[]): void =>
      joined.split(sizes).forEach((piece, i) => targets[i]!.assign(piece));
    const all = (name: string): Tensor[] => states.map((state) => state[name]!);
    return {
      value: cat(params),
      grad: cat(params.map((p) => p.grad!)),
      state: Object.fromEntries(names.map((name) => [name, cat(all(name))])),
      assign: (value, next) => {
        scatter(value, params);
        for (const name of names) scatter(next[name]!, all(name));
      },
    };
  }

  /** Clears the gradients of all parameters. */
  zeroGrad(): void {
    for (const group of this.paramGroups) for (const p of group.params) p.grad = null;
  }

  /** Snapshot of moments, step counts, learning rates and options, in torch's layout. */
  stateDict(): OptimizerState {
    let next = 0;
    const state: Record<number, Record<string, Tensor>> = {};
    const paramGroups = this.paramGroups.map((group) => {
      const params = group.params.map((p) => {
        const slots = Object.entries(this.#state.get(p)!).map(
          ([name, t]) => [name, t.detach().mul(this.unitOf(name, group.options))] as const,
        );
        state[next] = { step: group.steps.detach(), ...Object.fromEntries(slots) };
        return next++;
      });
      return { ...group.options, lr: group.lr, params };
    });
    return { state, paramGroups };
  }

  /** Takes over what `stateDict` returned for the same parameters. Nothing is loaded when it does not fit. */
  loadStateDict({ state, paramGroups }: OptimizerState): void {
    const fits =
      paramGroups.length === this.paramGroups.length &&
      paramGroups.every((group, i) => group.params.length === this.paramGroups[i]!.params.length);
    if (!fits)
      throw new Error("optimizer: the state dict has other parameter groups than the optimizer");
    const assignments: [Tensor, Tensor][] = [];
    this.paramGroups.forEach((group, i) => {
      group.params.forEach((p, j) => {
        const number = paramGroups[i]!.params[j]!;
        for (const [name, own] of Object.entries(this.#state.get(p)!)) {
          const given = state[number]?.[name];
          if (given === undefined || given.shape.join() !== own.shape.join()) {
            throw new Error(
              `optimizer: state.${number}.${name} is ${given === undefined ? "missing" : `[${given.shape.join()}]`}, expected [${own.shape.join()}]`,
            );
          }
          assignments.push([own, given.detach().div(this.unitOf(name, group.options))]);
        }
        const steps = state[number]?.step;
        if (steps !== undefined && j === 0) assignments.push([group.steps, steps]);
      });
    });
    for (const [own, given] of assignments) own.assign(given.detach().cast(own.dtype));
    this.paramGroups.forEach((group, i) => (group.lr = paramGroups[i]!.lr));
  }
}
