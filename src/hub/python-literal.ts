/** Reads the few Python literals that the header of an .npy file may hold, instead of evaluating it. */
import { FormatError, shown } from "./format-error.ts";

/** A dict is a Map; a tuple and a list are both arrays. */
export type PythonLiteral = string | number | boolean | null | PythonLiteral[] | PythonDict;
export type PythonDict = Map<string, PythonLiteral>;

/** Deepest nesting that is read; descriptions of structured arrays nest, if little. */
const MAX_DEPTH = 16;
const TOKEN = /\s*(?:([{}()[\],:])|'([^'\\]*)'|"([^"\\]*)"|(-?\d{1,17})L?(?!\w)|([A-Z]\w*))/y;
const CONSTANTS: ReadonlyMap<string, boolean | null> = new Map([
  ["True", true],
  ["False", false],
  ["None", null],
]);

/**
 * The value of Python source that is one literal: strings without escapes, whole numbers, True, False, None, and tuples,
 * lists and dicts (with strings as keys) of them.
 * @throws FormatError saying where in the text something else stands.
 */
export function parsePythonLiteral(source: string): PythonLiteral {
  const parser = new Parser(source);
  const value = parser.value(0);
  parser.end();
  return value;
}

type Token = { readonly sign: string } | { readonly value: string | number | boolean | null };

class Parser {
  readonly #source: string;
  #at = 0;
  #next: Token | null;

  constructor(source: string) {
    this.#source = source;
    this.#next = this.#read();
  }

  value(depth: number): PythonLiteral {
    const token = this.#take();
    if (token === null || depth > MAX_DEPTH) throw this.#wrong();
    if ("value" in token) return token.value;
    switch (token.sign) {
      case "(": {
        const { items, commas } = this.#items(")", depth);
        // Parentheses around one value without a comma make no tuple.
        return items.length === 1 && commas === 0 ? items[0]! : items;
      }
      case "[":
        return this.#items("]", depth).items;
      case "{":
        return this.#dict(depth);
      default:
        throw this.#wrong();
    }
  }

  end(): void {
    if (this.#next !== null || this.#source.slice(this.#at).trim() !== "") throw this.#wrong();
  }

  #items(close: string, depth: number): { items: PythonLiteral[]; commas: number } {
    const items: PythonLiteral[] = [];
    let commas = 0;
    while (!this.#skip(close)) {
      if (items.length > commas) throw this.#wrong();
      items.push(this.value(depth + 1));
      if (this.#skip(",")) commas++;
    }
    return { items, commas };
  }

  #dict(depth: number): PythonDict {
    const dict: PythonDict = new Map();
    for (let more = true; !this.#skip("}"); more = this.#skip(",")) {
      if (!more) throw this.#wrong();
      const key = this.value(depth + 1);
      if (typeof key !== "string" || dict.has(key) || !this.#skip(":")) throw this.#wrong();
      dict.set(key, this.value(depth + 1));
    }
    return dict;
  }

  #skip(sign: string): boolean {
    const found = this.#next !== null && "sign" in this.#next && this.#next.sign === sign;
    if (found) this.#take();
    return found;
  }

  #take(): Token | null {
    const token = this.#next;
    this.#next = this.#read();
    return token;
  }

  /** The next token; null at the end and before what is none. */
  #read(): Token | null {
    TOKEN.lastIndex = this.#at;
    const match = TOKEN.exec(this.#source);
    if (match === null) return null;
    const [, sign, single, double, number, name] = match;
    const constant = name === undefined ? undefined : CONSTANTS.get(name);
    if (name !== undefined && constant === undefined) return null;
    this.#at = TOKEN.lastIndex;
    if (sign !== undefined) return { sign };
    return { value: single ?? double ?? (number === undefined ? constant! : Number(number)) };
  }

  #wrong(): FormatError {
    return new FormatError(
      `expected a Python literal, got ${shown(this.#source)}, which is none near character ${this.#at + 1}`,
    );
  }
}
