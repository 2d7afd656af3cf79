/** Einstein's summation: any sum of products of tensors, written with a letter for each dimension. */

import type { Value } from "../graph/node.ts";
import { formatShape, numel, ShapeError } from "../graph/shape.ts";
import { arranged, contract, summedOut, type Labelled } from "./contract.ts";
import { diagonal } from "./rearrange.ts";
import { reshape } from "./shape.ts";

/** "ij" or "...ij" as labels of a tensor's dimensions; those of the dots are numbered from their last. */
function labelsOf(part: string, rank: number | null, dots: number): string[] {
  const pieces = part.split("...");
  if (pieces.length > 2 || pieces.some((piece) => !/^[a-zA-Z]*$/.test(piece)))
    throw new ShapeError(
      `einsum: "${part}" must be letters, with "..." once at most, for the dimensions of a tensor`,
    );
  const [before, after] = [[...pieces[0]!], [...(pieces[1] ?? "")]];
  const named = before.length + after.length;
  const covered = pieces.length === 1 ? 0 : rank === null ? dots : rank - named;
  if (rank !== null && (covered < 0 || named + covered !== rank))
    throw new ShapeError(`einsum: "${part}" does not name the ${rank} dimensions of its tensor`);
  const inDots = Array.from({ length: covered }, (_, i) => `.${covered - 1 - i}`);
  return [...before, ...inDots, ...after];
}

/** What the result's dimensions are: those given, or the dots' and every letter that occurs once, in alphabetical order. */
function outputLabels(given: string | undefined, terms: readonly (readonly string[])[]): string[] {
  const all = terms.flat();
  const dots = Math.max(0, ...all.filter((label) => label[0] === ".").map((l) => +l.slice(1) + 1));
  if (given === undefined) {
    const once = all.filter(
      (label) => label[0] !== "." && all.indexOf(label) === all.lastIndexOf(label),
    );
    return [...labelsOf("...", null, dots), ...once.sort((a, b) => (a < b ? -1 : 1))];
  }
  const labels = labelsOf(given, null, dots);
  const odd = labels.find((label, i) => !all.includes(label) || labels.indexOf(label) !== i);
  if (odd !== undefined)
    throw new ShapeError(
      `einsum: "${odd}" in the result "${given}" must be in an operand, and in the result once`,
    );
  return labels;
}

/** Dimensions with one label as their diagonal. */
function withoutRepeats(value: Value, labels: readonly string[]): Labelled {
  let x: Labelled = { value, labels };
  for (;;) {
    const second = x.labels.findIndex((label, i) => x.labels.indexOf(label) !== i);
    if (second < 0) return x;
    const label = x.labels[second]!;
    const first = x.labels.indexOf(label);
    if (x.value.shape[first] !== x.value.shape[second])
      throw new ShapeError(
        `einsum: "${label}" names dimensions of sizes ${x.value.shape[first]} and ${x.value.shape[second]} of one operand ${formatShape(value.shape)}`,
      );
    x = {
      value: diagonal(x.value, 0, first, second),
      labels: [...x.labels.filter((other) => other !== label), label],
    };
  }
}

/** Drops dimensions of size 1 that are larger elsewhere: products broadcast them. */
function withoutStretched(
  { value, labels }: Labelled,
  sizes: ReadonlyMap<string, number>,
): Labelled {
  const stays = labels.map((label, i) => value.shape[i] === sizes.get(label));
  return {
    value: reshape(
      value,
      value.shape.filter((_, i) => stays[i]),
    ),
    labels: labels.filter((_, i) => stays[i]),
  };
}

function sizesOf(terms: readonly Labelled[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { value, labels } of terms)
    labels.forEach((label, i) => {
      const [known, size] = [sizes.get(label) ?? 1, value.shape[i]!];
      if (known !== size && known !== 1 && size !== 1)
        throw new ShapeError(
          `einsum: dimension "${label}" has size ${known} in one operand and ${size} in another`,
        );
      sizes.set(label, known === 1 ? size : known);
    });
  return sizes;
}

/**
 * The sum of products that `equation` says, e.g. "bij,bjk->bik": torch.einsum, with repeated labels, "..." and results
 * left out. Pairs are contracted by batched matrix products, the one whose result grows least first.
 */
export function einsum(equation: string, operands: readonly Value[]): Value {
  const [inputs, output, ...rest] = equation.replaceAll(" ", "").split("->");
  const parts = inputs!.split(",");
  if (rest.length > 0 || parts.length !== operands.length || operands.length === 0)
    throw new ShapeError(
      `einsum: "${equation}" names ${parts.length} operands, got ${operands.length}`,
    );
  const given = operands.map((value, i) => labelsOf(parts[i]!, value.shape.length, 0));
  const result = outputLabels(output, given);
  const distinct = operands.map((value, i) => withoutRepeats(value, given[i]!));
  const sizes = sizesOf(distinct);
  let terms = distinct.map((term) => withoutStretched(term, sizes));
  const neededBeside = (...which: readonly Labelled[]): Set<string> =>
    new Set([
      ...result,
      ...terms.filter((term) => !which.includes(term)).flatMap(({ labels }) => labels),
    ]);
  terms = terms.map((term) => {
    const needed = neededBeside(term);
    return summedOut(
      term,
      term.labels.filter((label) => !needed.has(label)),
    );
  });
  const size = (labels: readonly string[]): number =>
    labels.reduce((n, label) => n * sizes.get(label)!, 1);
  const growth = (a: Labelled, b: Labelled): number => {
    const needed = neededBeside(a, b);
    const labels = [...new Set([...a.labels, ...b.labels])].filter((label) => needed.has(label));
    return size(labels) - numel(a.value.shape) - numel(b.value.shape);
  };
  while (terms.length > 1) {
    let best: readonly [Labelled, Labelled] = [terms[0]!, terms[1]!];
    terms.forEach((a, i) => {
      for (const b of terms.slice(i + 1)) if (growth(a, b) < growth(...best)) best = [a, b];
    });
    const [a, b] = best;
    const made = contract(a, b, neededBeside(a, b));
    terms = [made, ...terms.filter((term) => term !== a && term !== b)];
  }
  const last = terms[0]!;
  return arranged(
    summedOut(
      last,
      last.labels.filter((label) => !result.includes(label)),
    ),
    result,
  );
}
