/** Makes varied annotated resumes of people who do not exist, to train and measure on without any data set. */
import type { AnnotatedDocument } from "../../../data/annotated.ts";
import { Rng } from "../../../data/rng.ts";
import { Facts, type LexiconPart } from "./facts.ts";
import { TRADES } from "./lexicon.ts";
import { OTHER_SECTIONS } from "./other-sections.ts";
import { ResumeBuilder } from "./resume-builder.ts";
import * as sections from "./sections.ts";
import { drawStyle } from "./style.ts";
import type { Writer } from "./writer.ts";

export interface GenerateOptions {
  /**
   * `train` (the default) leaves out a reserved quarter of names, places, employers and skills; `heldOut` draws on it
   * often, so that a score on it tells what was understood rather than remembered.
   */
  readonly part?: LexiconPart;
}

/**
 * `count` made-up resumes with exact spans, labelled like the DataTurks data set. Resume `i` depends on seed, part and
 * `i` alone, so a longer list begins with the shorter one.
 * @throws RangeError when count is not a whole number from 0 on.
 */
export function generateResumes(
  count: number,
  seed: number,
  { part = "train" }: GenerateOptions = {},
): AnnotatedDocument[] {
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new RangeError(`generateResumes: expected a whole number of resumes, got ${count}`);
  }
  return Array.from({ length: count }, (_, i) => ({
    id: `generated ${i + 1}`,
    ...generateResume(new Rng(`resume ${part} ${seed} ${i}`), part),
  }));
}

function generateResume(rng: Rng, part: LexiconPart): Omit<AnnotatedDocument, "id"> {
  const facts = new Facts(rng, part);
  const style = drawStyle(rng);
  const trade = rng.pick(TRADES);
  const person = facts.person();
  const out = new ResumeBuilder(style.lineBreak);
  const w: Writer = {
    out,
    rng,
    facts,
    style,
    trade,
    person,
    printedName: style.nameInCapitals ? person.full.toUpperCase() : person.full,
    title: facts.jobTitle(trade),
    now: rng.int(2012, 2025),
    years: rng.int(1, 18),
  };
  sections.header(w);
  const main = [
    ...(rng.chance(0.65) ? [sections.summary] : []),
    ...(rng.chance(0.93) ? [sections.experience] : []),
    ...(rng.chance(0.93) ? [sections.education] : []),
    ...(rng.chance(0.88) ? [sections.skillList] : []),
  ];
  const ordered = rng.chance(0.6) ? main : rng.shuffle(main);
  for (const write of [...ordered, ...rng.sample(OTHER_SECTIONS, rng.int(0, 3))]) write(w);
  return out.build(style.width);
}
