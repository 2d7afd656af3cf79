/** A text under normalization that knows, for every UTF-16 unit, which part of the original text it came from. */
import { forEachMatch, merged, type SplitBehavior } from "./splitting.ts";

/** A character of a text that replaces another: `change` 0 stands for the next old character, 1 is inserted, −n stands
 * for the next old character and the n after it. */
export type Change = readonly [character: string, change: number];

/** Source ranges of each unit of a text: unit `i` came from `starts[i] … ends[i]` of the original text. */
interface Alignment {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/**
 * A part of a text: `text` as normalized so far, with the alignment to the original one. All positions are UTF-16 units;
 * those of the original count from the start of the whole text. Both units of a surrogate pair are aligned to the same
 * range, that of the character.
 */
export class NormalizedString {
  #text: string;
  /** Undefined while the text is unchanged: then unit `i` came from `#origin + i`. */
  #alignment: Alignment | undefined;
  /** Where this text's first unit stands in the alignment, which parts of a text share. */
  #at = 0;
  /** Where this part began in the original text before it was changed. */
  readonly #origin: number;

  constructor(text: string, origin = 0) {
    this.#text = text;
    this.#origin = origin;
  }

  /** As normalized so far. */
  get text(): string {
    return this.#text;
  }

  /** Where this part begins in the original text, what was removed at its front included. */
  get originalStart(): number {
    return this.#origin;
  }

  /** Range of the original text that units `start … end` came from. */
  originalRange(start: number, end: number): [start: number, end: number] {
    const alignment = this.#alignment;
    const origin = this.#origin;
    // Positions outside, as of a piece longer than its word, have no source and count from the part itself.
    if (alignment === undefined || start >= end || end > this.#text.length)
      return [origin + start, origin + end];
    return [
      alignment.starts[this.#at + start] as number,
      alignment.ends[this.#at + end - 1] as number,
    ];
  }

  /** Units `start … end` as a part of their own; it shares this one's alignment and may be changed alone. */
  slice(start: number, end: number): NormalizedString {
    const origin = this.originalRange(start, end)[0];
    if (start === 0 && end === this.#text.length && origin === this.#origin) return this;
    const part = new NormalizedString(this.#text.slice(start, end), origin);
    if (this.#alignment !== undefined) {
      part.#alignment = this.#alignment;
      part.#at = this.#at + start;
    }
    return part;
  }

  /** Replaces the text by one of the same length whose every unit stands for the unit at its place. */
  substitute(text: string): void {
    this.#text = text;
  }

  /** Replaces each character by a string that is aligned to it, `""` to remove it. */
  map(replace: (character: string) => string): void {
    const changed = new Builder(this.#aligned());
    let text = "";
    let at = 0;
    for (const character of this.#text) {
      const replacement = replace(character);
      text += replacement;
      changed.repeat(at, replacement.length);
      at += character.length;
    }
    this.#set(text, changed);
  }

  /** Removes the matches of a global pattern; the rest keeps its alignment. */
  remove(pattern: RegExp): void {
    const old = this.#text;
    pattern.lastIndex = 0;
    if (!pattern.test(old)) return;
    const changed = new Builder(this.#aligned());
    let text = "";
    let at = 0;
    for (const { index, 0: match } of old.matchAll(restarted(pattern))) {
      text += old.slice(at, index);
      changed.copy(at, index);
      at = index + match.length;
    }
    changed.copy(at, old.length);
    this.#set(text + old.slice(at), changed);
  }

  /** Replaces the matches of a global pattern; the replacement is aligned to the last character of its match. */
  replace(pattern: RegExp, replacement: string): void {
    const old = this.#text;
    const changed = new Builder(this.#aligned());
    let text = "";
    let at = 0;
    forEachMatch(pattern, old, (start, end) => {
      text += old.slice(at, start) + replacement;
      changed.copy(at, start);
      changed.insert(end, replacement.length, this.#origin);
      at = end;
    });
    if (at === 0 && text === "") return;
    changed.copy(at, old.length);
    this.#set(text + old.slice(at), changed);
  }

  /** Puts a string before the text, unless that is empty, aligned to its first character. */
  prepend(prefix: string): void {
    if (this.#text === "") return;
    const changed = new Builder(this.#aligned());
    changed.repeat(0, prefix.length);
    changed.copy(0, this.#text.length);
    this.#set(prefix + this.#text, changed);
  }

  /** Keeps units `start … end` only. */
  keep(start: number, end: number): void {
    if (start === 0 && end === this.#text.length) return;
    const changed = new Builder(this.#aligned());
    changed.copy(start, end);
    this.#set(this.#text.slice(start, end), changed);
  }

  /** Replaces the whole text, character by character. */
  transform(changes: Iterable<Change>): void {
    const old = this.#text;
    const changed = new Builder(this.#aligned());
    let text = "";
    let at = 0;
    for (const [character, change] of changes) {
      text += character;
      if (change > 0) {
        changed.insert(at, character.length, this.#origin);
        continue;
      }
      changed.repeat(at, character.length);
      for (let skipped = change; skipped <= 0; skipped++)
        at += (old.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
    }
    this.#set(text, changed);
  }

  /**
   * Splits at the matches of a global pattern; empty parts are left out.
   * @param invert splits at what does not match instead
   */
  split(pattern: RegExp, behavior: SplitBehavior, invert = false): NormalizedString[] {
    const text = this.#text;
    if (text === "") return [];
    const bounds: number[] = []; // start, end, and 1 for a delimiter
    let at = 0;
    const delimiter = invert ? 0 : 1;
    forEachMatch(pattern, text, (start, end) => {
      if (at < start) bounds.push(at, start, 1 - delimiter);
      bounds.push(start, end, delimiter);
      at = end;
    });
    if (at < text.length) bounds.push(at, text.length, 1 - delimiter);
    const parts: NormalizedString[] = [];
    for (const [start, end] of merged(bounds, behavior))
      if (start < end) parts.push(this.slice(start, end));
    return parts;
  }

  #aligned(): Alignment & { readonly at: number } {
    this.#alignment ??= identity(this.#text, this.#origin);
    return { ...this.#alignment, at: this.#at };
  }

  #set(text: string, alignment: Alignment): void {
    this.#text = text;
    this.#alignment = { starts: alignment.starts, ends: alignment.ends };
    this.#at = 0;
  }
}

/** Collects the alignment of a changed text from that of the old one. */
class Builder implements Alignment {
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  readonly #old: Alignment & { readonly at: number };

  constructor(old: Alignment & { readonly at: number }) {
    this.#old = old;
  }

  /** Old units `start … end` as they were. */
  copy(start: number, end: number): void {
    const { starts, ends, at } = this.#old;
    for (let i = at + start; i < at + end; i++) {
      this.starts.push(starts[i] as number);
      this.ends.push(ends[i] as number);
    }
  }

  /** `count` units aligned as old unit `index`. */
  repeat(index: number, count: number): void {
    const { starts, ends, at } = this.#old;
    for (let i = 0; i < count; i++) {
      this.starts.push(starts[at + index] as number);
      this.ends.push(ends[at + index] as number);
    }
  }

  /** `count` units inserted before old unit `index`: aligned as the one before it, to nothing at the very front. */
  insert(index: number, count: number, origin: number): void {
    if (index > 0) return this.repeat(index - 1, count);
    for (let i = 0; i < count; i++) {
      this.starts.push(origin);
      this.ends.push(origin);
    }
  }
}

function identity(text: string, origin: number): Alignment {
  const starts: number[] = [];
  const ends: number[] = [];
  for (const character of text) {
    const start = origin + starts.length;
    const end = start + character.length;
    for (let i = start; i < end; i++) {
      starts.push(start);
      ends.push(end);
    }
  }
  return { starts, ends };
}

function restarted(pattern: RegExp): RegExp {
  pattern.lastIndex = 0;
  return pattern;
}
