/** The post-processor that puts texts and special tokens in the order of a template. */
import { addedTokens, type Draft, withTypes } from "./encoding.ts";
import { type JsonField, quoted } from "./json.ts";
import type { PostProcessor } from "./post-processors.ts";

/** One piece of a template: a text, or a special token by its name. */
export type TemplatePiece =
  | { readonly sequence: "A" | "B"; readonly typeId: number }
  | { readonly special: string; readonly typeId: number };

/** What a special token of a template stands for, mostly one token. */
export interface TemplateToken {
  readonly ids: readonly number[];
  readonly tokens: readonly string[];
}

/** Options of {@link templateProcessing}. */
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

/** Reads a `TemplateProcessing`. @throws DataError or TypeError */
export function readTemplateProcessing(field: JsonField): PostProcessor {
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
