/** The `ner` command: its options, what it shows while its worker trains or reads, its report and its exit codes. */
import { dirname, resolve } from "node:path";
import { CommanderError, type Command } from "commander";
import { Progress, type ProgressStream } from "../train/progress.ts";
import type { WorkerRun } from "../train/worker.ts";
import { InterruptedError, onInterrupt } from "./interrupt.ts";
import { loadTextToRead } from "./ner-data.ts";
import type { NerEvent, NerJob, NerOutcome } from "./ner-job.ts";
import { nerCommand, type NerOptions } from "./ner-options.ts";
import { interruptedLine, readableResult, resultLine } from "./ner-report.ts";
import { ensureNoRun } from "./output-folder.ts";
import { withResumedOptions } from "./resume.ts";
import { OF_TRAINING } from "./training-options.ts";

/** What the command needs of the world around it. */
export interface NerEnvironment {
  /** How the user calls the program, for its help. */
  readonly program: string;
  readonly version: string;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: ProgressStream;
  /** Begins one of the runs of ner-job.ts. */
  readonly run: (name: "train" | "read", job: NerJob) => WorkerRun<NerEvent, NerOutcome>;
}

/**
 * Runs the command and gives its exit code: 0, 1 for bad input or a failure, 2 for wrong usage, 130 after Ctrl-C, 143
 * after SIGTERM. In every case but the first the last line on stderr says why.
 *
 * @param argv arguments without the program's own name.
 */
export async function runNer(
  argv: readonly string[],
  environment: NerEnvironment,
): Promise<number> {
  const { program, stdout, stderr } = environment;
  const command = nerCommand(program, environment.version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
    })
    .action(async (options: NerOptions) => {
      const name = options.model === undefined ? "train" : "read";
      const say = (line: string): void => void (options.quiet || stderr.write(`${line}\n`));
      const checked = await (name === "train" ? toTrain : toRead)(options, command, say);
      const text = await loadTextToRead(options.read);
      const job = { options: checked, text, command: [program, ...argv] };
      await runAndReport(name, job, environment);
    });
  try {
    await command.parseAsync(argv, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const message = error instanceof Error ? error.message : String(error);
    stderr.write(`error: ${message}\n`);
    return error instanceof InterruptedError ? error.exitCode : 1;
  }
}

/** The options of a training, checked against what is in the output folder, and those of the run that goes on. */
async function toTrain(
  given: NerOptions,
  command: Command,
  say: (line: string) => void,
): Promise<NerOptions> {
  const { output, overwrite } = given;
  const isLast = given.resume === true || given.resume === "true" || given.resume === "last";
  const options: NerOptions = isLast ? { ...given, resume: true } : given;
  const { resume } = options;
  if (resume === true && output === undefined) {
    command.error(
      "error: option '--resume' needs '--output <folder>', where the checkpoints are, or the path of one",
      { exitCode: 2 },
    );
  }
  if (output !== undefined && !overwrite) {
    const isThere = typeof resume === "string" && resolve(dirname(resume)) === resolve(output);
    await ensureNoRun(output, { resume: resume === true || isThere });
  }
  return withResumedOptions("ner", command, options, say);
}

function toRead(options: NerOptions, command: Command): Promise<NerOptions> {
  const odd = OF_TRAINING.find((name) => command.getOptionValueSource(name) === "config");
  if (odd !== undefined) {
    command.error(`error: option '--model <folder>' cannot be used with "${odd}" of --config`, {
      exitCode: 2,
    });
  }
  return Promise.resolve(options);
}

async function runAndReport(
  name: "train" | "read",
  job: NerJob,
  environment: NerEnvironment,
): Promise<void> {
  const { options } = job;
  const { stdout, stderr } = environment;
  let progress: Progress | undefined;
  const say = (line: string) => {
    if (options.quiet) return;
    if (progress) progress.line(line);
    else stderr.write(`${line}\n`);
  };
  const endProgress = () => {
    progress?.end();
    progress = undefined;
  };
  const run = environment.run(name, job);
  const outcome = await onInterrupt({ say, stop: () => run.stop() }, async (interruption) => {
    try {
      for await (const event of run) {
        if (event.type === "note") {
          say(event.text);
          continue;
        }
        if (options.json) stdout.write(`${JSON.stringify(event)}\n`);
        if (event.type === "warning" && options.quiet) stderr.write(`warning: ${event.message}\n`);
        if (event.type === "start" && !options.quiet) progress = new Progress({ stream: stderr });
        progress?.onEvent(event);
        if (event.type === "end") endProgress();
      }
    } finally {
      endProgress();
    }
    const ended = await run.result;
    if (ended.type === "result") return ended;
    const { extent, device, wrote } = ended;
    const signal = interruption.signal ?? "SIGINT";
    if (extent === undefined || wrote === null) throw new InterruptedError(signal);
    if (options.json) stdout.write(`${interruptedLine(extent, device)}\n`);
    throw new InterruptedError(
      signal,
      `saved unmeasured after ${extent.steps} of ${extent.plannedSteps} steps: wrote ${wrote} to ${options.output}; --resume goes on`,
    );
  });
  report(outcome, job, environment);
  if (outcome.wrote !== null) say(`wrote ${outcome.wrote} to ${options.output}`);
}

function report(
  { result, documents, misaligned }: Extract<NerOutcome, { type: "result" }>,
  { options, text }: NerJob,
  { stdout, stderr }: NerEnvironment,
): void {
  if (misaligned > 0 && !options.quiet) {
    stderr.write(
      `${misaligned} true entities begin or end inside a token and are compared by whole tokens\n`,
    );
  }
  const readable = readableResult(result, {
    documents,
    source: options.read ?? "the sample resume",
    // A user's own text is known to the user.
    text: options.read === undefined ? text : undefined,
  });
  if (!options.json) stdout.write(readable);
  else {
    if (!options.quiet) stderr.write(readable);
    stdout.write(`${resultLine(result)}\n`);
  }
}
