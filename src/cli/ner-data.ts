/** Gets the documents that the `ner` command trains and measures on, and the text that it reads at the end. */
import type { AnnotatedDocument } from "../data/annotated.ts";
import { DataError } from "../data/errors.ts";
import { readAnnotated } from "../data/read-annotated.ts";
import { readBytes, readText } from "../data/read-file.ts";
import { Repairs } from "../data/repairs.ts";
import { splitDocuments } from "../data/split.ts";
import { generateResumes } from "../tasks/ner/generate/resumes.ts";
import { SAMPLE_RESUME } from "../tasks/ner/sample-resume.ts";

/** Share of a data file's documents that is held out. */
const HELD_OUT = 0.2;
/** Share of the others that is set aside where there are evaluations while training. */
const VALIDATION = 0.1;
const GENERATED = { train: 1600, heldOut: 200, validation: 100 };

export interface NerData {
  readonly train: readonly AnnotatedDocument[];
  readonly heldOut: readonly AnnotatedDocument[];
  /** To evaluate on while training; undefined where that is not asked for. */
  readonly validation: readonly AnnotatedDocument[] | undefined;
  readonly repairs: Repairs;
}

export interface NerDataOptions {
  readonly seed: number;
  /** Whether documents are set aside to evaluate on while training. */
  readonly validation: boolean;
  /** Told what was read and repaired. */
  readonly say: (line: string) => void;
}

/** Documents of a file, or made-up ones without. */
export async function loadDocuments(
  file: string | undefined,
  { seed, validation, say }: NerDataOptions,
): Promise<NerData> {
  if (file === undefined) {
    const train = generateResumes(GENERATED.train, seed);
    const count = GENERATED.heldOut + (validation ? GENERATED.validation : 0);
    const others = generateResumes(count, seed, { part: "heldOut" });
    const heldOut = others.slice(0, GENERATED.heldOut);
    const aside = validation ? others.slice(GENERATED.heldOut) : undefined;
    say(
      `made up ${train.length} resumes to train on${toEvaluate(aside)} and ${heldOut.length} to measure on`,
    );
    return { train, heldOut, validation: aside, repairs: new Repairs() };
  }
  const { documents, repairs } = await loadAnnotated(file, say);
  try {
    const { train, heldOut } = splitDocuments(documents, { heldOut: HELD_OUT, seed });
    const split = validation
      ? splitDocuments(train, { heldOut: VALIDATION, seed })
      : { train, heldOut: undefined };
    const aside = split.heldOut;
    say(
      `${split.train.length} documents to train on${toEvaluate(aside)}, ${heldOut.length} held out to measure on`,
    );
    return { train: split.train, heldOut, validation: aside, repairs };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new DataError({ file }, error.message, { cause: error });
  }
}

const toEvaluate = (documents: readonly unknown[] | undefined): string =>
  documents === undefined ? "" : `, ${documents.length} to evaluate on`;

/** All documents of a file; `say` is told what was read and repaired. */
export async function loadAnnotated(
  file: string,
  say: (line: string) => void,
): Promise<{ readonly documents: readonly AnnotatedDocument[]; readonly repairs: Repairs }> {
  const { documents, repairs, format } = await readAnnotated(file).catch(async (error: unknown) => {
    const isArray = /^\s*\[/.test(new TextDecoder().decode(await readBytes(file)));
    if (!isArray) throw error;
    const problem = "got a JSON array; write one object a line (jq -c '.[]', for instance)";
    throw new DataError({ file }, problem, { cause: error });
  });
  say(`${file}: ${documents.length} documents (${format})`);
  for (const line of repairs.lines()) say(`  repaired: ${line}`);
  if (documents.every(({ entities }) => entities.length === 0)) {
    throw new DataError(
      { file },
      "no document has an entity, so there is nothing to learn or find",
    );
  }
  return { documents, repairs };
}

/** The text to find entities in: a file's, or the sample resume. */
export async function loadTextToRead(file: string | undefined): Promise<string> {
  return file === undefined ? SAMPLE_RESUME : await readText(file);
}
