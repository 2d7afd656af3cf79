/** What is being recorded: whether gradients are tracked, and the trace of a function being compiled, if any. */

import type { TypeSpec, Value } from "./graph/node.ts";
import { source } from "./ops/leaf.ts";

/** What a trace needs to know of a tensor. */
export interface Traceable extends TypeSpec {
  readonly requiresGrad: boolean;
}

/** Gradient slot of a tensor: what `.grad` was when the trace first looked, and is now. */
interface GradSlot<T> {
  readonly before: T | null;
  now: T | null;
}

/** A tensor from outside that a traced function uses: read at every run, and assigned when `current` has changed. */
export interface Captured {
  /** Stands for the tensor's elements at the start of a run. */
  readonly placeholder: Value;
  current: Value;
}

/** Values of leaves that collect gradients, and the tensors they belong to. */
const leaves = new WeakMap<Value, Traceable>();

export const leafOf = (value: Value): Traceable | undefined => leaves.get(value);
export const markLeaf = (value: Value, tensor: Traceable): void => void leaves.set(value, tensor);

let upheavals = 0;

/** Makes all recordings so far invalid, for a change of what they could not watch. */
export const outdateTraces = (): void => void upheavals++;

const untilUpheaval = (): (() => boolean) => {
  const before = upheavals;
  return () => upheavals === before;
};

/** The recording of one call of a function, from which `compile` makes a program. */
export class Trace<T extends Traceable = Traceable> {
  readonly captured = new Map<T, Captured>();
  readonly grads = new Map<T, GradSlot<T>>();
  /** Conditions on the world outside under which the recording stays true, e.g. that a module is in training mode. */
  readonly guards: (() => boolean)[] = [untilUpheaval()];

  capture(tensor: T): Captured {
    let entry = this.captured.get(tensor);
    if (entry === undefined) {
      const placeholder = source({ dtype: tensor.dtype, shape: tensor.shape });
      if (tensor.requiresGrad) markLeaf(placeholder, tensor);
      entry = { placeholder, current: placeholder };
      this.captured.set(tensor, entry);
    }
    return entry;
  }
}

let active: Trace | null = null;
let gradEnabled = true;

export const activeTrace = (): Trace | null => active;
export const isGradEnabled = (): boolean => gradEnabled;

/** Records what `record` does into a trace. Must not be asynchronous. */
export function withTrace<R>(trace: Trace, record: () => R): R {
  const outer = active;
  active = trace;
  try {
    return record();
  } finally {
    active = outer;
  }
}

function withGradMode<R>(enabled: boolean, record: () => R): R {
  const outer = gradEnabled;
  gradEnabled = enabled;
  let result: R;
  try {
    result = record();
  } finally {
    gradEnabled = outer;
  }
  if (result instanceof Promise) {
    // Its own error, if any, is told by nobody any more.
    result.catch(() => undefined);
    throw new Error(
      "noGrad: the function must not be async, since other code would run without gradients meanwhile; await outside of it",
    );
  }
  return result;
}

/** Runs `record` without tracking gradients: torch.no_grad. */
export const noGrad = <R>(record: () => R): R => withGradMode(false, record);

/** Runs `record` with gradients tracked, inside noGrad too: torch.enable_grad. */
export const enableGrad = <R>(record: () => R): R => withGradMode(true, record);

/** Makes the trace being recorded, if any, valid only while `holds` is true. */
export const guard = (holds: () => boolean): void => void active?.guards.push(holds);
