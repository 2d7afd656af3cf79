/** Modules that hold modules. */

import type { Tensor } from "../tensor.ts";
import { Layer } from "./layer.ts";
import type { Module } from "./module.ts";

/** Layers one after another; state-dict keys are `0.weight`, `1.weight`, …: torch.nn.Sequential. */
export class Sequential extends Layer {
  readonly layers: readonly Layer[];

  constructor(...layers: Layer[]) {
    super();
    this.layers = layers;
  }

  override *namedChildren(): Generator<[string, Module]> {
    for (const [i, layer] of this.layers.entries()) yield [String(i), layer];
  }

  forward(x: Tensor): Tensor {
    return this.layers.reduce((y, layer) => layer.forward(y), x);
  }
}
