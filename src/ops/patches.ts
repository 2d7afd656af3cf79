/** Patches of images as columns and back, the matrix form of convolution: im2col and its adjoint. */

import type { Value } from "../graph/node.ts";
import { formatShape, numel, ShapeError } from "../graph/shape.ts";
import { indexSelect } from "./indexing.ts";
import { zerosLike } from "./leaf.ts";
import { fixedPositions } from "./rearrange.ts";
import { indexAdd } from "./scatter.ts";
import { pad, permute, reshape, slice } from "./shape.ts";
import { countWindows, two, type Pair, type Two, type Windows } from "./windows.ts";

/** How patches lie over an image. */
export interface PatchOptions {
  /** Distance of patches; 1 unless given. */
  readonly stride?: Pair;
  /** Zeros around the image; 0 unless given. */
  readonly padding?: Pair;
  /** Distance of elements within a patch; 1 unless given. */
  readonly dilation?: Pair;
}

interface Grid extends Windows {
  readonly kernel: Two;
  /** Rows and columns of patches. */
  readonly counts: Two;
}

function gridOf(op: string, size: Two, kernelSize: Pair, options: PatchOptions): Grid {
  const kernel = two(op, "kernelSize", kernelSize, 1);
  const margin = two(op, "padding", options.padding ?? 0, 0);
  const windows: Windows = {
    stride: two(op, "stride", options.stride ?? 1, 1),
    dilation: two(op, "dilation", options.dilation ?? 1, 1),
    before: margin,
    after: margin,
  };
  const count = (i: 0 | 1): number => countWindows(size[i], kernel[i], windows, i);
  const counts: Two = [count(0), count(1)];
  if (counts.some((n) => n < 1))
    throw new ShapeError(
      `${op}: a kernel of ${formatShape(kernel)} does not fit into an image of ${formatShape(size)} with its padding`,
    );
  return { ...windows, kernel, counts };
}

/** Where element k of patch o lies along dimension i of the padded image, in the order [k, o]. */
function positions({ kernel, counts, stride, dilation }: Grid, i: 0 | 1): number[] {
  return Array.from({ length: kernel[i] * counts[i] }, (_, at) => {
    const [k, o] = [Math.floor(at / counts[i]), at % counts[i]];
    return o * stride[i] + k * dilation[i];
  });
}

/** Patches of x [N, C, H, W] as columns [N, C·kh·kw, patches]: torch.nn.functional.unfold. */
export function unfoldImage(x: Value, kernelSize: Pair, options: PatchOptions): Value {
  const [n, c, h, w] = x.shape as readonly [number, number, number, number];
  const grid = gridOf("unfold", [h, w], kernelSize, options);
  const [[kh, kw], [oh, ow], margin] = [grid.kernel, grid.counts, [0, 0, ...grid.before]];
  const rows = fixedPositions(positions(grid, 0), [kh, oh]);
  const columns = fixedPositions(positions(grid, 1), [kw, ow]);
  // [N, C, kh, oh, kw, ow]
  const picked = indexSelect(indexSelect(pad(x, margin, margin), 2, rows), 4, columns);
  return reshape(permute(picked, [0, 1, 2, 4, 3, 5]), [n, c * kh * kw, oh * ow]);
}

/** Columns [N, C·kh·kw, patches] added up where their patches lie in [N, C, H, W]: torch.nn.functional.fold. */
export function foldImage(
  x: Value,
  outputSize: Pair,
  kernelSize: Pair,
  options: PatchOptions,
): Value {
  const [h, w] = two("fold", "outputSize", outputSize, 1);
  const grid = gridOf("fold", [h, w], kernelSize, options);
  const [[kh, kw], [oh, ow], [top, left]] = [grid.kernel, grid.counts, grid.before];
  const [n, rows, patches] = x.shape as readonly [number, number, number];
  if (rows % (kh * kw) !== 0 || patches !== oh * ow)
    throw new ShapeError(
      `fold: needs columns [N, C · ${kh * kw}, ${oh * ow}] for ${oh} × ${ow} patches of ${kh} × ${kw}, got ${formatShape(x.shape)}`,
    );
  const c = rows / (kh * kw);
  const parts = permute(reshape(x, [n, c, kh, kw, oh, ow]), [0, 1, 2, 4, 3, 5]);
  const wide = addedUp(
    reshape(parts, [n, c, kh * oh, kw * ow]),
    3,
    w + 2 * left,
    positions(grid, 1),
  );
  const whole = addedUp(wide, 2, h + 2 * top, positions(grid, 0));
  return slice(slice(whole, 2, top, top + h), 3, left, left + w);
}

/** Slices of x added up at `places` of a dimension of `size`. */
function addedUp(x: Value, dim: number, size: number, places: readonly number[]): Value {
  const shape = x.shape.map((n, i) => (i === dim ? size : n));
  if (numel(x.shape) === 0) return zerosLike({ shape, dtype: x.dtype });
  return indexAdd(zerosLike({ shape, dtype: x.dtype }), dim, fixedPositions(places), x);
}
