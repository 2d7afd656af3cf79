/** Post-processors: what is added around the tokens of one or two texts, as the `post_processor` of a `tokenizer.json`. */
import { addedTokens, type Draft } from "./encoding.ts";
import { type ByType, type JsonField, quoted, readByType } from "./json.ts";

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
  toJSON(): Readonly<Record<string, unknown>>;
}

/** A special token and its id. */
export type TokenWithId = readonly [token: string, id: number];

function withTypes(draft: Draft, typeId: number): Draft {
  return { ...draft, typeIds: draft.ids.map(() => typeId) };
}

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

/** Whether a surrogate pair begins there: offsets move by characters. */
const isPair = (text: string, at: number): boolean => (text.codePointAt(at) ?? 0) > 0xffff;

/** One piece of a template: a text, or a special token by its name. */
export type TemplatePiece =
  | { readonly sequence: "A" | "B"; readonly typeId: number }
  | { readonly special: string; readonly typeId: number };

/** What a special token of a template stands for, mostly one token. */
export interface TemplateToken {
  readonly ids: readonly number[];
  readonly tokens: readonly string[];
}

export interface TemplateOptions {
  /** For one text: `"[CLS] $A [SEP]"`. */
  readonly single: string | readonly TemplatePiece[];
  /** For two: `"[CLS] $A [SEP] $B:1 [SEP]:1"`; the default is `"$A:0 $B:1"`. */
  readonly pair?: string | readonly TemplatePiece[];
  /** Ids of the special tokens in the templates. */
  readonly specialTokens?: Iterable<readonly [name: string, id: number | TemplateToken]>;
}

/**
 * Texts and special tokens in the order of a template.
 * @throws TypeError when a template is malformed, the one for pairs lacks a text, or a special token has no id.
 */
export function templateProcessing(options: TemplateOptions): PostProcessor {
  const single = parseTemplate("single", options.single);
  const pair = parseTemplate("pair", options.pair ?? "$A:0 $B:1");
  const specials = new Map<string, TemplateToken>();
  for (const [name, id] of options.specialTokens ?? [])
    specials.set(name, typeof id === "number" ? { ids: [id], tokens: [name] } : id);
  for (const piece of [...single, ...pair])
    if ("special" in piece && !specials.has(piece.special))
      throw new TypeError(
        `templateProcessing: the special token ${quoted(piece.special)} has no id; name it in specialTokens`,
      );
  if (single.some((piece) => "sequence" in piece && piece.sequence === "B"))
    throw new TypeError("templateProcessing: single must not use the second text, $B");
  for (const name of ["A", "B"])
    if (!pair.some((piece) => "sequence" in piece && piece.sequence === name))
      throw new TypeError(`templateProcessing: pair must use both texts, $${name} is missing`);
  const special = (name: string): TemplateToken => specials.get(name) as TemplateToken;
  return {
    added: (isPair) =>
      (isPair ? pair : single).reduce(
        (sum, piece) => sum + ("special" in piece ? special(piece.special).ids.length : 0),
        0,
      ),
    process: (drafts, addSpecialTokens) =>
      (drafts.length > 1 ? pair : single).flatMap((piece) => {
        if ("sequence" in piece) {
          const draft = drafts[piece.sequence === "A" ? 0 : 1] as Draft;
          return [withTypes(draft, piece.typeId)];
        }
        if (!addSpecialTokens) return [];
        const { tokens, ids } = special(piece.special);
        return [addedTokens(tokens, ids, piece.typeId)];
      }),
    toJSON: () => ({
      type: "TemplateProcessing",
      single: single.map(pieceJson),
      pair: pair.map(pieceJson),
      special_tokens: Object.fromEntries(
        [...specials].map(([id, { ids, tokens }]) => [id, { id, ids, tokens }]),
      ),
    }),
  };
}

function pieceJson(piece: TemplatePiece): Record<string, unknown> {
  return "sequence" in piece
    ? { Sequence: { id: piece.sequence, type_id: piece.typeId } }
    : { SpecialToken: { id: piece.special, type_id: piece.typeId } };
}

function parseTemplate(
  name: string,
  template: string | readonly TemplatePiece[],
): readonly TemplatePiece[] {
  if (typeof template !== "string") return template;
  return template.split(" ").map((text): TemplatePiece => {
    const match = /^(?:\$(?<text>[ABab]|\d+|)|(?<special>[^:$][^:]*))(?::(?<type>\d+))?$/.exec(
      text,
    );
    if (!match)
      throw new TypeError(
        `templateProcessing: ${name} has the piece ${quoted(text)}, expected $A, $B or a special token, with :TYPE behind it or not`,
      );
    const { text: sequence, special, type } = match.groups ?? {};
    if (special !== undefined) return { special, typeId: Number(type ?? 0) };
    const number = /\d/.test(sequence ?? "") ? sequence : undefined;
    return {
      sequence: sequence?.toUpperCase() === "B" ? "B" : "A",
      typeId: Number(type ?? number ?? 0),
    };
  });
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

function readTemplate(field: JsonField): TemplatePiece[] {
  return field.array().map((piece) => {
    const text = piece.get("Sequence");
    const special = piece.get("SpecialToken");
    if (text.missing === special.missing)
      piece.fail(`expected an object with "Sequence" or "SpecialToken", got ${piece.found}`);
    return special.missing
      ? { sequence: text.get("id").oneOf("A", "B"), typeId: text.get("type_id").count() }
      : { special: special.get("id").string(), typeId: special.get("type_id").count() };
  });
}

function readTemplateProcessing(field: JsonField): PostProcessor {
  const specials = field.get("special_tokens");
  return templateProcessing({
    single: readTemplate(field.get("single")),
    pair: readTemplate(field.get("pair")),
    specialTokens: specials.entries().map(([name, token]) => {
      const ids = token
        .get("ids")
        .array()
        .map((id) => id.count());
      const tokens = token
        .get("tokens")
        .array()
        .map((each) => each.string());
      if (ids.length !== tokens.length) token.fail("ids and tokens differ in length");
      return [name, { ids, tokens }] as const;
    }),
  });
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

/** Reads the `post_processor` of a `tokenizer.json`. @throws DataError naming the field. */
export function readPostProcessor(field: JsonField): PostProcessor {
  try {
    return readByType(field, "post-processor", READERS);
  } catch (error) {
    if (error instanceof TypeError) field.fail(error.message, error);
    throw error;
  }
}
