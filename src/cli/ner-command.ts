/** The `ner` command: trains a tagger of resume entities, measures it, reads a resume and reports. */
import { Command, CommanderError, Option } from "commander";
import { join } from "node:path";
import { ensureWritableFolder, writeFileAtomic } from "../data/atomic-write.ts";
import { entitiesOf, evaluateTagger, type TrainTagger } from "../tasks/ner/tagger.ts";
import { Progress, type ProgressStream } from "../train/progress.ts";
import { INTERRUPTED, InterruptedError, onInterrupt } from "./interrupt.ts";
import { loadDocuments, loadTextToRead } from "./ner-data.ts";
import { entityTable, resultLine, scoreTable } from "./ner-report.ts";
import { realNumber, wholeNumber } from "./options.ts";

const DEVICES = ["cpu", "webgpu", "wasm"] as const;

export interface NerOptions {
  readonly data?: string;
  readonly read?: string;
  readonly json?: true;
  readonly epochs?: number;
  readonly maxSteps?: number;
  readonly batchSize: number;
  readonly lr: number;
  readonly seed: number;
  readonly device?: (typeof DEVICES)[number];
  readonly output?: string;
  readonly quiet?: true;
}

/** What the command needs of the world around it. */
export interface NerEnvironment {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: ProgressStream;
  readonly train: TrainTagger;
  /** Makes a device the default one. @throws Error when it is not to be had. */
  readonly useDevice: (device: (typeof DEVICES)[number]) => Promise<unknown>;
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
  const command = nerCommand()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
    })
    .action(async (options: NerOptions) => trainAndReport(options, environment));
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

function nerCommand(): Command {
  return new Command("npm start --")
    .description(
      "Train a small Transformer from scratch to find entities in resumes, measure it on documents held out, " +
        "then read a resume that it never saw.",
    )
    .option(
      "--data <file>",
      "annotated resumes: DataTurks or own JSON lines, XML with inline labels, or a zip of such XML (default: made-up ones)",
    )
    .option("--read <file>", "text of the resume to read (default: a sample)")
    .option("--json", "print the result as one line of JSON on stdout, everything else on stderr")
    .option(
      "--epochs <n>",
      "passes over the training documents (default: as many as take about 1,200 steps)",
      wholeNumber(1, 10_000),
    )
    .option("--max-steps <n>", "stop after so many steps", wholeNumber(1, 1e9))
    .option("--batch-size <n>", "windows of text a step", wholeNumber(1, 4096), 16)
    .option("--lr <x>", "largest learning rate", realNumber(0, 1), 0.004)
    .option("--seed <n>", "seed of everything random", wholeNumber(0, 2 ** 32 - 1), 1)
    .addOption(
      new Option("--device <name>", "where to compute (default: cpu)")
        .choices(DEVICES)
        .env("LEARNING_LOOP_DEVICE"),
    )
    .option("--output <folder>", "save model and result there")
    .option("--quiet", "show no progress")
    .addHelpText(
      "after",
      "\nExample:\n  npm start -- --data resumes.jsonl --read my-resume.txt --output runs/first\n",
    )
    .helpOption("-h, --help", "show this help")
    .allowExcessArguments(false)
    .showHelpAfterError("(--help lists the options)");
}

async function trainAndReport(options: NerOptions, environment: NerEnvironment): Promise<void> {
  const { stdout, stderr } = environment;
  const say = (line: string) => {
    if (!options.quiet) stderr.write(`${line}\n`);
  };
  const text = await loadTextToRead(options.read);
  const { train, heldOut, repairs } = await loadDocuments(options.data, options.seed, say);
  if (options.output !== undefined) await ensureWritableFolder(options.output);
  if (options.device !== undefined) await environment.useDevice(options.device);

  const { tagger, evaluation, found } = await onInterrupt(say, async (signal) => {
    const progress = options.quiet ? undefined : new Progress({ stream: stderr });
    const training = environment.train(train, {
      epochs: options.epochs,
      maxSteps: options.maxSteps,
      batchSize: options.batchSize,
      learningRate: options.lr,
      seed: options.seed,
      onStep: (step) => progress?.update(step),
      signal,
    });
    const tagger = await training.finally(() => progress?.end());
    const evaluation = await evaluateTagger(tagger, heldOut);
    signal.throwIfAborted();
    const [tagged] = await tagger.tag([text]);
    signal.throwIfAborted();
    return { tagger, evaluation, found: tagged ? entitiesOf(tagged) : [] };
  });

  const { report, misaligned } = evaluation;
  const result = resultLine(report, found, repairs);
  if (options.output !== undefined) {
    const files = new Map(await tagger.files()).set("result.json", `${result}\n`);
    for (const [name, content] of files) await writeFileAtomic(join(options.output, name), content);
    say(`wrote ${[...files.keys()].join(", ")} to ${options.output}`);
  }
  if (misaligned > 0) {
    say(`${misaligned} true entities begin or end inside a token and are compared by whole tokens`);
  }
  const readable = [
    `Scores on ${heldOut.length} documents held out:`,
    scoreTable(report),
    "",
    `Entities in ${options.read ?? "the sample resume"}:`,
    entityTable(found),
    "",
  ].join("\n");
  if (!options.json) stdout.write(readable);
  else {
    if (!options.quiet) stderr.write(readable);
    stdout.write(`${result}\n`);
  }
}
