/** What optimizers share: parameter groups, learning rates that programs read, state and its dictionary. */

import { cat, tensor, zerosLike } from "../creation.ts";
import { formatShape, sameShape } from "../graph/shape.ts";
import type { Tensor } from "../tensor.ts";
import { noGrad } from "../trace.ts";
import { StepCounts } from "./step-counts.ts";

/** Parameters with options of their own; options left out are the optimizer's. */
export type ParamGroupInput<O> = { readonly params: readonly Tensor[] } & Partial<O>;

/** One group of parameters as an optimizer keeps it. */
export class ParamGroup<O extends { readonly lr: number }> {
  readonly params: readonly Tensor[];
  readonly options: O;
  /** The learning rate as programs read it, float32 []. */
  readonly rate: Tensor;
  /** @internal */
  readonly counts: StepCounts;
  #lr: number;

  constructor(params: readonly Tensor[], options: O) {
    this.params = params;
    this.options = options;
    this.#lr = options.lr;
    this.rate = tensor(options.lr);
    this.counts = new StepCounts(params);
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
  readonly assign: (value: Tensor, state: Readonly<Record<string, Tensor>>) => void;
}

/** Vectors up to this many elements are updated together: a program's cost for them is in its nodes, not its numbers. */
const SMALL = 4096;

/** Under this ending a state dict has what rounding took from a tensor: value − (value · unit) / unit. PyTorch ignores it. */
const REST = "_rest";

/** A kept tensor in PyTorch's unit, with its rest: the difference of two close numbers, which is exact like their sum. */
const exported = (name: string, own: Tensor, unit: number): Record<string, Tensor> =>
  unit === 1
    ? { [name]: own }
    : { [name]: own.mul(unit), [name + REST]: own.sub(own.mul(unit).div(unit)) };

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
  /** Records the update of parameters of a group that have gradients; `steps`, this one included, holds for all of them. */
  protected abstract update(group: ParamGroup<O>, slots: readonly Slot[], steps: Tensor): void;

  /** Whether PyTorch keeps the number of steps under `step`. */
  protected readonly keepsStep: boolean = true;

  /** What a kept tensor is multiplied by to give the one PyTorch keeps under that name. */
  protected unitOf(_name: string, _options: O): number {
    return 1;
  }

  /** Updates all parameters that have a gradient. */
  step(): void {
    noGrad(() => {
      for (const group of this.paramGroups) {
        const live = group.params.filter((p) => p.grad !== null);
        for (const { params, steps } of group.counts.advance(live))
          this.update(group, this.#slots(params), steps);
      }
    });
  }

  #slots(params: readonly Tensor[]): Slot[] {
    const small = params.filter(
      (p) => p.ndim === 1 && p.size <= SMALL && p.dtype === params[0]!.dtype,
    );
    if (small.length < 2) return params.map((p) => this.#slot(p));
    const alone = params.filter((p) => !small.includes(p));
    return [...alone.map((p) => this.#slot(p)), this.#joined(small)];
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
      const counts = group.counts.snapshot();
      const params = group.params.map((p) => {
        const step = counts.get(p);
        const entry: Record<string, Tensor> = {};
        if (step !== undefined && this.keepsStep) entry["step"] = step;
        if (step !== undefined)
          for (const [name, t] of Object.entries(this.#state.get(p)!))
            Object.assign(entry, exported(name, t.detach(), this.unitOf(name, group.options)));
        if (Object.keys(entry).length > 0) state[next] = entry;
        return next++;
      });
      return { ...group.options, lr: group.lr, params };
    });
    return { state, paramGroups };
  }

  /**
   * Takes over what `stateDict` returned for the same parameters; those without an entry start anew. Nothing is loaded
   * when it does not fit.
   */
  loadStateDict({ state, paramGroups }: OptimizerState): void {
    const fits =
      paramGroups.length === this.paramGroups.length &&
      paramGroups.every((group, i) => group.params.length === this.paramGroups[i]!.params.length);
    if (!fits)
      throw new Error("optimizer: the state dict has other parameter groups than the optimizer");
    const assignments: [Tensor, Tensor][] = [];
    const counts = this.paramGroups.map((group, i) => {
      const steps = new Map<Tensor, Tensor | null>();
      group.params.forEach((p, j) => {
        const number = paramGroups[i]!.params[j]!;
        const entry = state[number];
        const expect = (name: string, shape: readonly number[]): Tensor => {
          const given = entry?.[name];
          if (given === undefined || !sameShape(given.shape, shape))
            throw new Error(
              `optimizer: state.${number}.${name} is ${given === undefined ? "missing" : formatShape(given.shape)}, expected ${formatShape(shape)}`,
            );
          return given;
        };
        for (const [name, own] of Object.entries(this.#state.get(p)!)) {
          const given = entry === undefined ? zerosLike(own) : expect(name, own.shape);
          const value = given.cast(own.dtype).div(this.unitOf(name, group.options));
          const rest = entry?.[name + REST] && expect(name + REST, own.shape).cast(own.dtype);
          assignments.push([own, rest ? value.add(rest) : value]);
        }
        // Optimizers that keep no count need only know whether there was a step.
        const step = this.keepsStep ? () => expect("step", []) : () => tensor(1);
        steps.set(p, entry === undefined ? null : step());
      });
      return steps;
    });
    for (const [own, given] of assignments) own.assign(given);
    this.paramGroups.forEach((group, i) => {
      group.counts.load(counts[i]!);
      group.lr = paramGroups[i]!.lr;
    });
  }
}
