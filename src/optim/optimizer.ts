/** What optimizers share: parameter groups, learning rates that programs read, state and its dictionary. */

import { tensor, zerosLike } from "../creation.ts";
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

/** Base class of optimizers. */
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
  /** Records the update of a group; parameters without gradient are left out of `params`. */
  protected abstract update(group: ParamGroup<O>, params: readonly Tensor[]): void;

  /** What a kept tensor is multiplied by to give the one PyTorch keeps under that name. */
  protected unitOf(_name: string, _options: O): number {
    return 1;
  }

  protected stateOf(p: Tensor): Record<string, Tensor> {
    return this.#state.get(p)!;
  }

  /** Updates all parameters that have a gradient. */
  step(): void {
    noGrad(() => {
      for (const group of this.paramGroups) {
        group.steps.assign(group.steps.add(1));
        this.update(
          group,
          group.params.filter((p) => p.grad !== null),
        );
      }
    });
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
        const slots = Object.entries(this.stateOf(p)).map(
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
        for (const [name, own] of Object.entries(this.stateOf(p))) {
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
