/** Finds the most probable sequence of BILOU tags that spells out entities. */

const isOpen = (tag: string | undefined): boolean => tag !== undefined && /^[BI]-/.test(tag);

/** Whether tag `next` may follow `previous`; undefined stands for the text's start and end. */
export function mayFollow(previous: string | undefined, next: string | undefined): boolean {
  const continues = next !== undefined && /^[IL]-/.test(next);
  return isOpen(previous) ? continues && previous?.slice(2) === next.slice(2) : !continues;
}

/** The best class of each token and its probability. */
export interface DecodedTags {
  readonly classes: Int32Array;
  readonly confidence: Float32Array;
}

/**
 * Viterbi's algorithm: maximises the sum of log-probabilities over sequences in which every tag may follow the one before.
 *
 * @param logProbs `[T × C]`, row by row; class `c` is `tags[c]`.
 * @throws RangeError when the numbers do not fill whole rows.
 */
export function decodeTags(logProbs: ArrayLike<number>, tags: readonly string[]): DecodedTags {
  const width = tags.length;
  const length = logProbs.length / width;
  if (!Number.isInteger(length)) {
    throw new RangeError(`decodeTags: ${logProbs.length} numbers are no rows of ${width} classes`);
  }
  const predecessors = tags.map((next) =>
    tags.flatMap((previous, p) => (mayFollow(previous, next) ? [p] : [])),
  );
  const at = (t: number, c: number) => logProbs[t * width + c] ?? -Infinity;
  let score = Float64Array.from(tags, (tag, c) =>
    mayFollow(undefined, tag) ? at(0, c) : -Infinity,
  );
  const cameFrom = new Int32Array(length * width);
  for (let t = 1; t < length; t++) {
    const next = new Float64Array(width);
    for (let c = 0; c < width; c++) {
      let best = -Infinity;
      for (const p of predecessors[c] ?? []) {
        const candidate = score[p] ?? -Infinity;
        if (candidate > best) {
          best = candidate;
          cameFrom[t * width + c] = p;
        }
      }
      next[c] = best + at(t, c);
    }
    score = next;
  }
  const classes = new Int32Array(length);
  const confidence = new Float32Array(length);
  const final = score.map((total, c) => (mayFollow(tags[c], undefined) ? total : -Infinity));
  let c = final.indexOf(Math.max(...final));
  for (let t = length - 1; t >= 0; t--) {
    classes[t] = c;
    confidence[t] = Math.exp(at(t, c));
    c = cameFrom[t * width + c] ?? 0;
  }
  return { classes, confidence };
}
