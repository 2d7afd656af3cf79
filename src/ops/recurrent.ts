/** What the recurrent operations share: the rows of a sequence's steps, in the order in which they are computed. */

import type { TypeSpec, Value } from "../graph/node.ts";
import type { Emitter } from "../graph/op.ts";
import { formatShape, numel, ShapeError } from "../graph/shape.ts";
import { add, mul, sub } from "./elementwise.ts";
import { concat, slice } from "./shape.ts";
import { split } from "./split.ts";

/**
 * A sequence of `steps` states of a batch of B lies in rows: step t of sequence b is row t·B + b. One operation computes all
 * steps, so that what does not depend on the order is done once for all of them, gradients of weights above all.
 */
export interface RecurrentAttrs {
  readonly steps: number;
  /** From the last step to the first. */
  readonly reverse: boolean;
}

/** The steps in the order in which they are computed. */
export function stepOrder({ steps, reverse }: RecurrentAttrs): number[] {
  const order = Array.from({ length: steps }, (_, t) => t);
  return reverse ? order.reverse() : order;
}

/** Checks the operands of a recurrence with `gates` units for each element of the state; returns the state's size. */
export function checkRecurrent(
  name: string,
  [x, w, h]: readonly Value[],
  gates: number,
  { steps }: RecurrentAttrs,
): number {
  const [rows, width] = x!.shape as [number, number];
  const batch = h!.shape[0]!;
  const fits =
    x!.shape.length === 2 &&
    h!.shape.length === 2 &&
    rows === batch * steps &&
    w!.shape.length === 2 &&
    w!.shape[0] === width &&
    width % gates === 0 &&
    w!.shape[1] === h!.shape[1];
  if (!fits)
    throw new ShapeError(
      `${name}: inputs [steps·batch, ${gates}·hidden], weight [${gates}·hidden, state] and state [batch, state] do not fit ` +
        `together, got ${formatShape(x!.shape)}, ${formatShape(w!.shape)} and ${formatShape(h!.shape)} for ${steps} steps`,
    );
  return width / gates;
}

/** Of the products of states and weights. */
export const recurrentFlops = (
  [, w, h]: readonly TypeSpec[],
  _: unknown,
  { steps }: RecurrentAttrs,
): number => 2 * numel(w!.shape) * h!.shape[0]! * steps;

/** The rows of each step, by name. */
export function stepRows(emit: Emitter, x: string, steps: number, rows: number): readonly string[] {
  if (steps === 1) return [x];
  const sizes = new Array<number>(steps).fill(rows / steps);
  // A shader has eight buffers.
  if (!emit.target.gpu)
    return emit.nodes("Split", [x, emit.ints(sizes)], steps, { axis: { int: 0 } });
  return sizes.map((size, t) =>
    emit.node("Slice", [x, emit.ints([t * size]), emit.ints([(t + 1) * size]), emit.ints([0])]),
  );
}

/** Rows of all steps, one below the other, by name. */
export const joinRows = (emit: Emitter, steps: readonly string[]): string =>
  steps.length === 1 ? steps[0]! : emit.node("Concat", steps, { axis: { int: 0 } });

/** The rows of each step. */
export const stepsOf = (x: Value, { steps }: RecurrentAttrs): readonly Value[] =>
  split(x, new Array<number>(steps).fill(x.shape[0]! / steps), 0);

/** The states before each step: `first` and all but the last one computed. */
export function statesBefore(
  states: Value,
  first: Value,
  { steps, reverse }: RecurrentAttrs,
): Value {
  if (steps === 1) return first;
  const batch = first.shape[0]!;
  return reverse
    ? concat([slice(states, 0, batch), first], 0)
    : concat([first, slice(states, 0, 0, -batch)], 0);
}

/** The sum of those that are there. */
export function sumOf(...terms: readonly (Value | null | undefined)[]): Value | null {
  const there = terms.filter((term) => term !== null && term !== undefined);
  return there.length === 0 ? null : there.reduce(add);
}

/** The derivatives of the logistic function and of tanh, by their values. */
export const sigmoidSlope = (y: Value): Value => mul(y, sub(1, y));
export const tanhSlope = (y: Value): Value => sub(1, mul(y, y));
