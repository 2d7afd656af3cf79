/** Initial values of parameters: torch.nn.init. */

import { normal, uniform, type RandomOptions } from "../random.ts";
import type { Shape } from "../graph/shape.ts";
import type { Tensor } from "../tensor.ts";

/** Inputs and outputs of one unit of a weight [out, in, …kernel]. */
export function fans(shape: Shape): { fanIn: number; fanOut: number } {
  if (shape.length < 2)
    throw new Error(`init: fans need a weight of at least 2 dimensions, got [${shape.join()}]`);
  const receptive = shape.slice(2).reduce((a, b) => a * b, 1);
  return { fanIn: shape[1]! * receptive, fanOut: shape[0]! * receptive };
}

/** U(−b, b) with b = gain √(6 / (fanIn + fanOut)) (Glorot and Bengio, 2010). */
export function xavierUniform(shape: Shape, gain = 1, options: RandomOptions = {}): Tensor {
  const { fanIn, fanOut } = fans(shape);
  const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
  return uniform(shape, -bound, bound, options);
}

/** N(0, gain² · 2 / (fanIn + fanOut)). */
export function xavierNormal(shape: Shape, gain = 1, options: RandomOptions = {}): Tensor {
  const { fanIn, fanOut } = fans(shape);
  return normal(0, gain * Math.sqrt(2 / (fanIn + fanOut)), shape, options);
}

/** U(−b, b) with b = √(6 / ((1 + a²) fanIn)), for leaky ReLU with negative slope a (He et al., 2015). */
export function kaimingUniform(shape: Shape, a = 0, options: RandomOptions = {}): Tensor {
  const bound = Math.sqrt(6 / ((1 + a * a) * fans(shape).fanIn));
  return uniform(shape, -bound, bound, options);
}

/** N(0, 2 / ((1 + a²) fanIn)). */
export function kaimingNormal(shape: Shape, a = 0, options: RandomOptions = {}): Tensor {
  return normal(0, Math.sqrt(2 / ((1 + a * a) * fans(shape).fanIn)), shape, options);
}
