/** Tokens beside a model's vocabulary, which are found in a text before it is normalized and cut. */
import { quoted, type JsonField } from "./json.ts";
import type { TokenModel } from "./model.ts";
import { NormalizedString } from "./normalized-string.ts";
import type { Normalizer } from "./normalizers.ts";

/** A token that is found in texts as a whole. */
export interface AddedToken {
  readonly content: string;
  /** Only where no word character stands before or behind it. */
  readonly singleWord: boolean;
  /** Takes the white space before it. */
  readonly lstrip: boolean;
  /** Takes the white space behind it. */
  readonly rstrip: boolean;
  /** Is normalized itself, and looked for in the normalized text. */
  readonly normalized: boolean;
  /** Is left out of decoded text. */
  readonly special: boolean;
}

/** A token to add; a special one is not normalized unless it says so. */
export type NewToken = string | (Pick<AddedToken, "content"> & Partial<AddedToken>);

export function addedToken(token: NewToken, special = false): AddedToken {
  const given = typeof token === "string" ? { content: token } : token;
  return {
    singleWord: false,
    lstrip: false,
    rstrip: false,
    normalized: !(given.special ?? special),
    ...given,
    special: special || (given.special ?? false),
  };
}

/** A part of a text, and the added token that it is. */
export interface AddedPart {
  readonly part: NormalizedString;
  readonly id?: number;
}

const WORD = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]";
const ENDS_WITH_WORD = new RegExp(`${WORD}$`, "u");
const STARTS_WITH_WORD = new RegExp(WORD, "uy");

/** All added tokens of a tokenizer. */
export class AddedVocabulary {
  readonly #ids = new Map<string, number>();
  readonly #tokens = new Map<number, AddedToken>();
  /** Tokens as they are found, which are normalized where the token says so. */
  readonly #texts = new Map<number, string>();
  readonly #special = new Set<string>();
  /** Tokens in the order in which equal matches are preferred: special ones first, then as they were added. */
  #specialOrder: AddedToken[] = [];
  #order: AddedToken[] = [];
  #plain = new Finder([]);
  #normalized = new Finder([]);

  /** Added tokens by id, in ascending order. */
  entries(): [id: number, token: AddedToken][] {
    return [...this.#tokens].sort(([a], [b]) => a - b);
  }

  get ids(): ReadonlyMap<string, number> {
    return this.#ids;
  }

  tokenToId(token: string): number | undefined {
    return this.#ids.get(token);
  }

  /** The token as it stands in a text: normalized, if it is. */
  idToToken(id: number): string | undefined {
    return this.#texts.get(id);
  }

  /** Whether a token is special; `token` is what the model has for the id, where it was not added under that id. */
  isSpecial(id: number, token: string | undefined): boolean {
    return this.#special.has(this.#tokens.get(id)?.content ?? token ?? "");
  }

  /** Adds tokens; those that the model knows keep their id, others get the next. Returns how many are new or changed. */
  add(
    tokens: readonly AddedToken[],
    model: TokenModel,
    normalizer: Normalizer | undefined,
  ): number {
    let added = 0;
    let next = model.size;
    for (const id of this.#tokens.keys()) next = Math.max(next, id + 1);
    for (const token of tokens) {
      const { content, special } = token;
      if (content === "") continue;
      if (special && !this.#special.has(content)) {
        this.#special.add(content);
        this.#specialOrder.push(token);
        this.#order = this.#order.filter((other) => other.content !== content);
      }
      const known = this.#ids.get(content) ?? model.tokenToId(content);
      const id = known ?? next++;
      const before = this.#tokens.get(id);
      if (before !== undefined && same(before, token)) continue;
      added++;
      this.#ids.set(content, id);
      this.#tokens.set(id, token);
      if (!this.#special.has(content) && before === undefined) this.#order.push(token);
    }
    this.#refresh(normalizer);
    return added;
  }

  /** Finds tokens anew, as the normalizer changes those that are normalized. */
  #refresh(normalizer: Normalizer | undefined): void {
    const tokens = [...this.#specialOrder, ...this.#order].map(
      ({ content }): [number, AddedToken] => {
        const id = this.#ids.get(content) as number;
        return [id, this.#tokens.get(id) as AddedToken];
      },
    );
    const pattern = (id: number, token: AddedToken): Pattern => {
      const text = new NormalizedString(token.content);
      if (token.normalized) normalizer?.normalize(text);
      this.#texts.set(id, text.text);
      return { id, token, text: text.text };
    };
    const patterns = tokens.map(([id, token]) => pattern(id, token));
    this.#plain = new Finder(patterns.filter(({ token }) => !token.normalized));
    this.#normalized = new Finder(patterns.filter(({ token }) => token.normalized));
  }

  /** Cuts added tokens out of a text; what is between them comes normalized. */
  extract(text: string, normalizer: Normalizer | undefined): AddedPart[] {
    return this.#plain.cut(new NormalizedString(text)).flatMap((found): AddedPart[] => {
      if (found.id !== undefined) return [found];
      normalizer?.normalize(found.part);
      return this.#normalized.cut(found.part);
    });
  }

  toJSON(): Record<string, unknown>[] {
    return this.entries().map(([id, token]) => ({
      id,
      content: token.content,
      single_word: token.singleWord,
      lstrip: token.lstrip,
      rstrip: token.rstrip,
      normalized: token.normalized,
      special: token.special,
    }));
  }

  /** Adds the `added_tokens` of a `tokenizer.json`. @throws DataError also when an id is not what adding gives. */
  read(field: JsonField, model: TokenModel, normalizer: Normalizer | undefined): void {
    const fields = field.missing ? [] : field.array();
    const seen = new Set<string>();
    const tokens = fields.map((each) => {
      const token = readAddedToken(each);
      if (token.content === "") each.get("content").fail("the token is empty");
      if (seen.has(token.content))
        each.get("content").fail(`the token ${quoted(token.content)} is there twice`);
      seen.add(token.content);
      return token;
    });
    this.add(tokens, model, normalizer);
    fields.forEach((each, i) => {
      const id = each.get("id");
      const token = tokens[i] as AddedToken;
      const actual = this.#ids.get(token.content);
      if (id.count() !== actual)
        id.fail(
          `the token ${quoted(token.content)} gets the id ${actual} from the model's vocabulary, the file says ${id.count()}; ids of new tokens must go on where the vocabulary ends`,
        );
    });
  }
}

function readAddedToken(field: JsonField): AddedToken {
  return {
    content: field.get("content").string(),
    singleWord: field.get("single_word").boolean(),
    lstrip: field.get("lstrip").boolean(),
    rstrip: field.get("rstrip").boolean(),
    normalized: field.get("normalized").boolean(),
    special: field.get("special").boolean(),
  };
}

function same(a: AddedToken, b: AddedToken): boolean {
  return (
    a.content === b.content &&
    a.singleWord === b.singleWord &&
    a.lstrip === b.lstrip &&
    a.rstrip === b.rstrip &&
    a.normalized === b.normalized &&
    a.special === b.special
  );
}

interface Pattern {
  readonly id: number;
  readonly token: AddedToken;
  readonly text: string;
}

/** A node of the tree of all patterns, by UTF-16 unit. */
interface Node {
  readonly next: Map<number, Node>;
  pattern?: Pattern;
}

/** Finds the leftmost longest of many strings. */
class Finder {
  readonly #root: Node = { next: new Map() };

  constructor(patterns: readonly Pattern[]) {
    for (const pattern of patterns) {
      if (pattern.text === "") continue;
      let node = this.#root;
      for (let i = 0; i < pattern.text.length; i++) {
        const unit = pattern.text.charCodeAt(i);
        let next = node.next.get(unit);
        if (next === undefined) node.next.set(unit, (next = { next: new Map() }));
        node = next;
      }
      node.pattern ??= pattern;
    }
  }

  /** Parts of a text in order, with the id of those that were found. */
  cut(part: NormalizedString): AddedPart[] {
    const { text } = part;
    if (text === "") return [];
    if (this.#root.next.size === 0) return [{ part: part.slice(0, text.length) }];
    const parts: AddedPart[] = [];
    let done = 0;
    for (let at = 0; at < text.length; at++) {
      const pattern = this.#longest(text, at);
      if (pattern === undefined) continue;
      let start = at;
      let end = at + pattern.text.length;
      at = end - 1;
      const { singleWord, lstrip, rstrip } = pattern.token;
      if (singleWord && (wordBefore(text, start) || wordBehind(text, end))) continue;
      if (lstrip) while (start > done && isSpace(text, start - 1)) start--;
      if (rstrip) while (end < text.length && isSpace(text, end)) end++;
      if (done < start) parts.push({ part: part.slice(done, start) });
      parts.push({ part: part.slice(start, end), id: pattern.id });
      done = end;
    }
    if (done < text.length) parts.push({ part: part.slice(done, text.length) });
    return parts;
  }

  #longest(text: string, at: number): Pattern | undefined {
    let node: Node | undefined = this.#root;
    let found: Pattern | undefined;
    for (let i = at; i < text.length; i++) {
      node = node.next.get(text.charCodeAt(i));
      if (node === undefined) break;
      found = node.pattern ?? found;
    }
    return found;
  }
}

const isSpace = (text: string, at: number): boolean => /\p{White_Space}/u.test(text.charAt(at));

const wordBefore = (text: string, at: number): boolean =>
  at > 0 && ENDS_WITH_WORD.test(text.slice(Math.max(0, at - 2), at));

function wordBehind(text: string, at: number): boolean {
  STARTS_WITH_WORD.lastIndex = at;
  return STARTS_WITH_WORD.test(text);
}
