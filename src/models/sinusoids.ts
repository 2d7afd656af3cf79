/** Sinusoidal positions (Vaswani et al., 2017, section 3.5) as a constant of the program. */

import { tensor } from "../creation.ts";
import type { Tensor } from "../tensor.ts";

/** [length, dModel]: sin(t / 10000^(2i/D)) in column 2i, the cosine of the same in 2i + 1. */
export function sinusoids(length: number, dModel: number): Tensor {
  const table = new Float32Array(length * dModel);
  for (let t = 0; t < length; t++)
    for (let c = 0; c < dModel; c++) {
      const angle = t / 10000 ** ((c - (c % 2)) / dModel);
      table[t * dModel + c] = c % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    }
  return tensor(table, { shape: [length, dModel] });
}
