/**
 * What a loop computes when: a sum or maximum of a row is there only after a pass over it, so what needs one is computed in
 * a later pass, from what earlier ones kept or again.
 */

import { argsOf, type Term } from "./formula.ts";
import { LANES } from "./lanes.ts";
import type { Loop, LoopResult } from "./loop.ts";

/** Steps that are computed again in a later pass rather than kept. */
const CHEAP = 3;
/** Most bytes of a row's elements that a part keeps from one pass to the next. */
const MOST_KEPT = 256 * 1024;

/** One walk along a row. */
export interface Pass {
  /** What to compute once for the row before. */
  readonly rowTerms: readonly Term[];
  /** Terms to compute along the row, each after its arguments. */
  readonly elements: readonly Term[];
  /** Those of them that later passes need again. */
  readonly keep: readonly Term[];
  readonly reduces: readonly Term[];
  readonly stored: readonly LoopResult[];
}

/** What is computed when. */
export interface Plan {
  readonly passes: readonly Pass[];
  /** All that passes keep. */
  readonly kept: readonly Term[];
  /** All that is the same along a row, but constants. */
  readonly rowTerms: readonly Term[];
}

/** Bytes for one element of each column, in whole vectors. */
export const bytesOfRow = (columns: number): number => 4 * Math.ceil(columns / LANES) * LANES;

/** The passes over each row that give a loop's results; one where there is nothing to reduce. */
export function planPasses({ formula: { steps }, results, columns }: Loop): Plan {
  /** For each step, how many passes must be done before it can be computed. */
  const depths: number[] = [];
  for (const step of steps) {
    const deepest = Math.max(0, ...argsOf(step).map((arg) => depths[arg]!));
    depths.push(step.kind === "reduce" ? deepest + 1 : deepest);
  }
  const inOrder = neededTerms(
    steps.map(argsOf),
    results.map(({ term }) => term),
  );
  const reduces = inOrder.filter((term) => steps[term]!.kind === "reduce");
  const rowTerms = inOrder.filter((term) => {
    const { extent, kind } = steps[term]!;
    return extent === "row" && kind !== "constant";
  });
  const rowTermsAt = (fits: (depth: number) => boolean): Term[] =>
    rowTerms.filter((term) => steps[term]!.kind !== "reduce" && fits(depths[term]!));
  const last = Math.max(
    0,
    ...reduces.map((term) => depths[term]! - 1),
    ...results.map(({ term, form }) => (form === "rows" ? depths[term]! - 1 : depths[term]!)),
  );

  const kept = new Set<Term>();
  /** Whether a term takes more steps than it is worth to compute it again. */
  const isDear = (term: Term): boolean => {
    let count = 0;
    const stack = [term];
    for (let next = stack.pop(); next !== undefined && count <= CHEAP; next = stack.pop()) {
      const step = steps[next]!;
      if (step.extent === "row" || step.kind === "input" || kept.has(next)) continue;
      count++;
      stack.push(...argsOf(step));
    }
    return count > CHEAP;
  };
  const computedIn = new Map<Term, number>();
  const passes: (Pass & { readonly keep: Term[] })[] = [];
  for (let depth = 0; depth <= last; depth++) {
    const found = reduces.filter((term) => depths[term] === depth + 1);
    const stored = depth === last ? results.filter(({ form }) => form !== "rows") : [];
    const elements = new Set<Term>();
    const visit = (term: Term): void => {
      const step = steps[term]!;
      if (step.extent === "row" || elements.has(term)) return;
      const before = computedIn.get(term);
      if (before !== undefined && before < depth) {
        if (kept.has(term)) return;
        const hasRoom = (kept.size + 1) * bytesOfRow(columns) <= MOST_KEPT;
        if (step.kind !== "input" && hasRoom && isDear(term)) {
          kept.add(term);
          passes[before]!.keep.push(term);
          return;
        }
      }
      for (const arg of argsOf(step)) visit(arg);
      elements.add(term);
      if (before === undefined) computedIn.set(term, depth);
    };
    for (const term of found) visit(argsOf(steps[term]!)[0]!);
    for (const { term } of stored) visit(term);
    passes.push({
      rowTerms: rowTermsAt((at) => at === depth),
      ...{ elements: [...elements], keep: [], reduces: found, stored },
    });
  }
  const after = rowTermsAt((at) => at > last);
  passes.push({ rowTerms: after, elements: [], keep: [], reduces: [], stored: [] });
  return { passes, kept: [...kept], rowTerms };
}

/** Terms that others are made of, and these, each after its arguments. */
function neededTerms(args: readonly (readonly Term[])[], results: readonly Term[]): Term[] {
  const needed = new Set<Term>();
  const stack = [...results];
  for (let term = stack.pop(); term !== undefined; term = stack.pop()) {
    if (needed.has(term)) continue;
    needed.add(term);
    stack.push(...args[term]!);
  }
  return [...needed].sort((x, y) => x - y);
}
