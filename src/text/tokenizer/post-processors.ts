/** Post-processors: what is added around the tokens of one or two texts, as the `post_processor` of a `tokenizer.json`. */
import { isPair } from "./code-points.ts";
import { addedTokens, type Draft, withTypes } from "./encoding.ts";
import { type ByType, type JsonField, readByType } from "./json.ts";
import { readTemplateProcessing } from "./post-processors-template.ts";

export {
  type TemplateOptions,
  type TemplatePiece,
  templateProcessing,
  type TemplateToken,
} from "./post-processors-template.ts";

/** Puts the encodings of one or two texts between special tokens and sets type ids. */
export interface PostProcessor {
  /** How many tokens are added to one text, or to a pair. */
  added(pair: boolean): number;
  /** Encodings in order, to be joined to one; `texts` are those that they came from. */
  process(
    drafts: readonly Draft[],
    addSpecialTokens: boolean,
    texts: readonly string[],
  ): readonly Draft[];
  /** The `post_processor` of a `tokenizer.json`. */
  toJSON(): Readonly<Record<string, unknown>>;
}

/** A special token and its id. */
export type TokenWithId = readonly [token: string, id: number];

/** The encoding, and each that overflowed, between tokens that are added. */
function between(draft: Draft, before: readonly Draft[], after: readonly Draft[]): Draft[] {
  return [...before, draft, ...after];
}

/** `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]` with type ids 0 and 1, as BERT has them. */
export function bertProcessing(sep: TokenWithId, cls: TokenWithId): PostProcessor {
  return {
    added: (pair) => (pair ? 3 : 2),
    process: (drafts, addSpecialTokens) => {
      if (!addSpecialTokens) return drafts;
      return drafts.flatMap((draft, i) => {
        const end = addedTokens([sep[0]], [sep[1]], i);
        const start = i === 0 ? [addedTokens([cls[0]], [cls[1]], 0)] : [];
        return between(withTypes(draft, i), start, [end]);
      });
    },
    toJSON: () => ({ type: "BertProcessing", sep, cls }),
  };
}

/** Options of {@link robertaProcessing}; both are true unless given. */
export interface RobertaProcessingOptions {
  readonly trimOffsets?: boolean;
  readonly addPrefixSpace?: boolean;
}

/** `<s> A </s>` and `<s> A </s></s> B </s>`, all of type 0, as RoBERTa has them. */
export function robertaProcessing(
  sep: TokenWithId,
  cls: TokenWithId,
  { trimOffsets = true, addPrefixSpace = true }: RobertaProcessingOptions = {},
): PostProcessor {
  return {
    added: (pair) => (pair ? 4 : 2),
    process: (drafts, addSpecialTokens, texts) => {
      const bodies = drafts.map((draft) => {
        const trimmed = trimOffsets ? trimmedOffsets(draft, addPrefixSpace, texts) : draft;
        const overflowing = addSpecialTokens
          ? trimmed.overflowing.map((rest) => withTypes(rest, 0))
          : trimmed.overflowing;
        return { ...withTypes(trimmed, 0), overflowing };
      });
      if (!addSpecialTokens) return bodies;
      return bodies.flatMap((body, i) => {
        const [token, id] = i === 0 ? cls : sep;
        return between(body, [addedTokens([token], [id], 0)], [addedTokens([sep[0]], [sep[1]], 0)]);
      });
    },
    toJSON: () => ({
      type: "RobertaProcessing",
      sep,
      cls,
      trim_offsets: trimOffsets,
      add_prefix_space: addPrefixSpace,
    }),
  };
}

/** Options of {@link byteLevel}; only `trimOffsets` changes something, and all are true unless given. */
export interface ByteLevelProcessingOptions {
  readonly addPrefixSpace?: boolean;
  readonly trimOffsets?: boolean;
  readonly useRegex?: boolean;
}

/** Takes the white space at the ends of byte-level tokens out of their offsets if `trimOffsets`. */
export function byteLevel({
  addPrefixSpace = true,
  trimOffsets = true,
  useRegex = true,
}: ByteLevelProcessingOptions = {}): PostProcessor {
  return {
    added: () => 0,
    process: (drafts, _, texts) =>
      trimOffsets ? drafts.map((draft) => trimmedOffsets(draft, addPrefixSpace, texts)) : drafts,
    toJSON: () => ({
      type: "ByteLevel",
      add_prefix_space: addPrefixSpace,
      trim_offsets: trimOffsets,
      use_regex: useRegex,
    }),
  };
}

/** The byte-level space, or white space as an added token may have it. */
const LEADING = /^[Ġ\p{White_Space}]+/u;

function trimmedOffsets(draft: Draft, addPrefixSpace: boolean, texts: readonly string[]): Draft {
  const offsets = draft.offsets.map((range, i): readonly [number, number] => {
    const [start, end] = range;
    const token = draft.tokens[i] as string;
    let leading = LEADING.exec(token)?.[0].length ?? 0;
    const trailing = trailingSpaces(token);
    if (leading === 0 && trailing === 0) return range;
    // A single space in front of a text is the one that was put there, and has no place in the text.
    if ((i === 0 || start === 0) && addPrefixSpace && leading === 1) leading = 0;
    const text = texts[draft.sequenceIds[i] ?? 0] ?? "";
    let from = start;
    for (let n = 0; n < leading && from < end; n++) from += isPair(text, from) ? 2 : 1;
    let to = end;
    for (let n = 0; n < trailing && end >= trailing && to > from; n++)
      to -= isPair(text, to - 2) ? 2 : 1;
    return [from, to];
  });
  const overflowing = draft.overflowing.map((rest) => trimmedOffsets(rest, addPrefixSpace, texts));
  return { ...draft, offsets, overflowing };
}

function trailingSpaces(token: string): number {
  let end = token.length;
  while (end > 0 && LEADING.test(token.charAt(end - 1))) end--;
  return token.length - end;
}

/** Several post-processors, one after the other; at most one of them may add tokens. */
export function sequence(processors: readonly PostProcessor[]): PostProcessor {
  if (processors.filter((each) => each.added(true) > 0).length > 1)
    throw new TypeError("sequence: at most one of the post-processors may add special tokens");
  return {
    added: (pair) => processors.reduce((sum, each) => sum + each.added(pair), 0),
    process: (drafts, addSpecialTokens, texts) =>
      processors.reduce((all, each) => each.process(all, addSpecialTokens, texts), drafts),
    toJSON: () => ({ type: "Sequence", processors: processors.map((each) => each.toJSON()) }),
  };
}

function readTokenWithId(field: JsonField): TokenWithId {
  const [token, id, ...more] = field.array();
  if (token === undefined || id === undefined || more.length > 0)
    field.fail(`expected [token, id], got ${field.found}`);
  return [token.string(), id.count()];
}

const READERS: ByType<PostProcessor> = {
  Sequence: (field) => sequence(field.get("processors").array().map(readPostProcessor)),
  TemplateProcessing: readTemplateProcessing,
  BertProcessing: (field) =>
    bertProcessing(readTokenWithId(field.get("sep")), readTokenWithId(field.get("cls"))),
  RobertaProcessing: (field) =>
    robertaProcessing(readTokenWithId(field.get("sep")), readTokenWithId(field.get("cls")), {
      trimOffsets: field.get("trim_offsets").boolean(),
      addPrefixSpace: field.get("add_prefix_space").boolean(),
    }),
  ByteLevel: (field) =>
    byteLevel({
      addPrefixSpace: field.get("add_prefix_space").boolean(),
      trimOffsets: field.get("trim_offsets").boolean(),
      useRegex: field.get("use_regex").boolean(true),
    }),
};

/** @internal Reads the `post_processor` of a `tokenizer.json`. @throws DataError naming the field. */
export function readPostProcessor(field: JsonField): PostProcessor {
  try {
    return readByType(field, "post-processor", READERS);
  } catch (error) {
    if (error instanceof TypeError) field.fail(error.message, error);
    throw error;
  }
}
