/** One- and two-dimensional, batched and single inputs as the [N, C, H, W] that operations on windows take. */

import type { Value } from "../../graph/node.ts";
import { formatShape, ShapeError } from "../../graph/shape.ts";
import { reshape } from "../../ops/shape.ts";
import type { Pair } from "../../ops/windows.ts";
import { deriveAll, type Tensor } from "../../tensor.ts";

/** Options of an operation over two dimensions as one over one takes them: pairs are numbers. */
export type OneDimensional<O> = {
  readonly [K in keyof O]: Pair extends O[K] ? Exclude<O[K], readonly unknown[]> : O[K];
};

const MARGINS = ["padding", "outputPadding"];

/** n of the one dimension as [height, width]: 1 × n, or no margin × n. */
export const row = (n: number): Pair => [1, n];

/** Options of one dimension as those of images of height 1. */
export function rowOptions<O extends object>(options: OneDimensional<O>): O {
  const pairs = ["stride", "dilation", ...MARGINS];
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [
      key,
      typeof value === "number" && pairs.includes(key)
        ? [MARGINS.includes(key) ? 0 : 1, value]
        : value,
    ]),
  ) as O;
}

/**
 * Records `record` on x, which has `spatial` dimensions behind [N, C] or [C], as [N, C, H, W], and on kernels as
 * [O, C, kh, kw]; the results have x's form again.
 */
export function onImages(
  op: string,
  spatial: 1 | 2,
  [x, weight, bias]: readonly [x: Tensor, weight?: Tensor, bias?: Tensor | null],
  record: (image: Value, weight: Value, bias: Value | null) => readonly Value[],
): Tensor[] {
  const sizes = spatial === 1 ? "L" : "H,W";
  if (x.ndim !== spatial + 2 && x.ndim !== spatial + 1)
    throw new ShapeError(
      `${op}: the input must be [N,C,${sizes}] or [C,${sizes}], got ${formatShape(x.shape)}`,
    );
  if (weight !== undefined && weight.ndim !== spatial + 2)
    throw new ShapeError(
      `${op}: the weight must have ${spatial + 2} dimensions, got ${formatShape(weight.shape)}`,
    );
  const batched = x.ndim === spatial + 2;
  const tensors = [x, weight, bias].filter((t) => t !== undefined && t !== null);
  return deriveAll(tensors, ([vx, vw, vb]) => {
    const lead = batched ? vx!.shape.slice(0, 2) : [1, vx!.shape[0]!];
    const size = vx!.shape.slice(-spatial);
    const image = reshape(vx!, [...lead, ...(spatial === 1 ? [1] : []), ...size]);
    const kernel =
      vw === undefined || spatial === 2
        ? vw!
        : reshape(vw, [...vw.shape.slice(0, 2), 1, vw.shape[2]!]);
    return record(image, kernel, vb ?? null).map((y) =>
      reshape(y, [...y.shape.slice(batched ? 0 : 1, 2), ...y.shape.slice(-spatial)]),
    );
  });
}
