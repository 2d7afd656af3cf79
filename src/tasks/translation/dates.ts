/** The built-in translation task, for which no data is needed: dates as people write them into ISO 8601. */

import { checkCount } from "../../data/checks.ts";
import { Rng } from "../../data/rng.ts";
import { dateLanguages, formsOf, type CalendarDate, type DateForm } from "./dates-forms.ts";
import type { SentencePair } from "./pairs.ts";

export { dateLanguages } from "./dates-forms.ts";

/** A date as written, and as `YYYY-MM-DD`. */
export interface DatePair extends SentencePair {
  /** One of {@link dateLanguages}. */
  readonly language: string;
}

/** Options of {@link datePairs}. */
export interface DatePairsOptions {
  readonly count: number;
  /** The same seed draws the same dates in the same forms (default 0). */
  readonly seed?: number;
  /** Codes of {@link dateLanguages}; all of them where not given. */
  readonly languages?: readonly string[];
  /** The years dates are from, both included (defaults 1900 and 2099). */
  readonly firstYear?: number;
  readonly lastYear?: number;
}

/**
 * Draws dates at random and writes each in a random language and form, as it is (70 %), in lower case (20 %) or in
 * capitals (10 %). Most forms are those of `Intl.DateTimeFormat`, whose wording may change a little between versions of
 * ICU; dates are always of the Gregorian calendar. Pairs are drawn independently, so that some may be alike;
 * {@link holdOutPairs} then keeps all pairs of a date on one side.
 *
 * Each text means one date only. A year has four digits; the year first is always followed by the month; day and month
 * with dots between them stand in this order (as everywhere in `Intl`); and with slashes or hyphens, where the United
 * States write the month first and others the day, only dates are written thus that have one reading: the day is above
 * 12, or day and month are the same number.
 *
 * @throws RangeError for a `count`, year or language out of range; Error when `Intl` lacks a language.
 */
export function datePairs({
  count,
  seed = 0,
  languages = dateLanguages,
  firstYear = 1900,
  lastYear = 2099,
}: DatePairsOptions): DatePair[] {
  checkCount("datePairs", "count", count, 1);
  checkYears(firstYear, lastYear);
  if (languages.length === 0) throw new RangeError("datePairs: expected at least one language");
  const forms = languages.map((language) => {
    if (!dateLanguages.includes(language))
      throw new RangeError(
        `datePairs: unknown language "${language}"; known are ${dateLanguages.join(", ")}`,
      );
    return formsOf(language);
  });
  const rng = new Rng(`dates ${seed}`);
  return Array.from({ length: count }, () => {
    // One number for each choice, so that a wording that differs changes its own pair alone.
    const place = rng.int(0, languages.length - 1);
    const form = pickForm(forms[place]!, rng.float());
    const date = drawDate(rng, firstYear, lastYear, form.isAmbiguous);
    const language = languages[place]!;
    return { source: inCase(form.write(date), language, rng.float()), target: iso(date), language };
  });
}

function checkYears(first: number, last: number): void {
  const isYear = (year: number): boolean => Number.isInteger(year) && year >= 1000 && year <= 9999;
  if (isYear(first) && isYear(last) && first <= last) return;
  throw new RangeError(
    `datePairs: firstYear and lastYear must be years of four digits in this order, got ${first} and ${last}`,
  );
}

const pickForm = (forms: readonly DateForm[], at: number): DateForm =>
  forms[Math.floor(at * forms.length)]!;

function drawDate(rng: Rng, first: number, last: number, isAmbiguous: boolean): CalendarDate {
  const year = rng.int(first, last);
  const month = rng.int(1, 12);
  // The day 0 of a month is the last of that before.
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  if (!isAmbiguous) return { year, month, day: rng.int(1, days) };
  const day = rng.int(12, days);
  return { year, month, day: day === 12 ? month : day };
}

function inCase(text: string, language: string, at: number): string {
  const locale = language === "iso" ? "en" : language;
  if (at < 0.7) return text;
  return at < 0.9 ? text.toLocaleLowerCase(locale) : text.toLocaleUpperCase(locale);
}

const iso = ({ year, month, day }: CalendarDate): string =>
  [String(year), String(month).padStart(2, "0"), String(day).padStart(2, "0")].join("-");
