/** The tokens that training begins with: the special ones and the characters of the words. */

/** Options of the first tokens, named and meant as in Python `tokenizers.trainers.BpeTrainer`. */
export interface AlphabetOptions {
  /** Tokens with the first ids, in this order; none unless given. */
  readonly specialTokens?: readonly string[];
  /** Keeps the most frequent characters only; of equally frequent ones those with lower code points. */
  readonly limitAlphabet?: number;
  /** Characters to keep whether they occur or not; of longer strings the first. */
  readonly initialAlphabet?: readonly string[];
  /** Put before characters that do not begin a word, such as "##". */
  readonly continuingSubwordPrefix?: string;
  /** Put after characters that end a word, such as "</w>". */
  readonly endOfWordSuffix?: string;
}

/** The first tokens. */
export interface Alphabet {
  /** Tokens by id. */
  readonly tokens: string[];
  readonly ids: Map<string, number>;
  /** Whether a character is kept. */
  readonly isKnown: (char: string) => boolean;
  /** The token of a character by its place in the word. */
  readonly affixed: (char: string, isFirst: boolean, isLast: boolean) => string;
}

/**
 * Gives ids to special tokens, then to characters by code point, then to those with prefix or suffix, also by code point
 * (Python numbers the latter in the order of a hash table, differently in each run).
 */
export function wordAlphabet(
  words: ReadonlyMap<string, number>,
  options: AlphabetOptions,
): Alphabet {
  const { continuingSubwordPrefix: prefix = "", endOfWordSuffix: suffix = "" } = options;
  const tokens: string[] = [];
  const ids = new Map<string, number>();
  const add = (token: string): void => {
    if (!ids.has(token)) ids.set(token, tokens.push(token) - 1);
  };
  const affixed = (char: string, isFirst: boolean, isLast: boolean): string =>
    (isFirst ? "" : prefix) + char + (isLast ? suffix : "");
  // Special tokens of one character are kept as characters too, as in Python.
  const isKnown = (char: string): boolean => ids.has(char);

  options.specialTokens?.forEach(add);
  characters(words, options).forEach(add);
  if (prefix !== "" || suffix !== "") {
    const found = new Set<string>();
    for (const word of words.keys()) {
      let start = 0;
      for (const char of word) {
        const end = start + char.length;
        if (isKnown(char)) found.add(affixed(char, start === 0, end === word.length));
        start = end;
      }
    }
    [...found].sort(byCodePoint).forEach(add);
  }
  return { tokens, ids, isKnown, affixed };
}

/** The characters to keep, by code point. */
function characters(words: ReadonlyMap<string, number>, options: AlphabetOptions): string[] {
  const { limitAlphabet = Infinity, initialAlphabet = [] } = options;
  const counts = new Map<string, number>();
  for (const [word, times] of words)
    for (const char of word) counts.set(char, (counts.get(char) ?? 0) + times);
  for (const text of initialAlphabet) {
    const [char] = text;
    if (char !== undefined) counts.set(char, Infinity);
  }
  const kept = [...counts].sort(([a, n], [b, m]) => (n === m ? byCodePoint(a, b) : m - n));
  return kept
    .slice(0, limitAlphabet)
    .map(([char]) => char)
    .sort(byCodePoint);
}

/** Orders strings as their code points do, unlike `<`, which compares UTF-16 units. */
function byCodePoint(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  const at = left.findIndex((char, i) => char !== right[i]);
  if (at < 0) return left.length - right.length;
  return (left[at]?.codePointAt(0) ?? -1) - (right[at]?.codePointAt(0) ?? -1);
}
