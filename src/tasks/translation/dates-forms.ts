/** The ways in which the built-in translation task writes a date: languages, styles and turns of phrase. */

/** A day of the Gregorian calendar; months count from 1. */
export interface CalendarDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** One way to write dates. */
export interface DateForm {
  readonly write: (date: CalendarDate) => string;
  /** Whether day and month can be mistaken for each other, as in 03/04/2021. */
  readonly isAmbiguous: boolean;
}

/** A language: the locales in which `Intl` writes its dates, and phrases that `Intl` does not know. */
interface Language {
  readonly locales: readonly string[];
  readonly phrases?: readonly string[];
  readonly ordinal?: (day: number) => string;
}

/**
 * Phrases hold `{d}` day, `{dd}` day of two digits, `{o}` ordinal, `{n}` month as a number, `{mm}` of two digits, `{m}` its abbreviation,
 * `{M}` its name, `{y}` year, `{W}` weekday.
 */
const LANGUAGES: Readonly<Record<string, Language>> = {
  iso: { locales: [], phrases: ["{y}-{mm}-{dd}", "{y}/{mm}/{dd}", "{y}.{mm}.{dd}", "{y}{mm}{dd}"] },
  en: {
    locales: ["en-US", "en-GB"],
    phrases: [
      "{o} of {M} {y}",
      "the {o} of {M}, {y}",
      "on the {o} of {M} {y}",
      "{W} the {o} of {M} {y}",
      "{M} {o}, {y}",
      "on {M} {o}, {y}",
      "{o} {M} {y}",
      "{d}-{m}-{y}",
      "{dd}{m}{y}",
      "{m} {d} {y}",
      "{y} {M} {d}",
    ],
    ordinal: englishOrdinal,
  },
  fr: {
    locales: ["fr"],
    phrases: ["{o} {M} {y}", "le {o} {M} {y}", "le {W} {o} {M} {y}"],
    ordinal: (day) => (day === 1 ? "1er" : String(day)),
  },
  de: {
    locales: ["de"],
    phrases: ["am {d}. {M} {y}", "den {d}. {M} {y}", "{W}, den {d}. {m} {y}"],
  },
  es: {
    locales: ["es"],
    phrases: ["el {d} de {M} de {y}", "{d} de {M} del {y}", "el {W} {d} de {M} de {y}"],
  },
  it: {
    locales: ["it"],
    phrases: ["il giorno {d} {M} {y}", "{W} {o} {M} {y}"],
    ordinal: firstWith("º"),
  },
  pt: {
    locales: ["pt-BR"],
    phrases: ["em {o} de {M} de {y}", "{o} de {M} de {y}"],
    ordinal: firstWith("º"),
  },
  nl: { locales: ["nl"], phrases: ["op {d} {M} {y}", "op {W} {d} {M} {y}"] },
  sv: { locales: ["sv"], phrases: ["den {d} {M} {y}", "{W} den {d} {M} {y}"] },
  da: { locales: ["da"], phrases: ["den {d}. {M} {y}"] },
  nb: { locales: ["nb"], phrases: ["den {d}. {M} {y}"] },
  fi: { locales: ["fi"] },
  pl: { locales: ["pl"], phrases: ["dnia {d} {M} {y} r."] },
  cs: { locales: ["cs"], phrases: ["dne {d}. {M} {y}"] },
  hu: { locales: ["hu"] },
  ro: { locales: ["ro"] },
  tr: { locales: ["tr"] },
  ru: { locales: ["ru"], phrases: ["{d} {M} {y} года"] },
  uk: { locales: ["uk"], phrases: ["{d} {M} {y} року"] },
  bg: { locales: ["bg"] },
  el: { locales: ["el"], phrases: ["στις {d} {M} {y}"] },
  he: { locales: ["he"] },
  ar: { locales: ["ar-u-nu-arab", "ar-u-nu-latn"] },
  fa: { locales: ["fa-u-nu-arabext"] },
  hi: { locales: ["hi-u-nu-latn", "hi-u-nu-deva"] },
  bn: { locales: ["bn-u-nu-beng"] },
  th: { locales: ["th-u-nu-latn", "th-u-nu-thai"] },
  vi: { locales: ["vi"], phrases: ["ngày {d} tháng {n} năm {y}"] },
  id: { locales: ["id"], phrases: ["tanggal {d} {M} {y}"] },
  ja: { locales: ["ja"] },
  zh: { locales: ["zh", "zh-Hant", "zh-u-nu-hanidec"] },
  ko: { locales: ["ko"] },
};

/** BCP 47 codes of the languages that {@link datePairs} writes, and `iso` for digits alone, year first. */
export const dateLanguages: readonly string[] = Object.keys(LANGUAGES);

const STYLES: readonly Intl.DateTimeFormatOptions[] = [
  { dateStyle: "full" },
  { dateStyle: "long" },
  { dateStyle: "medium" },
  { dateStyle: "short" },
  { year: "numeric", month: "short", day: "numeric" },
  { year: "numeric", month: "short", day: "numeric", weekday: "short" },
  { year: "numeric", month: "2-digit", day: "2-digit" },
  { year: "numeric", month: "numeric", day: "numeric" },
];

/** Days that tell forms apart: the first, whose ordinal is special, and days and months of one digit and of two. */
const PROBES: readonly CalendarDate[] = [
  { year: 2021, month: 3, day: 4 },
  { year: 1999, month: 9, day: 1 },
  { year: 1987, month: 11, day: 23 },
];

/**
 * The different forms of a language, in a fixed order. Those that write a year with two digits are left out.
 * @throws Error when `Intl` of this JavaScript engine lacks the language.
 */
export function formsOf(language: string): readonly DateForm[] {
  const { locales, phrases = [], ordinal = String } = LANGUAGES[language]!;
  const forms = locales.flatMap((locale) => STYLES.map((style) => styled(locale, style)));
  const words = wordsOf(locales[0] ?? "en-US");
  for (const phrase of phrases) {
    forms.push({ write: (date) => fill(phrase, date, words, ordinal), isAmbiguous: false });
  }
  const seen = new Set<string>();
  return forms.filter((form) => {
    const written = PROBES.map((date) => form?.write(date)).join("\n");
    if (form === null || seen.has(written)) return false;
    seen.add(written);
    return true;
  }) as DateForm[];
}

/** A form of `Intl`; null when it writes the year with two digits. */
function styled(locale: string, style: Intl.DateTimeFormatOptions): DateForm | null {
  const format = formatter(locale, style);
  const parts = format.formatToParts(utc(PROBES[0]!));
  const at = (type: string): number => parts.findIndex((part) => part.type === type);
  const value = (type: string): string => parts[at(type)]?.value ?? "";
  if ([...value("year")].length < 4) return null;
  const separator = parts[Math.min(at("day"), at("month")) + 1]?.value ?? "";
  const isNumeric = /^\p{Nd}+$/u.test(value("month"));
  return {
    write: (date) => plain(format.format(utc(date))),
    isAmbiguous: isNumeric && at("day") < at("year") && /[/-]/.test(separator),
  };
}

interface Words {
  readonly month: (date: CalendarDate) => string;
  readonly shortMonth: (date: CalendarDate) => string;
  readonly weekday: (date: CalendarDate) => string;
}

/** Names within a date, where many languages decline them. */
function wordsOf(locale: string): Words {
  const named = (type: "month" | "weekday", month: "long" | "short") => {
    const format = formatter(locale, { year: "numeric", month, day: "numeric", weekday: "long" });
    return (date: CalendarDate): string =>
      plain(format.formatToParts(utc(date)).find((part) => part.type === type)?.value ?? "");
  };
  return {
    month: named("month", "long"),
    shortMonth: named("month", "short"),
    weekday: named("weekday", "long"),
  };
}

function fill(
  phrase: string,
  date: CalendarDate,
  words: Words,
  ordinal: (day: number) => string,
): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const parts: Readonly<Record<string, () => string>> = {
    d: () => String(date.day),
    dd: () => two(date.day),
    o: () => ordinal(date.day),
    n: () => String(date.month),
    mm: () => two(date.month),
    m: () => words.shortMonth(date).replace(/\.$/, ""),
    M: () => words.month(date),
    y: () => String(date.year),
    W: () => words.weekday(date),
  };
  return phrase.replace(/\{(\w+)\}/g, (_, name: string) => parts[name]!());
}

function formatter(locale: string, style: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  // Thai and Persian dates are of other calendars unless told.
  const options = { ...style, calendar: "gregory", timeZone: "UTC" };
  const format = new Intl.DateTimeFormat(locale, options);
  const { locale: got } = format.resolvedOptions();
  const [wanted] = locale.split("-");
  if (got.split("-")[0] !== wanted)
    throw new Error(
      `datePairs: this JavaScript engine writes no dates in "${wanted}"; use a Node.js with full ICU or name other languages`,
    );
  return format;
}

const utc = ({ year, month, day }: CalendarDate): number => Date.UTC(year, month - 1, day);

/** One spelling of what releases of ICU spell differently: plain spaces, no marks of direction. */
const plain = (text: string): string =>
  text.replace(/[\u200e\u200f\u061c]/gu, "").replace(/[\u00a0\u202f\u2009]/gu, " ");

function englishOrdinal(day: number): string {
  const isTeen = day >= 11 && day <= 13;
  return `${day}${isTeen ? "th" : (["th", "st", "nd", "rd"][day % 10] ?? "th")}`;
}

function firstWith(mark: string): (day: number) => string {
  return (day) => (day === 1 ? `1${mark}` : String(day));
}
