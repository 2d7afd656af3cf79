/** Where in-place random fills take their randomness from: the default generator, which is made of tensors itself. */

import type { Value } from "../graph/node.ts";

/** What gives the state for one draw after the other: a `Generator`. */
export interface Draws {
  /** @internal */
  draw(): Value;
}

let standard: Draws;

/** Says what is drawn from where no generator is given. */
export const drawFrom = (generator: Draws): void => void (standard = generator);

/** The state for one draw. */
export const drawnState = (generator: Draws = standard): Value => generator.draw();
