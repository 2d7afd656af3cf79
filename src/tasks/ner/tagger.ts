/** What a tagger of named entities does, whatever model is behind it, and how its tags become entities. */
import type { AnnotatedDocument, Entity } from "../../data/annotated.ts";
import type { Token } from "../../text/tokenize.ts";
import type { TrainingExtent } from "../training-extent.ts";
import { entityReport, type EntityReport } from "./metrics.ts";
import { chunksOf, encodeTags, spanOf } from "./tags.ts";

/** A text with one tag a token. */
export interface TaggedText {
  readonly text: string;
  readonly tokens: readonly Token[];
  /** BIO tags, one a token. */
  readonly tags: readonly string[];
  /** Probability of each token's tag, in [0, 1]. */
  readonly confidence: ArrayLike<number>;
}

/** A trained tagger. */
export interface Tagger {
  readonly labels: readonly string[];
  /** Undefined when it is not known. */
  readonly training: TrainingExtent | undefined;
  /**
   * Tags texts of any length, each token once; the result is parallel to `texts`. An aborted signal stops it between two
   * batches, the promise is then rejected with the signal's reason.
   */
  tag(texts: readonly string[], signal?: AbortSignal): Promise<TaggedText[]>;
  /** Everything needed to load it again: file name to content. */
  files(): Promise<ReadonlyMap<string, Uint8Array | string>>;
}

/** An entity found, with its text and a confidence in [0, 1]. */
export interface FoundEntity extends Entity {
  readonly text: string;
  readonly confidence: number;
}

/** The entities that a tagged text's tags spell out; the confidence is the mean of the tokens'. */
export function entitiesOf({ text, tokens, tags, confidence }: TaggedText): FoundEntity[] {
  return chunksOf(tags).map((chunk) => {
    const entity = spanOf(chunk, tokens);
    let sum = 0;
    for (let t = chunk.first; t <= chunk.last; t++) sum += confidence[t] ?? 0;
    return {
      ...entity,
      text: text.slice(entity.start, entity.end),
      confidence: sum / (chunk.last - chunk.first + 1),
    };
  });
}

/** What {@link evaluateTagger} measures. */
export interface Evaluation {
  readonly report: EntityReport;
  /** True entities whose edges fall inside a token; they are compared by the tokens that they touch. */
  readonly misaligned: number;
}

/** Measures a tagger on annotated documents, by entities, in seqeval's default mode; `signal` is as for tagging. */
export async function evaluateTagger(
  tagger: Tagger,
  documents: readonly AnnotatedDocument[],
  signal?: AbortSignal,
): Promise<Evaluation> {
  const texts = documents.map(({ text }) => text);
  const tagged = await tagger.tag(texts, signal);
  let misaligned = 0;
  const actual = documents.map(({ entities }, i) => {
    const encoded = encodeTags(tagged[i]?.tokens ?? [], entities);
    misaligned += encoded.misaligned.length + encoded.lost.length;
    return encoded.tags;
  });
  return {
    report: entityReport(
      actual,
      tagged.map(({ tags }) => tags),
    ),
    misaligned,
  };
}
