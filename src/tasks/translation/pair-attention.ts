/** What a model paid attention to while it translated one sentence. */

/**
 * Attention weights by layer and head: `maps[layer][head]` is `[queries × keys]`, row by row, so that the weight of query
 * `q` on key `k` stands at `q * keys + k`. Weights lie between 0 and 1; a row sums to 1, or to 0 where all is masked.
 */
export type AttentionMaps = readonly (readonly Float32Array[])[];

/** All attention of an encoder–decoder (or, with empty `encoder` and `cross`, of a decoder alone) on one pair. */
export interface PairAttention {
  readonly sourceText: string;
  readonly targetText: string;
  /** Tokens the encoder read, special ones included: queries and keys of `encoder`, keys of `cross`. `[S]` */
  readonly source: readonly string[];
  /** Tokens the decoder read, the start token first: keys of `decoder`. `[T]` */
  readonly target: readonly string[];
  /**
   * Token that each position of the decoder wrote, or was to write: the target one to the left, the end token last. They
   * name the queries of `decoder` and `cross`. `[T]`
   */
  readonly predicted: readonly string[];
  /** Self-attention of the encoder, `[S × S]`. */
  readonly encoder: AttentionMaps;
  /** Self-attention of the decoder, `[T × T]`. */
  readonly decoder: AttentionMaps;
  /** Attention of the decoder to the encoder's output, `[T × S]`. */
  readonly cross: AttentionMaps;
}
