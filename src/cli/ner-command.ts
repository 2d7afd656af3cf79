/** The `ner` command: trains a tagger of resume entities or loads one, measures it, reads a resume and reports. */
import { CommanderError } from "commander";
import type { AnnotatedDocument } from "../data/annotated.ts";
import { ensureWritableFolder } from "../data/atomic-write.ts";
import type { Repairs } from "../data/repairs.ts";
import {
  entitiesOf,
  evaluateTagger,
  type Evaluation,
  type FoundEntity,
  type Tagger,
  type TrainTagger,
} from "../tasks/ner/tagger.ts";
import { Progress, type ProgressStream } from "../train/progress.ts";
import { INTERRUPTED, InterruptedError, onInterrupt } from "./interrupt.ts";
import { loadAnnotated, loadDocuments, loadTextToRead } from "./ner-data.ts";
import { nerCommand, type Device, type NerOptions } from "./ner-options.ts";
import { interruptedLine, readableResult, resultLine } from "./ner-report.ts";
import { ensureNoRun, saveRun } from "./output-folder.ts";

/** What the command needs of the world around it. */
export interface NerEnvironment {
  /** How the user calls the program, for its help. */
  readonly program: string;
  readonly version: string;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: ProgressStream;
  readonly train: TrainTagger;
  /** The tagger saved in a folder. @throws Error when there is none that can be used. */
  readonly load: (folder: string) => Promise<Tagger>;
  /**
   * Makes a device the default one, unless undefined, and gives the name of the one in use.
   * @throws Error when it is not to be had.
   */
  readonly useDevice: (device: Device | undefined) => Promise<string>;
}

/**
 * Runs the command and gives its exit code: 0, 1 for bad input or a failure, 2 for wrong usage, 130 after Ctrl-C. In
 * every case but the first the last line on stderr says why.
 *
 * @param argv arguments without the program's own name.
 */
export async function runNer(
  argv: readonly string[],
  environment: NerEnvironment,
): Promise<number> {
  const { stdout, stderr } = environment;
  const command = nerCommand(environment.program, environment.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
    })
    .action(async (options: NerOptions) => {
      const say = (line: string) => {
        if (!options.quiet) stderr.write(`${line}\n`);
      };
      if (options.model === undefined) await trainAndReport(options, environment, say);
      else await readAndReport(options.model, options, environment, say);
    });
  try {
    await command.parseAsync(argv, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const message = error instanceof Error ? error.message : String(error);
    stderr.write(`error: ${message}\n`);
    return error instanceof InterruptedError ? INTERRUPTED : 1;
  }
}

type Say = (line: string) => void;

/** Documents to measure on, and how to call them. */
interface Measure {
  readonly documents: readonly AnnotatedDocument[];
  readonly description: string;
  readonly repairs: Repairs;
}

async function trainAndReport(
  options: NerOptions,
  environment: NerEnvironment,
  say: Say,
): Promise<void> {
  if (options.output !== undefined && !options.overwrite) await ensureNoRun(options.output);
  const text = await loadTextToRead(options.read);
  const { train, heldOut, repairs } = await loadDocuments(options.data, options.seed, say);
  if (options.output !== undefined) await ensureWritableFolder(options.output);
  const device = await environment.useDevice(options.device);
  const measure = {
    documents: heldOut,
    description: `${heldOut.length} documents held out`,
    repairs,
  };

  const { tagger, found } = await onInterrupt(say, async (signal) => {
    const progress = options.quiet ? undefined : new Progress({ stream: environment.stderr });
    const training = environment.train(train, {
      epochs: options.epochs,
      maxSteps: options.maxSteps,
      batchSize: options.batchSize,
      learningRate: options.lr,
      seed: options.seed,
      onStep: (step) => progress?.update(step),
      // What was trained until Ctrl-C is worth keeping only where it can be saved.
      ...(options.output === undefined ? { signal } : { shouldStop: () => signal.aborted }),
    });
    const tagger = await training.finally(() => progress?.end());
    try {
      signal.throwIfAborted();
      return { tagger, found: await measureAndRead(tagger, measure, text, signal) };
    } catch (error) {
      const { output } = options;
      const extent = tagger.training;
      if (!(error instanceof InterruptedError) || output === undefined || !extent?.steps)
        throw error;
      const line = interruptedLine(extent, device);
      const names = await saveRun(output, tagger, line);
      if (options.json) environment.stdout.write(`${line}\n`);
      throw new InterruptedError(
        `saved unmeasured after ${extent.steps} of ${extent.plannedSteps} steps: wrote ${names} to ${output}`,
      );
    }
  });

  const result = report(found, measure, device, options, environment, say);
  if (options.output !== undefined) {
    say(`wrote ${await saveRun(options.output, tagger, result)} to ${options.output}`);
  }
}

async function readAndReport(
  folder: string,
  options: NerOptions,
  environment: NerEnvironment,
  say: Say,
): Promise<void> {
  const text = await loadTextToRead(options.read);
  const device = await environment.useDevice(options.device);
  const tagger = await environment.load(folder);
  const { steps, plannedSteps } = tagger.training ?? { steps: 0, plannedSteps: 0 };
  const early =
    steps < plannedSteps
      ? `, whose training was stopped after ${steps} of ${plannedSteps} steps`
      : "";
  say(`${folder}: a model of ${tagger.labels.length} labels${early}`);
  let measure: Measure | undefined;
  if (options.data !== undefined) {
    const { documents, repairs } = await loadAnnotated(options.data, say);
    measure = {
      documents,
      description: `all ${documents.length} documents of ${options.data}`,
      repairs,
    };
  }
  const found = await onInterrupt(say, (signal) => measureAndRead(tagger, measure, text, signal));
  report(found, measure, device, options, environment, say);
}

interface Found {
  readonly text: string;
  readonly evaluation: Evaluation | undefined;
  readonly entities: readonly FoundEntity[];
}

async function measureAndRead(
  tagger: Tagger,
  measure: Measure | undefined,
  text: string,
  signal: AbortSignal,
): Promise<Found> {
  const evaluation = measure && (await evaluateTagger(tagger, measure.documents, signal));
  const [tagged] = await tagger.tag([text], signal);
  signal.throwIfAborted();
  return { text, evaluation, entities: tagged ? entitiesOf(tagged) : [] };
}

/** Prints the result and gives its line of JSON. */
function report(
  { text, evaluation, entities }: Found,
  measure: Measure | undefined,
  device: string,
  options: NerOptions,
  { stdout, stderr }: NerEnvironment,
  say: Say,
): string {
  const measured = evaluation && measure && { report: evaluation.report, repairs: measure.repairs };
  const result = { measured, entities, device };
  if (evaluation && evaluation.misaligned > 0) {
    say(
      `${evaluation.misaligned} true entities begin or end inside a token and are compared by whole tokens`,
    );
  }
  const readable = readableResult(result, {
    documents: measure?.description ?? "",
    source: options.read ?? "the sample resume",
    // A user's own text is known to the user.
    text: options.read === undefined ? text : undefined,
  });
  const line = resultLine(result);
  if (!options.json) stdout.write(readable);
  else {
    if (!options.quiet) stderr.write(readable);
    stdout.write(`${line}\n`);
  }
  return line;
}
