/** What every section of a made-up resume is written with. */
import type { Rng } from "../../../data/rng.ts";
import type { Facts } from "./facts.ts";
import { HEADINGS, type Trade } from "./lexicon.ts";
import { sentence } from "./prose.ts";
import type { ResumeBuilder } from "./resume-builder.ts";
import type { Style } from "./style.ts";

/** The labels of the DataTurks resume data set, which made-up resumes carry too. */
export const RESUME_LABELS = [
  "Name",
  "Designation",
  "Companies worked at",
  "Skills",
  "College Name",
  "Degree",
  "Graduation Year",
  "Location",
  "Years of Experience",
  "Email Address",
] as const;

export type ResumeLabel = (typeof RESUME_LABELS)[number];

/** One resume in the making: its text so far, its look and the person it is about. */
export interface Writer {
  readonly out: ResumeBuilder;
  readonly rng: Rng;
  readonly facts: Facts;
  readonly style: Style;
  readonly trade: Trade;
  readonly person: { readonly first: string; readonly last: string; readonly full: string };
  /** The name as this resume prints it. */
  readonly printedName: string;
  readonly title: string;
  /** The year in which it was written. */
  readonly now: number;
  /** Years since the first job. */
  readonly years: number;
}

/** Appends an entity; a typed shorthand for the builder's method. */
export function entity(w: Writer, label: ResumeLabel, text: string): void {
  w.out.entity(label, text);
}

/** A slot that appends an entity. */
export function mark(w: Writer, label: ResumeLabel, text: string): () => void {
  return () => entity(w, label, text);
}

/** A slot that appends an entity of a list of jobs or schools, in capitals where the style wants it. */
export function markEntry(w: Writer, label: ResumeLabel, text: string): () => void {
  return mark(w, label, w.style.entriesInCapitals ? text.toUpperCase() : text);
}

/** Begins a section on a new line under one of the headings of its kind. */
export function heading(w: Writer, kind: keyof typeof HEADINGS): void {
  w.out.endLine();
  if (w.style.blankLines) w.out.add("\n");
  w.out.add(w.style.heading(w.rng.pick(HEADINGS[kind]))).add("\n");
  if (w.style.blankLines && w.rng.chance(0.3)) w.out.add("\n");
}

/** A sentence on work done, with the skills in it marked; other employers named in it are not this person's. */
export function task(w: Writer): void {
  if (w.rng.chance(0.08)) {
    w.out.add(
      w.rng.pick([
        `Delivered projects for clients such as ${w.facts.company()}`,
        `Competed with ${w.facts.company()} for public tenders`,
        `Moved stock from the ${w.facts.location()} depot under a new contract`,
        `Reported to ${w.facts.person().full}, head of the department`,
        `Awarded employee of the year ${w.rng.int(w.now - 9, w.now)}`,
      ]),
    );
    return;
  }
  if (w.rng.chance(0.5)) {
    w.out.add(sentence(w.rng)).add(w.rng.pick(["", "", ".", ";"]));
    return;
  }
  w.out.fill(w.rng.pick(w.trade.tasks), {
    n: () => w.out.add(String(w.rng.int(2, 60))),
    skill: () => skill(w),
  });
  w.out.add(w.rng.pick(["", "", ".", ";"]));
}

/** Appends one skill. */
export function skill(w: Writer): void {
  entity(w, "Skills", w.facts.skill(w.trade));
}

/** Appends skills with a separator between them. */
export function joinSkills(w: Writer, items: readonly string[], separator: string): void {
  items.forEach((item, i) => {
    if (i > 0) w.out.add(separator);
    entity(w, "Skills", item);
  });
}

/** A length of time as resumes print it. */
export function duration(w: Writer): string {
  const n = Math.max(1, w.years);
  const words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
  return w.rng.pick([
    `${n} years`,
    `${n}+ years`,
    `${n} yrs`,
    `over ${n} years`,
    `${n}.${w.rng.int(1, 9)} years`,
    `${n} years ${w.rng.int(1, 11)} months`,
    `more than ${n} years`,
    `${words[n - 1] ?? n} years`,
    `${w.rng.int(2, 30)} months`,
  ]);
}
