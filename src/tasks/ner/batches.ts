/** Turns annotated documents into batches of fixed shape, so that a training step is compiled once. */
import type { AnnotatedDocument } from "../../data/annotated.ts";
import type { Rng } from "../../data/rng.ts";
import type { FeatureEncoder } from "../../text/feature-encoder.ts";
import { FEATURE_NAMES, type FeatureName } from "../../text/features.ts";
import { tokenize, type Token } from "../../text/tokenize.ts";
import { PAD_ID, UNKNOWN_ID } from "../../text/vocabulary.ts";
import { windowsOf } from "../../text/windows.ts";
import { encodeTags, toBilou } from "./tags.ts";

/** Class of positions that do not count: padding. PyTorch's default `ignore_index`. */
export const IGNORED = -100;

/** Up to `size` tokens of a document: features `[tokens × F]` row by row, classes `[tokens]`. */
export interface Example {
  readonly features: Int32Array;
  readonly classes: Int32Array;
}

/** Examples side by side, padded: features `[B, size, F]` with id 0, classes `[B, size]` with {@link IGNORED}. */
export interface Batch {
  readonly features: Int32Array;
  readonly classes: Int32Array;
}

export interface WindowSize {
  /** Tokens in a window. */
  readonly size: number;
  /** Tokens that neighbouring windows share at least. */
  readonly overlap: number;
}

/** All windows of documents as examples; `tags` are those of `bilouTagsOf`, a tag's index is its class. */
export function examplesOf(
  documents: readonly AnnotatedDocument[],
  encoder: FeatureEncoder,
  tags: readonly string[],
  windowSize: WindowSize,
): Example[] {
  const classOf = new Map(tags.map((tag, i) => [tag, i]));
  return documents.flatMap(({ id, text, entities }) => {
    const tokens: Token[] = tokenize(text);
    const features = encoder.encode(tokens);
    const classes = Int32Array.from(toBilou(encodeTags(tokens, entities).tags), (tag) => {
      const index = classOf.get(tag);
      if (index === undefined) throw new RangeError(`examplesOf: ${id} has the unknown tag ${tag}`);
      return index;
    });
    return windowsOf(tokens.length, windowSize).map(({ start, end }) => ({
      features: features.subarray(start * FEATURE_NAMES.length, end * FEATURE_NAMES.length),
      classes: classes.subarray(start, end),
    }));
  });
}

/**
 * Puts at most `batchSize` examples into one batch; rows without an example are all padding.
 * @throws RangeError when there are more examples, or one is longer than `size`.
 */
export function collate(
  examples: readonly Example[],
  { batchSize, size }: { batchSize: number; size: number },
): Batch {
  if (examples.length > batchSize) {
    throw new RangeError(`collate: expected at most ${batchSize} examples, got ${examples.length}`);
  }
  const width = FEATURE_NAMES.length;
  const features = new Int32Array(batchSize * size * width).fill(PAD_ID);
  const classes = new Int32Array(batchSize * size).fill(IGNORED);
  examples.forEach((example, b) => {
    if (example.classes.length > size) {
      throw new RangeError(`collate: expected ${size} tokens, got ${example.classes.length}`);
    }
    features.set(example.features, b * size * width);
    classes.set(example.classes, b * size);
  });
  return { features, classes };
}

const LEXICAL: ReadonlySet<FeatureName> = new Set<FeatureName>(["norm", "prefix", "suffix"]);

/**
 * A copy in which each lexical feature of each token is unknown with probability `p`, so that a model learns to rely on
 * shape and context where a word is new; without this, unknown words are too rare in training ("word dropout").
 */
export function withWordDropout({ features, classes }: Example, p: number, rng: Rng): Example {
  const width = FEATURE_NAMES.length;
  const dropped = features.map((id, i) => {
    const name = FEATURE_NAMES[i % width];
    const isLexical = name !== undefined && LEXICAL.has(name);
    return isLexical && id !== PAD_ID && rng.chance(p) ? UNKNOWN_ID : id;
  });
  return { features: dropped, classes };
}
