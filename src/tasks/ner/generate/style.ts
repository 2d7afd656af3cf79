/** How one made-up resume looks: line breaks, bullets, headings, dates and case, drawn once and used throughout. */
import type { Rng } from "../../../data/rng.ts";
import type { LineBreak } from "./resume-builder.ts";

export interface Style {
  readonly lineBreak: LineBreak;
  /** Characters after which lines are broken; Infinity leaves them whole. */
  readonly width: number;
  readonly bullet: string;
  readonly heading: (title: string) => string;
  /** A month of employment, or "Present". */
  readonly date: (year: number, month: number) => string;
  readonly dash: string;
  /** Between columns of a table or parts of a line. */
  readonly column: string;
  readonly blankLines: boolean;
  readonly nameInCapitals: boolean;
  /** Employers, job titles and schools stand in capitals. */
  readonly entriesInCapitals: boolean;
}

const MONTHS =
  "January February March April May June July August September October November December".split(
    " ",
  );

/** Draws a style. */
export function drawStyle(rng: Rng): Style {
  const lineBreak = rng.pick<LineBreak>(["\n", "\n", "\n", "\n", "\n", "\n", "\r\n", "  "]);
  const month = (m: number) => MONTHS[m - 1] ?? "";
  const two = (n: number) => String(n % 100).padStart(2, "0");
  return {
    lineBreak,
    width: rng.pick([Infinity, Infinity, Infinity, 110, 80, 60]),
    bullet: rng.pick(["- ", "• ", "* ", "▪ ", "\t• ", "◦ ", "– ", "➢ ", "", "   - ", "•", "o "]),
    heading: rng.pick<Style["heading"]>([
      (title) => title,
      (title) => title.toUpperCase(),
      (title) => title.toUpperCase(),
      (title) => `${title}:`,
      (title) => `${title.toUpperCase()}:`,
      (title) => `${title}\n${"-".repeat(title.length)}`,
      (title) => `${title.toUpperCase()}\n${"=".repeat(30)}`,
      (title) => `## ${title}`,
      (title) => `*** ${title} ***`,
      (title) => [...title.toUpperCase()].join(" "),
      (title) => `${title} -`,
    ]),
    date: rng.pick<Style["date"]>([
      (y, m) => `${month(m)} ${y}`,
      (y, m) => `${month(m).slice(0, 3)} ${y}`,
      (y, m) => `${two(m)}/${y}`,
      (y) => String(y),
      (y, m) => `${month(m).slice(0, 3)}-${two(y)}`,
      (y, m) => `${y}-${two(m)}`,
      (y, m) => `${month(m).slice(0, 3)}'${two(y)}`,
      (y, m) => `01.${two(m)}.${y}`,
    ]),
    dash: rng.pick([" - ", " – ", "-", " to ", " — ", " till "]),
    column: rng.pick(["\t", "\t\t", "    ", " | ", ", ", " - ", " • ", "          "]),
    blankLines: rng.chance(0.7),
    nameInCapitals: rng.chance(0.2),
    entriesInCapitals: rng.chance(0.1),
  };
}
