/** State dicts of optimizers and schedules, and their translation to PyTorch's spelling and back. */

import { Tensor } from "../tensor.ts";

/** What an optimizer keeps for one parameter, by PyTorch's names. */
export type ParameterState = Readonly<Record<string, Tensor>>;

/** torch's optimizer state dict: state by parameter number, groups with their options. */
export interface OptimizerState {
  readonly state: Readonly<Record<number, ParameterState>>;
  readonly paramGroups: readonly ({
    readonly params: readonly number[];
    readonly lr: number;
  } & Record<string, unknown>)[];
}

/** The same as PyTorch spells it, e.g. read from a `.pt` file. */
export interface TorchOptimizerState {
  readonly state: Readonly<Record<number, Readonly<Record<string, Tensor | number | null>>>>;
  readonly param_groups: readonly Readonly<Record<string, unknown>>[];
}

/** Under this ending a state dict has what rounding took from a tensor: value − (value · unit) / unit. PyTorch ignores it. */
export const REST = "_rest";

/** A kept tensor in PyTorch's unit, with its rest: the difference of two close numbers, which is exact like their sum. */
export const exported = (name: string, own: Tensor, unit: number): Record<string, Tensor> =>
  unit === 1
    ? { [name]: own }
    : { [name]: own.mul(unit), [name + REST]: own.sub(own.mul(unit).div(unit)) };

/** PyTorch's attributes whose names do not follow from ours. */
const SPECIAL: Readonly<Record<string, string>> = {
  lastLr: "_last_lr",
  stepCount: "_step_count",
  schedulers: "_schedulers",
  tCur: "T_cur",
  tI: "T_i",
};

const snake = (name: string): string =>
  SPECIAL[name] ?? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const camel = (name: string): string => {
  const special = Object.entries(SPECIAL).find(([, torch]) => torch === name);
  return special?.[0] ?? name.replace(/(?<=.)_(.)/g, (_, letter: string) => letter.toUpperCase());
};

const renamed = (rename: (name: string) => string, entries: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(entries).map(([key, value]: [string, unknown]) => [
      rename(key),
      Array.isArray(value) ? value.map((item) => renamedItem(rename, item)) : value,
    ]),
  );

/** Lists hold numbers, names, or the state dicts of a schedule's parts. */
const renamedItem = (rename: (name: string) => string, item: unknown): unknown =>
  typeof item === "object" && item !== null ? renamed(rename, item) : item;

/** A group's options or a schedule's state, with names as here. */
export const fromTorchNames = (entries: object): Record<string, unknown> => renamed(camel, entries);

/** A schedule's state dict with PyTorch's names, for its `load_state_dict`. */
export const toTorchNames = (entries: object): Record<string, unknown> => renamed(snake, entries);

/** An optimizer's state dict as PyTorch's `load_state_dict` takes it: its names, and only the tensors it knows. */
export const toTorchState = ({ state, paramGroups }: OptimizerState): TorchOptimizerState => ({
  state: Object.fromEntries(
    Object.entries(state).map(([number, entry]) => [
      number,
      Object.fromEntries(Object.entries(entry).filter(([name]) => !name.endsWith(REST))),
    ]),
  ),
  param_groups: paramGroups.map(toTorchNames),
});

/** The state dict that either form means. Entries that say nothing, as torch.optim.SGD's without momentum, are left out. */
export function fromTorchState(given: OptimizerState | TorchOptimizerState): OptimizerState {
  if (!("param_groups" in given)) return given;
  const state: Record<number, ParameterState> = {};
  for (const [number, entry] of Object.entries(given.state)) {
    const known = Object.entries(entry).flatMap(([name, value]) =>
      value instanceof Tensor ? [[name, value] as const] : [],
    );
    if (known.length > 0) state[Number(number)] = Object.fromEntries(known);
  }
  return {
    state,
    paramGroups: given.param_groups.map(fromTorchNames) as unknown as OptimizerState["paramGroups"],
  };
}
