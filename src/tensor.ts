/** `Tensor`: the handle a user holds on a value of the graph. Operations record; reading a value computes. */

import { makeTensorsWith } from "./tensor/derive.ts";
import { InPlaceMethods } from "./tensor/in-place.ts";

export type { Dims, KeepdimOptions, ReduceOptions, ShapeArguments } from "./tensor/arguments.ts";
export type { BackwardOptions } from "./tensor/core.ts";
export type { Index, PutOptions, Unique } from "./tensor/selecting.ts";
export { derive, deriveAll, type TensorLike } from "./tensor/derive.ts";

/**
 * An n-dimensional array with a dtype, computed when it is read. Made by `tensor`, `zeros`, `randn`, …
 *
 * Its methods stand in `src/tensor/`, one family a file, each a class that extends the one before.
 */
export class Tensor extends InPlaceMethods {}

makeTensorsWith((value, requiresGrad, leaf) => new Tensor(value, requiresGrad, leaf));
