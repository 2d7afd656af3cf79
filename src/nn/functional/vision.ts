/** Sizes of images: padding, resizing, and exchanging channels for pixels. */

import { adaptiveAvgPool } from "../../ops/adaptive-pool.ts";
import { formatShape, ShapeError, type Shape } from "../../graph/shape.ts";
import { linear, nearest, type Resampling } from "../../ops/interpolate.ts";
import { padWith, type PadMode } from "../../ops/pad-modes.ts";
import { pad as padValue, slice } from "../../ops/shape.ts";
import { derive, type Tensor } from "../../tensor.ts";
import { checkOptions } from "../../tensor/arguments.ts";
import { onImages } from "./images.ts";

/** What padding consists of. */
export interface PadOptions {
  /** `constant` unless given; `reflect`, `replicate` and `circular` continue the tensor itself. */
  readonly mode?: "constant" | PadMode;
  /** What is added in the mode `constant`; 0 unless given. */
  readonly value?: number;
}

/**
 * Adds elements at both ends of the last dimensions: `padding` is [left, right, top, bottom, …], the last dimension first.
 * Negative amounts cut. https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pad.html
 */
export function pad(x: Tensor, padding: readonly number[], options: PadOptions = {}): Tensor {
  const { mode = "constant", value = 0 } = checkOptions("pad", options, ["mode", "value"]);
  const dims = padding.length / 2;
  if (!Number.isInteger(dims) || dims > x.ndim || padding.some((n) => !Number.isInteger(n)))
    throw new ShapeError(
      `pad: needs two integers for each of at most ${x.ndim} dimensions, got ${formatShape(padding)}`,
    );
  const amounts = Array.from({ length: dims }, (_, i) => {
    const [before, after] = padding.slice(2 * i, 2 * i + 2) as [number, number];
    return { dim: x.ndim - 1 - i, before, after };
  });
  for (const { dim, before, after } of amounts) checkAmounts(mode, x.shape, dim, before, after);
  if (mode === "constant") return padConstant(x, amounts, value);
  return derive([x], ([v]) =>
    amounts.reduce(
      (y, { dim, before, after }) =>
        before === 0 && after === 0 ? y : padWith(mode, y, dim, before, after),
      v!,
    ),
  );
}

interface Amounts {
  readonly dim: number;
  readonly before: number;
  readonly after: number;
}

function checkAmounts(
  mode: string,
  shape: Shape,
  dim: number,
  before: number,
  after: number,
): void {
  const size = shape[dim]!;
  const limits: Record<string, number> = {
    constant: Infinity,
    replicate: size === 0 ? 0 : Infinity,
    reflect: size - 1,
    circular: size,
  };
  const most = limits[mode];
  if (most === undefined)
    throw new ShapeError(`pad: unknown mode "${mode}", expected ${Object.keys(limits).join(", ")}`);
  const least = mode === "constant" ? -Infinity : 0;
  const wrong = Math.min(before, after) < least || Math.max(before, after) > most;
  if (wrong || size + before + after < 0)
    throw new ShapeError(
      `pad: ${before} and ${after} do not fit dimension ${dim} of ${formatShape(shape)} in the mode "${mode}"`,
    );
}

function padConstant(x: Tensor, amounts: readonly Amounts[], value: number): Tensor {
  const before = x.shape.map(() => 0);
  const after = x.shape.map(() => 0);
  return derive([x], ([v]) => {
    let y = v!;
    for (const amount of amounts) {
      const { dim } = amount;
      const size = y.shape[dim]!;
      y = slice(y, dim, Math.max(0, -amount.before), size - Math.max(0, -amount.after));
      before[dim] = Math.max(0, amount.before);
      after[dim] = Math.max(0, amount.after);
    }
    return padValue(y, before, after, value);
  });
}

/** Options of {@link interpolate}. */
export interface InterpolateOptions {
  /** Size of the last dimensions, one number for all; or `scaleFactor`. */
  readonly size?: number | readonly number[];
  readonly scaleFactor?: number | readonly number[];
  /** `linear` is for [N,C,L], `bilinear` for [N,C,H,W]. */
  readonly mode?: "nearest" | "linear" | "bilinear" | "area";
  /** The centres of the corner elements stay where they are. */
  readonly alignCorners?: boolean;
  /** Take the scale from the sizes rather than from `scaleFactor`, where that is no whole result. */
  readonly recomputeScaleFactor?: boolean;
}

/**
 * Resizes x [N,C,L] or [N,C,H,W]: torch.nn.functional.interpolate.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  const {
    size,
    scaleFactor,
    mode = "nearest",
    alignCorners,
    recomputeScaleFactor,
  } = checkOptions("interpolate", options, [
    "size",
    "scaleFactor",
    "mode",
    "alignCorners",
    "recomputeScaleFactor",
  ]);
  const spatial = x.ndim - 2;
  const needed = { nearest: spatial, area: spatial, linear: 1, bilinear: 2 }[mode] as
    number | undefined;
  if (needed === undefined)
    throw new ShapeError(
      `interpolate: unknown mode "${mode}", expected nearest, linear, bilinear or area`,
    );
  if ((spatial !== 1 && spatial !== 2) || needed !== spatial)
    throw new ShapeError(
      `interpolate: the mode "${mode}" is for inputs ${needed === 1 ? "[N,C,L]" : "[N,C,H,W]"}, got ${formatShape(x.shape)}`,
    );
  if (alignCorners !== undefined && (mode === "nearest" || mode === "area"))
    throw new ShapeError(`interpolate: alignCorners is for the modes linear and bilinear`);
  if ((size === undefined) === (scaleFactor === undefined))
    throw new ShapeError("interpolate: needs either size or scaleFactor");
  const wanted = (size ?? scaleFactor)!;
  const list = typeof wanted === "number" ? Array.from({ length: spatial }, () => wanted) : wanted;
  if (list.length !== spatial)
    throw new ShapeError(
      `interpolate: needs ${spatial} numbers for ${formatShape(x.shape)}, got ${formatShape(list)}`,
    );
  const targets = list.map((given, i): Resampling => {
    const from = x.shape[2 + i]!;
    const to = size === undefined ? Math.floor(from * given) : given;
    if (!Number.isInteger(to) || to < 1)
      throw new ShapeError(`interpolate: the new size must be a positive integer, got ${to}`);
    const byScale = size === undefined && recomputeScaleFactor !== true;
    const step = byScale ? 1 / given : from / to;
    if (!alignCorners) return { size: to, step };
    return { size: to, step: to > 1 ? (from - 1) / (to - 1) : 0, alignCorners };
  });
  return onImages("interpolate", spatial, [x], (v) => {
    const [rows, columns] = spatial === 1 ? [{ size: 1, step: 1 }, targets[0]!] : targets;
    const to = [rows!, columns!] as const;
    if (mode === "area") return [adaptiveAvgPool("interpolate", v, [to[0].size, to[1].size])];
    return [mode === "nearest" ? nearest(v, to) : linear(v, to)];
  })[0]!;
}

/** x [..., C·r², H, W] → [..., C, H·r, W·r] (Shi et al., 2016). */
export function pixelShuffle(x: Tensor, upscaleFactor: number): Tensor {
  const r = checkFactor("pixelShuffle", x, upscaleFactor);
  const [c, h, w] = x.shape.slice(-3) as [number, number, number];
  if (c % (r * r) !== 0)
    throw new ShapeError(
      `pixelShuffle: the channels must split into groups of ${r * r}, got ${formatShape(x.shape)}`,
    );
  const lead = x.shape.slice(0, -3);
  return x
    .reshape([-1, r, r, h, w])
    .permute([0, 3, 1, 4, 2])
    .reshape([...lead, c / (r * r), h * r, w * r]);
}

/** x [..., C, H·r, W·r] → [..., C·r², H, W]: what pixelShuffle undoes. */
export function pixelUnshuffle(x: Tensor, downscaleFactor: number): Tensor {
  const r = checkFactor("pixelUnshuffle", x, downscaleFactor);
  const [c, h, w] = x.shape.slice(-3) as [number, number, number];
  if (h % r !== 0 || w % r !== 0)
    throw new ShapeError(
      `pixelUnshuffle: height and width must be multiples of ${r}, got ${formatShape(x.shape)}`,
    );
  const lead = x.shape.slice(0, -3);
  return x
    .reshape([-1, h / r, r, w / r, r])
    .permute([0, 2, 4, 1, 3])
    .reshape([...lead, c * r * r, h / r, w / r]);
}

function checkFactor(op: string, x: Tensor, factor: number): number {
  if (!Number.isInteger(factor) || factor < 1)
    throw new ShapeError(`${op}: the factor must be a positive integer, got ${factor}`);
  if (x.ndim < 3)
    throw new ShapeError(`${op}: the input must be [...,C,H,W], got ${formatShape(x.shape)}`);
  return factor;
}
