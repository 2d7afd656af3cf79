/** What attention computes on its way, for looking at it: every query, key, value, score and weight by module name. */

import { where } from "../joining.ts";
import type { Tensor } from "../tensor.ts";
import type { Module } from "./module.ts";

/** Everything that one call of a MultiheadAttention computed: of B samples, H heads, T queries and S keys. */
export interface CapturedAttention {
  /** [B, H, T, d], and of keys and values [B, H, S, d]. */
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
  /** [B, H, T, S], scaled and masked, before the softmax; −∞ where attention is not allowed. */
  readonly scores: Tensor;
  /** [B, H, T, S], the softmax of the scores, before dropout; zeros for queries that may attend to no key. */
  readonly weights: Tensor;
  /** What each head makes of the values, [B, H, T, d]. */
  readonly heads: Tensor;
  /** What the module returns: the heads joined and projected. */
  readonly output: Tensor;
}

type Observer = (module: Module, captured: () => CapturedAttention) => void;

let observer: Observer | null = null;

/** Masked scores are finite in programs; from here on down they stand for −∞. */
const MASKED = -5e37;

/** @internal Tells who is looking, if anybody, what attention has computed; `captured` is called only then. */
export const observed = (module: Module, captured: () => CapturedAttention): void =>
  observer?.(module, captured);

/** @internal Scores as they are shown. */
export const shownScores = (scores: Tensor): Tensor => where(scores.lt(MASKED), -Infinity, scores);

/**
 * Runs `run` and returns its result with what every attention below `model` computed meanwhile, under its dotted name,
 * e.g. `decoder.layers.0.multihead_attn`; of one that is called more than once, the last. Nothing is computed that is not
 * read. Inside `compile` they are tensors of the compiled function: return them from it. Throws where `run` calls no attention.
 */
export function captureAttention<R>(
  model: Module,
  run: () => R,
): { result: R; attention: Record<string, CapturedAttention> } {
  const names = new Map<Module, string>();
  for (const [name, module] of model.namedModules())
    if (!names.has(module)) names.set(module, name);
  const found = new Map<string, CapturedAttention>();
  const outer = observer;
  observer = (module, captured) => {
    outer?.(module, captured);
    const name = names.get(module);
    if (name !== undefined) found.set(name, captured());
  };
  try {
    const result = run();
    if (result instanceof Promise) result.catch(() => undefined);
    if (found.size === 0)
      throw new Error(
        `captureAttention: no attention of ${model.constructor.name} was called; call its forward in the function, and put compile around captureAttention, not inside`,
      );
    return { result, attention: Object.fromEntries(found) };
  } finally {
    observer = outer;
  }
}
