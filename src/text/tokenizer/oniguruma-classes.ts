/** What Oniguruma's named character classes mean, as members of a JavaScript class in `v` mode. */

/** White space as Unicode has it: JavaScript's own `\s` adds U+FEFF and lacks U+0085. */
export const SPACE = "\\p{White_Space}";

/** What `\w` matches within a class. */
export const WORD = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";

/** What `\w` and `\b` take for a word character outside of a class: the fractions and raised digits of Latin-1 as well. */
export const WORD_ALONE = `${WORD}\\xb2\\xb3\\xb9\\xbc-\\xbe`;

/** The POSIX classes, by their name in lower case; `\p{…}` knows them as well. */
const POSIX: Readonly<Record<string, string>> = {
  alnum: "\\p{Alphabetic}\\p{Nd}",
  alpha: "\\p{Alphabetic}",
  ascii: "\\x00-\\x7f",
  blank: "\\p{Zs}\\t",
  cntrl: "\\p{Cc}",
  digit: "\\p{Nd}",
  graph: "[\\p{Any}--[\\p{White_Space}\\p{Cc}\\p{Cn}\\p{Cs}]]",
  lower: "\\p{Lowercase}",
  print: "[\\p{Any}--[\\p{Cc}\\p{Cn}\\p{Cs}\\p{Zl}\\p{Zp}]]",
  punct: "\\p{P}\\p{S}",
  space: SPACE,
  upper: "\\p{Uppercase}",
  word: WORD,
  xdigit: "0-9a-fA-F",
};

/** Members of the class of a name in POSIX brackets, as in `[[:alpha:]]`. */
export const posixMembers = (name: string): string | undefined =>
  Object.hasOwn(POSIX, name) ? POSIX[name] : undefined;

/** Members of the class that `\p{name}` stands for; Oniguruma ignores case, spaces, `-` and `_` in names. */
export function propertyMembers(name: string): string | undefined {
  const posix = posixMembers(name.toLowerCase());
  if (posix !== undefined) return posix;
  const words = name.trim().split(/[\s_-]+/);
  const title = words
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase())
    .join("_");
  const candidates = [name, title].flatMap((each) => [`\\p{${each}}`, `\\p{Script=${each}}`]);
  return candidates.find(compiles);
}

function compiles(source: string): boolean {
  try {
    new RegExp(source, "v");
    return true;
  } catch {
    return false; // RegExp alone knows which names there are.
  }
}

/** One character as it may stand in a class or outside of one. */
export const literal = (codePoint: number): string => `\\u{${codePoint.toString(16)}}`;

/** How characters differ in case only. */
interface CaseTable {
  /** All characters of the same folded form, by each of them. */
  readonly variants: ReadonlyMap<number, readonly number[]>;
  /** What single characters fold to that is longer, such as `ss` of `ß`. */
  readonly expansions: readonly string[];
}

let caseTable: CaseTable | undefined;

/** Highest character that has a case, with room for those to come. */
const LAST_CASED = 0x1ffff;

function cases(): CaseTable {
  if (caseTable !== undefined) return caseTable;
  const groups = new Map<string, number[]>();
  const expansions = new Set<string>();
  for (let code = 0; code <= LAST_CASED; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const character = String.fromCodePoint(code);
    const upper = character.toUpperCase();
    const folded = upper.toLowerCase();
    if (folded === character && upper === character) continue;
    if ([...folded].length > 1) {
      expansions.add(folded);
      continue;
    }
    const group = groups.get(folded);
    if (group === undefined) groups.set(folded, [code]);
    else group.push(code);
  }
  const variants = new Map<number, number[]>();
  for (const group of groups.values()) for (const code of group) variants.set(code, group);
  caseTable = { variants, expansions: [...expansions] };
  return caseTable;
}

/** Members of a class that has all characters of a range in any case. */
export function anyCase(first: number, last: number): string {
  const { variants } = cases();
  let members = `${literal(first)}${last > first ? `-${literal(last)}` : ""}`;
  for (let code = first; code <= Math.min(last, LAST_CASED); code++)
    for (const variant of variants.get(code) ?? [])
      if (variant < first || variant > last) members += literal(variant);
  return members;
}

/** A part of a text of which a single character is another case, such as `ss` of `ß`; undefined when there is none. */
export function expansionIn(text: string): string | undefined {
  const folded = text.toLowerCase();
  return cases().expansions.find((expansion) => folded.includes(expansion));
}
