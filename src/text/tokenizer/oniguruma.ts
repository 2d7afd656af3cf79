/** Translates the Oniguruma patterns of tokenizer files to JavaScript, or says what in them cannot be translated. */
import {
  anyCase,
  expansionIn,
  literal,
  posixMembers,
  propertyMembers,
  SPACE,
  WORD,
  WORD_ALONE,
} from "./oniguruma-classes.ts";

/** Longest pattern that is translated, in UTF-16 units. */
const MAX_LENGTH = 20_000;

/** Deepest nesting of groups. */
const MAX_DEPTH = 100;

/**
 * A pattern in Oniguruma's Ruby syntax as a global JavaScript expression in `v` mode.
 *
 * Possessive quantifiers and atomic groups become a look-ahead with a reference to what it matched; parts that ignore
 * case are written out; `\s`, `\w`, `.`, `^` and `$` get the meaning they have there.
 * @throws SyntaxError for what has no counterpart (back-references, recursion, conditions, `\K`, `\G`, `\X`), and for
 * repetitions of what may match the same text in several ways, such as `(a+)+` and `(a|a)*`, which could take exponential
 * time. (Long bounded repetitions of optional parts, and many repetitions in a row, may still take very long.)
 */
export function translateOniguruma(pattern: string): RegExp {
  if (pattern.length > MAX_LENGTH)
    throw new SyntaxError(
      `the pattern has ${pattern.length} characters, the limit is ${MAX_LENGTH}`,
    );
  const source = new Translator(pattern).whole();
  try {
    return new RegExp(source, "gv");
  } catch (error) {
    throw new SyntaxError(`the pattern is not valid (${String(error)})`, { cause: error });
  }
}

/** A translated part. */
interface Part {
  readonly source: string;
  /** Whether it repeats something without a limit, or chooses, and may match the same otherwise. */
  readonly repeats: boolean;
}

/** Flags in force: ignore case, dot matches newline, white space and comments are no part of the pattern. */
interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly x: boolean;
}

const ESCAPES: Readonly<Record<string, string>> = {
  A: "(?<![\\s\\S])",
  z: "(?![\\s\\S])",
  Z: "(?=\\n?(?![\\s\\S]))",
  b: `(?:(?<=[${WORD_ALONE}])(?![${WORD_ALONE}])|(?<![${WORD_ALONE}])(?=[${WORD_ALONE}]))`,
  B: `(?:(?<=[${WORD_ALONE}])(?=[${WORD_ALONE}])|(?<![${WORD_ALONE}])(?![${WORD_ALONE}]))`,
  R: "(?:\\r\\n|[\\n-\\r\\x85\\u2028\\u2029])",
};

/** Codes of the control characters that have an escape. */
const CONTROLS: Readonly<Record<string, number>> = {
  a: 7,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  e: 27,
};

/** Escapes that stand for a class, by their small letter. */
const CLASSES: Readonly<Record<string, string>> = {
  s: SPACE,
  w: WORD,
  d: "\\p{Nd}",
  h: "0-9a-fA-F",
};

class Translator {
  readonly #pattern: string;
  #at = 0;
  #depth = 0;
  #atomic = 0;
  /** Literals just read while case is ignored. */
  #run = "";

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  whole(): string {
    const { source } = this.#alternatives({ i: false, m: false, x: false });
    if (this.#at < this.#pattern.length) this.#fail("a ) without its (");
    return source;
  }

  #fail(problem: string): never {
    throw new SyntaxError(`the pattern has ${problem} at offset ${this.#at}`);
  }

  #peek(text: string): boolean {
    return this.#pattern.startsWith(text, this.#at);
  }

  #take(text: string): boolean {
    if (!this.#peek(text)) return false;
    this.#at += text.length;
    return true;
  }

  /** The match of a sticky expression here. */
  #takeMatch(regex: RegExp): RegExpExecArray | undefined {
    regex.lastIndex = this.#at;
    const match = regex.exec(this.#pattern) ?? undefined;
    if (match) this.#at += match[0].length;
    return match;
  }

  #character(): number {
    const code = this.#pattern.codePointAt(this.#at);
    if (code === undefined) this.#fail("an end where a character is missing");
    this.#at += code > 0xffff ? 2 : 1;
    return code;
  }

  #alternatives(flags: Flags): Part {
    if (++this.#depth > MAX_DEPTH) this.#fail(`groups nested deeper than ${MAX_DEPTH}`);
    const parts = [this.#sequence(flags)];
    while (this.#take("|")) parts.push(this.#sequence(flags));
    this.#depth--;
    return {
      source: parts.map(({ source }) => source).join("|"),
      repeats: parts.some(({ repeats }) => repeats) || !beginDifferently(parts),
    };
  }

  #sequence(flags: Flags): Part {
    let source = "";
    let repeats = false;
    this.#run = "";
    while (this.#at < this.#pattern.length && !this.#peek("|") && !this.#peek(")")) {
      if (flags.x && this.#takeMatch(/\s+|#[^\n]*/y)) continue;
      const part = this.#quantified(this.#atom(flags));
      source += part.source;
      repeats ||= part.repeats;
    }
    this.#run = "";
    return { source, repeats };
  }

  #quantified(atom: Part): Part {
    let part = atom;
    for (;;) {
      const simple = this.#takeMatch(/[?*+]/y)?.[0];
      const interval = simple ? undefined : this.#takeMatch(/\{(?:(\d+)(,?)(\d*)|,(\d+))\}/y);
      if (simple === undefined && interval === undefined) return part;
      this.#run = "";
      const [from, to] = simple ? bounds(simple) : intervalBounds(interval);
      if (from > 100_000 || (to !== Infinity && to > 100_000))
        this.#fail("a repetition above 100000");
      const suffix = this.#takeMatch(/[?+]/y)?.[0];
      // In Ruby's syntax the + behind an interval is a quantifier of its own.
      if (suffix === "+" && interval !== undefined) this.#at--;
      const possessive = suffix === "+" && simple !== undefined;
      if (part.repeats && to > 1000 && !possessive)
        this.#fail(
          "a repetition of a repetition or of alternatives that may begin alike, which can take exponential time,",
        );
      if (suffix === "?" && interval && from === to) {
        part = { source: `(?:${part.source}){0,${to}}`, repeats: part.repeats };
        continue;
      }
      const quantifier = `{${from},${to === Infinity ? "" : to}}${suffix === "?" ? "?" : ""}`;
      const repeated = `(?:${part.source})${SHORT[quantifier] ?? quantifier}`;
      part = possessive
        ? { source: this.#asAtomic(repeated), repeats: false }
        : { source: repeated, repeats: part.repeats || to > 1000 };
    }
  }

  /** A look-ahead never gives back what it matched, so what it captured is all that can be consumed. */
  #asAtomic(source: string): string {
    const name = `atomic${this.#atomic++}`;
    return `(?:(?=(?<${name}>${source}))\\k<${name}>)`;
  }

  #atom(flags: Flags): Part {
    const plain = (source: string): Part => {
      this.#run = "";
      return { source, repeats: false };
    };
    if (this.#take("(")) return this.#group(flags);
    if (this.#peek("[")) return plain(this.#class(flags));
    if (this.#take(".")) return plain(flags.m ? "[\\s\\S]" : "[^\\n]");
    // A line begins behind a newline, but not at the end of the text.
    if (this.#take("^")) return plain("(?:(?<![\\s\\S])|(?<=\\n)(?=[\\s\\S]))");
    if (this.#take("$")) return plain("(?=\\n|(?![\\s\\S]))");
    const quantifier = this.#takeMatch(/[?*+]/y);
    if (quantifier) this.#fail(`nothing before the ${quantifier[0]}`);
    if (!this.#take("\\")) return this.#literal(this.#character(), flags);
    const letter = this.#pattern.charAt(this.#at);
    const members = this.#classEscape(flags);
    if (members !== undefined) return plain(`[${members.replace(WORD, WORD_ALONE)}]`);
    if (Object.hasOwn(ESCAPES, letter)) {
      this.#at++;
      return plain(ESCAPES[letter] as string);
    }
    if (/[1-9kgKGXyYNO]/.test(letter))
      this.#fail(`\\${letter}, which has no counterpart in JavaScript,`);
    return this.#literal(this.#escapedCharacter(), flags);
  }

  #literal(code: number, flags: Flags): Part {
    if (!flags.i) return { source: literal(code), repeats: false };
    this.#run += String.fromCodePoint(code);
    const expansion = expansionIn(this.#run);
    if (expansion !== undefined)
      this.#fail(
        `${JSON.stringify(expansion)} without regard to case, as which one character counts too,`,
      );
    return { source: `[${anyCase(code, code)}]`, repeats: false };
  }

  /** Behind the parenthesis that opens it. */
  #group(flags: Flags): Part {
    this.#run = "";
    if (this.#takeMatch(/\?#[^)]*\)/y)) return { source: "", repeats: false };
    const options = this.#takeMatch(/\?([imx]*)(?:-([imx]*))?([:)])/y);
    if (options) {
      const [, on = "", off = "", end] = options;
      const set = (name: "i" | "m" | "x") =>
        off.includes(name) ? false : on.includes(name) || flags[name];
      const inner = this.#alternatives({ i: set("i"), m: set("m"), x: set("x") });
      // Options without a colon hold to the end of the group around them.
      return this.#closed({ source: `(?:${inner.source})`, repeats: inner.repeats }, end === ":");
    }
    const look = this.#takeMatch(/\?(?:<?[=!])/y)?.[0];
    const atomic = look === undefined && this.#take("?>");
    if (
      look === undefined &&
      !atomic &&
      !this.#takeMatch(/\?<[\p{L}_][\p{L}\p{N}_]*>/uy) &&
      this.#peek("?")
    )
      this.#fail("a kind of group that has no counterpart in JavaScript");
    const inner = this.#alternatives(flags);
    if (look !== undefined)
      return this.#closed({ source: `(${look}${inner.source})`, repeats: false });
    if (atomic) return this.#closed({ source: this.#asAtomic(inner.source), repeats: false });
    return this.#closed({ source: `(?:${inner.source})`, repeats: inner.repeats });
  }

  #closed(part: Part, parenthesis = true): Part {
    if (parenthesis && !this.#take(")")) this.#fail("a ( without its )");
    return part;
  }

  /** Members of the class behind a backslash; undefined when there is none. */
  #classEscape(flags: Flags): string | undefined {
    const letter = this.#pattern.charAt(this.#at);
    const small = letter.toLowerCase();
    if (Object.hasOwn(CLASSES, small)) {
      this.#at++;
      const members = CLASSES[small] as string;
      return letter === small ? members : `[^${members}]`;
    }
    if (small !== "p") return undefined;
    const match = this.#takeMatch(/[pP]\{(\^?)([^}]*)\}/y);
    if (!match) this.#fail("\\p without {name}");
    const members = propertyMembers(match[2] as string);
    if (members === undefined) this.#fail(`the unknown property ${JSON.stringify(match[0])}`);
    if (flags.i && /^\\p\{(?:Lu|Ll|Lt|Upper|Lower|.*case)/i.test(members))
      this.#fail(`${match[0]} without regard to case`);
    return (letter === "P") === (match[1] === "^") ? members : `[^${members}]`;
  }

  /** Code of the character that an escape behind its backslash names. */
  #escapedCharacter(): number {
    const code = this.#takeMatch(
      /x\{\s*([0-9a-fA-F]{1,6})\s*\}|x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|0([0-7]{0,2})/y,
    );
    if (code) {
      const [, long, short, unicode, octal] = code;
      const value = parseInt(long ?? short ?? unicode ?? `0${octal}`, octal === undefined ? 16 : 8);
      if (value > 0x10ffff) this.#fail("a character above U+10FFFF");
      return value;
    }
    const letter = this.#pattern.charAt(this.#at);
    if (/[A-Za-z]/.test(letter)) {
      const control = Object.hasOwn(CONTROLS, letter) ? CONTROLS[letter] : undefined;
      if (control === undefined) this.#fail(`the unknown escape \\${letter}`);
      this.#at++;
      return control;
    }
    return this.#character();
  }

  /** A class in brackets. */
  #class(flags: Flags): string {
    if (++this.#depth > MAX_DEPTH) this.#fail(`classes nested deeper than ${MAX_DEPTH}`);
    this.#take("[");
    const negated = this.#take("^");
    const operands: string[] = [];
    let members = this.#take("]") ? literal(0x5d) : "";
    while (!this.#take("]")) {
      if (this.#take("&&")) {
        operands.push(members);
        members = "";
      } else members += this.#member(flags);
    }
    this.#depth--;
    operands.push(members);
    const inner = operands.length === 1 ? members : operands.map((each) => `[${each}]`).join("&&");
    return `[${negated ? "^" : ""}${inner}]`;
  }

  #member(flags: Flags): string {
    const posix = this.#takeMatch(/\[:(\^?)(\w+):\]/y);
    if (posix) {
      const members = posixMembers(posix[2] as string);
      if (members === undefined) this.#fail(`the unknown class ${posix[0]}`);
      return posix[1] ? `[^${members}]` : members;
    }
    if (this.#peek("[")) return this.#class(flags);
    const first = this.#classCharacter(flags);
    if (typeof first === "string") return first;
    let last = first;
    if (/^-[^\]]/.test(this.#pattern.slice(this.#at, this.#at + 2)) && !this.#peek("-&&")) {
      const before = this.#at;
      this.#at++;
      const end = this.#peek("[") ? "" : this.#classCharacter(flags);
      if (typeof end === "number") last = end;
      else this.#at = before; // The - stands for itself, as in [a-\d].
      if (last === first && this.#at === before) {
        this.#at++;
        return `${this.#range(first, first, flags)}\\-`;
      }
    }
    if (last < first) this.#fail("a range that ends before it begins");
    return this.#range(first, last, flags);
  }

  /** A character in a class, as its code, or the members of an escape that stands for several. */
  #classCharacter(flags: Flags): number | string {
    if (!this.#take("\\")) return this.#character();
    const members = this.#classEscape(flags);
    if (members !== undefined) return members;
    if (this.#take("b")) return 8;
    return this.#escapedCharacter();
  }

  #range(first: number, last: number, flags: Flags): string {
    if (flags.i) return anyCase(first, last);
    return first === last ? literal(first) : `${literal(first)}-${literal(last)}`;
  }
}

/** Whether at most one of several alternatives can match, as each begins with another character. */
function beginDifferently(alternatives: readonly Part[]): boolean {
  const first = alternatives.map(({ source }) => /^\\u\{[0-9a-f]+\}/.exec(source)?.[0]);
  return first.length === 1 || (!first.includes(undefined) && new Set(first).size === first.length);
}

const SHORT: Readonly<Record<string, string>> = {
  "{0,1}": "?",
  "{0,1}?": "??",
  "{0,}": "*",
  "{0,}?": "*?",
  "{1,}": "+",
  "{1,}?": "+?",
};

const bounds = (quantifier: string): [from: number, to: number] =>
  quantifier === "?" ? [0, 1] : [quantifier === "*" ? 0 : 1, Infinity];

function intervalBounds(match: RegExpExecArray | undefined): [from: number, to: number] {
  const [, from, comma, to, most] = match ?? [];
  if (most !== undefined) return [0, Number(most)];
  return [Number(from), to ? Number(to) : comma ? Infinity : Number(from)];
}
