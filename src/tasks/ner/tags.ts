/** Translates between entities as spans of a text and BIO tags of its tokens. */
import type { Entity } from "../../data/annotated.ts";
import type { Token } from "../../text/tokenize.ts";

/** The tags of a set of labels: `O`, then `B-` and `I-` of each label in the order given; a tag's index is its class. */
export function tagsOf(labels: readonly string[]): string[] {
  return ["O", ...labels.flatMap((label) => [`B-${label}`, `I-${label}`])];
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
