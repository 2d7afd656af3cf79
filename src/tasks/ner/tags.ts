/** Translates between entities as spans of a text, BIO tags of its tokens, and the BILOU tags that models learn. */
import type { Entity } from "../../data/annotated.ts";
import type { Token } from "../../text/tokenize.ts";

/**
 * The BILOU tags of a set of labels: `O`, then `B-`, `I-`, `L-` and `U-` (begin, inside, last, unit: a single token) of
 * each label in the order given; a tag's index is its class. Models learn the edges of entities better with these than
 * with BIO (Ratinov and Roth, CoNLL 2009, section 4).
 */
export function bilouTagsOf(labels: readonly string[]): string[] {
  return [
    "O",
    ...labels.flatMap((label) => ["B", "I", "L", "U"].map((kind) => `${kind}-${label}`)),
  ];
}

/** BIO tags that spell out entities, as the BILOU tags of the same entities. */
export function toBilou(tags: readonly string[]): string[] {
  return tags.map((tag, i) => {
    if (tag === "O") return tag;
    const label = tag.slice(2);
    const isLast = tags[i + 1] !== `I-${label}`;
    return `${tag.startsWith("B-") ? (isLast ? "U" : "B") : isLast ? "L" : "I"}-${label}`;
  });
}

/** BILOU tags as BIO tags. */
export function toBio(tags: readonly string[]): string[] {
  return tags.map((tag) => tag.replace(/^L-/, "I-").replace(/^U-/, "B-"));
}

export interface EncodedTags {
  /** One tag a token. */
  readonly tags: readonly string[];
  /** Entities whose edge falls inside a token; their tags cover those tokens whole. */
  readonly misaligned: readonly Entity[];
  /** Entities that no token is left for, since a misaligned one before took it; without tags. */
  readonly lost: readonly Entity[];
}

/** The tags of tokens given the entities of the same text, sorted and without overlaps. */
export function encodeTags(tokens: readonly Token[], entities: readonly Entity[]): EncodedTags {
  const tags = tokens.map(() => "O");
  const misaligned: Entity[] = [];
  const lost: Entity[] = [];
  let t = 0;
  for (const entity of entities) {
    while (t < tokens.length && (tokens[t]?.end ?? 0) <= entity.start) t += 1;
    const first = t;
    while (t < tokens.length && (tokens[t]?.start ?? Infinity) < entity.end) {
      tags[t] = `${t === first ? "B" : "I"}-${entity.label}`;
      t += 1;
    }
    if (t === first) lost.push(entity);
    else if (tokens[first]?.start !== entity.start || tokens[t - 1]?.end !== entity.end) {
      misaligned.push(entity);
    }
  }
  return { tags, misaligned, lost };
}

/** A run of tokens with one label: tokens `first` to `last`, both included. */
export interface Chunk {
  readonly label: string;
  readonly first: number;
  readonly last: number;
}

/**
 * The entities that a sequence of BIO tags spells out. An `I-` tag after `O` or after another label starts an entity
 * (what seqeval does unless strict); with `strict` only `B-` does and such tags are outside (seqeval's strict IOB2).
 */
export function chunksOf(tags: readonly string[], { strict = false } = {}): Chunk[] {
  const chunks: Chunk[] = [];
  let open: { label: string; first: number; last: number } | undefined;
  tags.forEach((tag, i) => {
    const label = tag.slice(2);
    if (tag.startsWith("I-") && open?.label === label) {
      open.last = i;
      return;
    }
    open = undefined;
    if (tag.startsWith("B-") || (tag.startsWith("I-") && !strict)) {
      open = { label, first: i, last: i };
      chunks.push(open);
    }
  });
  return chunks;
}

/** A chunk as a span of the text that its tokens were taken from. @throws RangeError when it has no such tokens. */
export function spanOf({ label, first, last }: Chunk, tokens: readonly Token[]): Entity {
  const start = tokens[first]?.start;
  const end = tokens[last]?.end;
  if (start === undefined || end === undefined) {
    throw new RangeError(
      `spanOf: expected tokens ${first} to ${last}, got a text of ${tokens.length} tokens`,
    );
  }
  return { label, start, end };
}
