/** Patterns as `Replace` and `Split` have them: a string to find, or an Oniguruma expression. */
import { type JsonField } from "./json.ts";
import { translateOniguruma } from "./oniguruma.ts";

/** A string that is found as it is, or a regular expression in Oniguruma's syntax, as tokenizer files have it. */
export type PatternSource = string | { readonly regex: string };

/**
 * The global JavaScript expression of a pattern.
 * @throws SyntaxError when an expression cannot be translated.
 */
export function compilePattern(source: PatternSource): RegExp {
  if (typeof source !== "string") return translateOniguruma(source.regex);
  const codes = [...source].map((character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
  return new RegExp(codes.join(""), "gv");
}

/** Reads `{ "String": … }` or `{ "Regex": … }`. @throws DataError also when the expression cannot be translated. */
export function readPattern(field: JsonField): PatternSource {
  const string = field.get("String");
  const regex = field.get("Regex");
  if (string.missing === regex.missing)
    field.fail(`expected an object with "String" or "Regex", got ${field.found}`);
  if (regex.missing) return string.string();
  const source = { regex: regex.string() };
  try {
    translateOniguruma(source.regex);
  } catch (error) {
    regex.fail(error instanceof Error ? error.message : String(error), error);
  }
  return source;
}
