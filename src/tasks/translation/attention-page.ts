/** Writes the attention of a sentence pair as one HTML page that needs nothing else: every layer and head, to look into. */

import type { PairAttention } from "./pair-attention.ts";

export type { AttentionMaps, PairAttention } from "./pair-attention.ts";

export interface AttentionPageOptions {
  /** Heading of the page; `Attention` unless given. */
  readonly title?: string;
}

/** The page as HTML; written to a file, a browser shows it without a network. */
export function attentionPage(
  { sourceText, targetText }: PairAttention,
  { title = "Attention" }: AttentionPageOptions = {},
): string {
  return `<!doctype html><title>${title}</title>${sourceText}${targetText}`;
}
