/** Patches of images as columns, and columns put back: torch.nn.functional.unfold and fold. */

import { formatShape, ShapeError } from "../../graph/shape.ts";
import { foldImage, unfoldImage, type PatchOptions } from "../../ops/patches.ts";
import type { Pair } from "../../ops/windows.ts";
import type { Tensor } from "../../tensor.ts";
import { checkOptions } from "../../tensor/arguments.ts";
import { unary } from "../../tensor/derive.ts";

export type { PatchOptions };

const OPTIONS = ["stride", "padding", "dilation"];

/** A batch of the tensor, or of it alone where it has one dimension less. */
function batched(op: string, x: Tensor, rank: number, run: (batch: Tensor) => Tensor): Tensor {
  if (x.ndim !== rank && x.ndim !== rank - 1)
    throw new ShapeError(
      `${op}: the input must have ${rank} dimensions, or ${rank - 1} without a batch, got ${formatShape(x.shape)}`,
    );
  return x.ndim === rank ? run(x) : run(x.unsqueeze(0)).squeeze(0);
}

/**
 * Patches of images as columns: [N, C, H, W] → [N, C·kh·kw, patches].
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.unfold.html
 */
export function unfold(input: Tensor, kernelSize: Pair, options: PatchOptions = {}): Tensor {
  checkOptions("unfold", options, OPTIONS);
  return batched("unfold", input, 4, (images) =>
    unary(images, (x) => unfoldImage(x, kernelSize, options)),
  );
}

/**
 * Columns added up where their patches lie: [N, C·kh·kw, patches] → [N, C, H, W], with [H, W] as `outputSize`.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.fold.html
 */
export function fold(
  input: Tensor,
  outputSize: Pair,
  kernelSize: Pair,
  options: PatchOptions = {},
): Tensor {
  checkOptions("fold", options, OPTIONS);
  return batched("fold", input, 3, (columns) =>
    unary(columns, (x) => foldImage(x, outputSize, kernelSize, options)),
  );
}
