/** Connectionist temporal classification: labels without times, against scores for every step. */

import { tensor } from "../../creation.ts";
import { formatShape, sameShape, ShapeError } from "../../graph/shape.ts";
import { ctcLoss as ctcLossOf } from "../../ops/ctc.ts";
import { derive, type Tensor } from "../../tensor.ts";
import { checkOptions } from "../../tensor/arguments.ts";
import { checkFloats, checkReduction, reduceLoss, type LossOptions } from "./loss-options.ts";
import { needIntegers } from "./positions.ts";

/** Options of {@link ctcLoss}. */
export interface CtcOptions extends LossOptions {
  /** The class that stands for no label; 0 unless given. */
  readonly blank?: number;
  /** Make infinite losses, of inputs too short for their targets, and their gradients 0. */
  readonly zeroInfinity?: boolean;
}

/** Lengths of the sequences of a batch: numbers, or an integer tensor [N]. */
export type Lengths = Tensor | readonly number[] | number;

const OP = "ctcLoss";

/**
 * −log of the probability of the target labels, over all alignments with the input (Graves et al., 2006):
 * log-probabilities [T, N, C], targets [N, S] or one behind the other in one dimension (with targetLengths as numbers), and
 * N lengths of inputs and targets; or [T, C], [S], and a length each. "mean" divides each loss by its target's length and
 * takes the mean. A program has about 20 operations a step. No second derivatives, as in PyTorch; gradients suppose, as
 * PyTorch's, that the log-probabilities come from logSoftmax. Reading the result fails where a label is no class.
 * https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.ctc_loss.html
 */
export function ctcLoss(
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: Lengths,
  targetLengths: Lengths,
  options: CtcOptions = {},
): Tensor {
  const {
    blank = 0,
    reduction = "mean",
    zeroInfinity = false,
  } = checkOptions("ctcLoss", options, ["blank", "reduction", "zeroInfinity"]);
  checkReduction(OP, reduction);
  checkFloats(OP, { logProbs });
  needIntegers(OP, "targets", targets);
  const single = logProbs.ndim === 2;
  const scores = single ? logProbs.unsqueeze(1) : logProbs;
  if (scores.ndim !== 3 || scores.size === 0)
    throw new ShapeError(
      `${OP}: needs log-probabilities [T, N, C] or [T, C], none of them 0, got ${formatShape(logProbs.shape)}`,
    );
  const [steps, batch, classes] = scores.shape as [number, number, number];
  if (!Number.isInteger(blank) || blank < 0 || blank >= classes)
    throw new Error(`${OP}: blank must be a class, 0 … ${classes - 1}, got ${blank}`);
  const inputs = lengthsOf("inputLengths", inputLengths, batch, steps);
  const rows = single && targets.ndim === 1 ? targets.unsqueeze(0) : targets;
  const most = rows.ndim === 1 ? Infinity : (rows.shape.at(-1) ?? 0);
  const counts = lengthsOf("targetLengths", targetLengths, batch, most);
  const labels = labelsOf(rows, targetLengths, batch).cast("int32");
  const losses = derive([scores, labels, inputs, counts], ([x, l, from, to]) =>
    ctcLossOf(x!, l!, from!, to!, { blank, zeroInfinity }),
  );
  const finite = zeroInfinity ? losses.maskedFill(losses.isInf(), 0) : losses;
  const shaped = single ? finite.squeeze(0) : finite;
  if (reduction !== "mean") return reduceLoss(OP, shaped, reduction);
  return finite.div(counts.cast(finite.dtype).clamp(1)).mean();
}

/** Lengths as int32 [N]; numbers are checked. */
function lengthsOf(name: string, lengths: Lengths, batch: number, most: number): Tensor {
  if (typeof lengths === "object" && "dtype" in lengths) {
    needIntegers(OP, name, lengths);
    if (!sameShape(lengths.shape, [batch]) && !(batch === 1 && lengths.ndim === 0))
      throw new ShapeError(
        `${OP}: ${name} must have one element a sequence, [${batch}], got ${formatShape(lengths.shape)}`,
      );
    return lengths.cast("int32").reshape([batch]);
  }
  const list = numbersOf(lengths);
  if (list.length !== batch)
    throw new ShapeError(
      `${OP}: ${name} must have one element a sequence, ${batch}, got ${list.length}`,
    );
  const odd = list.find((length) => !Number.isInteger(length) || length < 0 || length > most);
  if (odd !== undefined)
    throw new ShapeError(
      `${OP}: ${name} must be integers ${most === Infinity ? "of at least 0" : `0 … ${most}`}, got ${odd}`,
    );
  return tensor(Int32Array.from(list));
}

const numbersOf = (lengths: readonly number[] | number): readonly number[] =>
  typeof lengths === "number" ? [lengths] : lengths;

/** Targets as rows [N, S]. */
function labelsOf(targets: Tensor, lengths: Lengths, batch: number): Tensor {
  if (targets.ndim === 2 && targets.shape[0] === batch) return targets;
  if (targets.ndim !== 1)
    throw new ShapeError(
      `${OP}: needs targets [${batch}, S], or all labels in one dimension, got ${formatShape(targets.shape)}`,
    );
  if (typeof lengths === "object" && "dtype" in lengths)
    throw new ShapeError(
      `${OP}: targets in one dimension need targetLengths as an array of numbers; give targets [${batch}, S]`,
    );
  const counts = numbersOf(lengths);
  const total = counts.reduce((a, b) => a + b, 0);
  if (total !== targets.shape[0])
    throw new ShapeError(
      `${OP}: targetLengths add up to ${total}, but there are ${targets.shape[0]} targets`,
    );
  const most = Math.max(...counts);
  let start = 0;
  const rows = counts.flatMap((count) => {
    const row = Array.from({ length: most }, (_, i) => start + Math.min(i, Math.max(count - 1, 0)));
    start += count;
    return row.map((place) => Math.min(place, total - 1));
  });
  return targets.indexSelect(0, tensor(Int32Array.from(rows), { shape: [batch, most] }));
}
