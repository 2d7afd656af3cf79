/** Cuts long token sequences into overlapping windows that a model of fixed length can read. */

/** Tokens `start` to `end` (exclusive) are read; of them, the predictions for `keepStart` to `keepEnd` count. */
export interface Window {
  readonly start: number;
  readonly end: number;
  readonly keepStart: number;
  readonly keepEnd: number;
}

/**
 * Windows of at most `size` tokens over a sequence of `count`, each sharing at least `overlap` tokens with the next.
 * All but a short sequence's only window are full. An overlap is divided at its middle, so the kept ranges partition
 * the sequence and every token is predicted once, where it has the most context.
 *
 * @throws RangeError unless 0 ≤ overlap < size.
 */
export function windowsOf(
  count: number,
  { size, overlap }: { size: number; overlap: number },
): Window[] {
  if (!Number.isInteger(size) || !Number.isInteger(overlap) || overlap < 0 || overlap >= size) {
    throw new RangeError(
      `windowsOf: expected whole numbers with 0 <= overlap < size, got overlap ${overlap} and size ${size}`,
    );
  }
  if (count === 0) return [];
  const starts = [0];
  for (let start = 0; start + size < count;) {
    // The last window is moved back so that it is full too.
    start = Math.min(start + size - overlap, count - size);
    starts.push(start);
  }
  return starts.map((start, i) => {
    const end = Math.min(start + size, count);
    const previousStart = starts[i - 1];
    const nextStart = starts[i + 1];
    return {
      start,
      end,
      keepStart: previousStart === undefined ? 0 : middle(start, previousStart + size),
      keepEnd: nextStart === undefined ? count : middle(nextStart, end),
    };
  });
}

function middle(from: number, to: number): number {
  return Math.floor((from + to) / 2);
}
