/** Tensors for tests that need neither fixtures nor random numbers. */
import { tensor, type Tensor } from "../../src/index.ts";

/** Deterministic elements without symmetry. */
export const filled = (shape: readonly number[], seed: number, scale = 0.5): Tensor =>
  tensor(
    Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      (_, i) => scale * Math.sin(12.9898 * (i + 1) + seed),
    ),
    { shape },
  );
