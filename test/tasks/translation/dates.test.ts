/** The built-in task of dates: what is written means one date, in every language and form. */

import { describe, expect, test } from "vitest";
import { dateLanguages, datePairs, type DatePair } from "../../../src/tasks/translation/dates.ts";
import { formsOf, type CalendarDate } from "../../../src/tasks/translation/dates-forms.ts";
import { holdOutPairs, sentenceKey } from "../../../src/tasks/translation/hold-out.ts";

/** The zeros of scripts with digits of their own; the other nine follow. */
const ZEROS = ["0", "٠", "۰", "०", "০", "๐"].map((zero) => zero.codePointAt(0)!);
const CHINESE = "〇一二三四五六七八九";

/** The numbers in a text, as JavaScript numbers. */
function numbersIn(text: string): number[] {
  const ascii = [...text].map((character) => {
    const code = character.codePointAt(0)!;
    const zero = ZEROS.find((start) => code >= start && code <= start + 9);
    if (zero !== undefined) return String(code - zero);
    const digit = CHINESE.indexOf(character);
    return digit >= 0 ? String(digit) : character;
  });
  return (ascii.join("").match(/\d+/g) ?? []).map(Number);
}

const parse = (iso: string): CalendarDate => {
  const [year, month, day] = iso.split("-").map(Number) as [number, number, number];
  return { year, month, day };
};

describe("datePairs", () => {
  const pairs = datePairs({ count: 20_000, seed: 3 });

  test("are texts in at least 20 languages, and dates of the calendar", () => {
    expect(new Set(pairs.map(({ language }) => language)).size).toBe(dateLanguages.length);
    expect(dateLanguages.length).toBeGreaterThan(20);
    const untidy = /^\s|\s$|[\u200e\u200f\u061c\u00a0\u202f\u2009]/u;
    expect(pairs.filter(({ source }) => untidy.test(source))).toEqual([]);
    const isDate = (iso: string): boolean =>
      /^(19|20)\d\d-\d\d-\d\d$/.test(iso) && new Date(iso).toISOString().startsWith(iso);
    expect(pairs.filter(({ target }) => !isDate(target))).toEqual([]);
  });

  test("say the year and the day of their date, whatever the digits, and no second year", () => {
    const says = (source: string, target: string): boolean => {
      if (/^\d{8}$/.test(source)) return source === target.replaceAll("-", "");
      const { year, month, day } = parse(target);
      const numbers = numbersIn(source);
      const small = numbers.filter((number) => number <= 31);
      if (numbers.length - small.length !== 1 || !numbers.includes(year)) return false;
      // A Vietnamese weekday may be a number.
      const isNumeric = small.length > 1 && !/Th(ứ|g)?\b/i.test(source);
      return small.includes(day) && (!isNumeric || small.includes(month));
    };
    expect(pairs.filter(({ source, target }) => !says(source, target))).toEqual([]);
  });

  test("are written in many ways", () => {
    const shapes = new Set(
      pairs.map(({ source, language }) => `${language} ${source.replace(/\p{N}+/gu, "0")}`),
    );
    expect(shapes.size).toBeGreaterThan(3000);
    const plain = datePairs({ count: 3000, seed: 1, languages: ["en"] }).map(
      ({ source }) => source,
    );
    for (const part of [
      /\d(st|nd|rd|th)\b/,
      /^the /,
      /^on /,
      /[A-Z]{5}/,
      /^[^A-Z]+$/,
      /\d-\w{3,4}-\d/,
    ])
      expect(plain.some((source) => part.test(source))).toBe(true);
  });

  test("a text means one date, up to case and punctuation", () => {
    const meanings = new Map<string, string>();
    const days = [1999, 2000].flatMap((year) =>
      Array.from({ length: 366 }, (_, day) => new Date(Date.UTC(year, 0, 1 + day))),
    );
    for (const language of dateLanguages) {
      for (const { write, isAmbiguous } of formsOf(language)) {
        for (const date of days) {
          const [year, month, day] = [
            date.getUTCFullYear(),
            date.getUTCMonth() + 1,
            date.getUTCDate(),
          ];
          if (isAmbiguous && day <= 12 && day !== month) continue;
          const key = sentenceKey(write({ year, month, day }));
          const iso = date.toISOString().slice(0, 10);
          const known = meanings.get(key);
          if (known === undefined) meanings.set(key, iso);
          else if (known !== iso) expect.fail(`${key}: ${known} and ${iso}`);
        }
      }
    }
    expect(meanings.size).toBeGreaterThan(80_000);
  });

  test("with slashes, have one reading whoever reads", () => {
    const slashed = pairs.filter(({ source }) => /^\p{Nd}{1,2}[/-]\p{Nd}{1,2}[/-]/u.test(source));
    expect(slashed.length).toBeGreaterThan(500);
    const misleads = ({ source, target }: DatePair): boolean => {
      const [first, second] = numbersIn(source) as [number, number, number];
      const { month, day } = parse(target);
      const isTold = first > 12 || second > 12 || first === second;
      return !isTold || first + second !== day + month || first * second !== day * month;
    };
    expect(slashed.filter(misleads)).toEqual([]);
  });

  test("the same seed draws the same pairs, another one others", () => {
    expect(datePairs({ count: 500, seed: 3 })).toEqual(pairs.slice(0, 500));
    expect(datePairs({ count: 500, seed: 4 })).not.toEqual(pairs.slice(0, 500));
  });

  test("are of the languages and years asked for", () => {
    const few = datePairs({ count: 200, languages: ["fr", "th"], firstYear: 2001, lastYear: 2002 });
    expect(new Set(few.map(({ language }) => language))).toEqual(new Set(["fr", "th"]));
    expect(new Set(few.map(({ target }) => target.slice(0, 4)))).toEqual(new Set(["2001", "2002"]));
  });

  test("are held out by date", () => {
    const { train, heldOut } = holdOutPairs(pairs, { count: 1000, seed: 1 });
    expect([train.length, heldOut.length]).toEqual([19_000, 1000]);
    const dates = new Set(train.map(({ target }) => target));
    const texts = new Set(train.map(({ source }) => source.toLowerCase()));
    const isKnown = ({ source, target }: DatePair): boolean =>
      dates.has(target) || texts.has(source.toLowerCase());
    expect(heldOut.filter(isKnown)).toEqual([]);
  });

  test.each([
    [{ count: 0 }, "datePairs: count must be an integer of at least 1, got 0"],
    [{ count: 1, languages: ["en", "xx"] }, 'datePairs: unknown language "xx"; known are iso, en'],
    [{ count: 1, languages: [] }, "datePairs: expected at least one language"],
    [{ count: 1, firstYear: 999 }, "must be years of four digits in this order, got 999 and 2099"],
    [{ count: 1, firstYear: 2000, lastYear: 1999 }, "got 2000 and 1999"],
  ])("%j is refused", (options, message) => {
    expect(() => datePairs(options)).toThrow(message);
  });
});
