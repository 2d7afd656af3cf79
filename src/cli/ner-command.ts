/** The `ner` command: its options, and its report on what its worker trained or read. */
import type { Command } from "commander";
import { runCommand, withManners } from "./command-line.ts";
import { loadTextToRead } from "./ner-data.ts";
import type { NerJob, NerMeasured } from "./ner-job.ts";
import { NER, nerCommand, type NerOptions } from "./ner-options.ts";
import { readableResult, resultLine } from "./ner-report.ts";
import { checkedTraining } from "./resume.ts";
import { followJob, printResult, type JobRun, type Surroundings } from "./run-job.ts";
import { OF_TRAINING } from "./training-options.ts";

/** What the command needs of the world around it. */
export interface NerEnvironment extends Surroundings {
  /** Begins one of the runs of ner-job.ts. */
  readonly run: (name: "train" | "read", job: NerJob) => JobRun<NerMeasured>;
}

/**
 * Runs the command and gives its exit code, as `runCommand` says.
 *
 * @param argv arguments without the program's own name.
 */
export function runNer(argv: readonly string[], environment: NerEnvironment): Promise<number> {
  const { program, stderr } = environment;
  const command = withManners(nerCommand(program, environment.version), environment).action(
    async (options: NerOptions) => {
      const name = options.model === undefined ? "train" : "read";
      const say = (line: string): void => void (options.quiet || stderr.write(`${line}\n`));
      const checked =
        name === "train"
          ? await checkedTraining(NER, options, command, say)
          : toRead(options, command);
      const text = await loadTextToRead(options.read);
      const job = { options: checked, text, command: [program, ...argv] };
      await followJob(environment.run(name, job), checked, environment, (measured) =>
        report(measured, job, environment),
      );
    },
  );
  return runCommand(command, argv, environment);
}

function toRead(options: NerOptions, command: Command): NerOptions {
  const odd = OF_TRAINING.find((name) => command.getOptionValueSource(name) === "config");
  if (odd !== undefined) {
    command.error(`error: option '--model <folder>' cannot be used with "${odd}" of --config`, {
      exitCode: 2,
    });
  }
  return options;
}

function report(
  { result, documents, misaligned }: NerMeasured,
  { options, text }: NerJob,
  streams: Pick<NerEnvironment, "stdout" | "stderr">,
): void {
  if (misaligned > 0 && !options.quiet) {
    streams.stderr.write(
      `${misaligned} true entities begin or end inside a token and are compared by whole tokens\n`,
    );
  }
  const readable = readableResult(result, {
    documents,
    source: options.read ?? "the sample resume",
    // A user's own text is known to the user.
    text: options.read === undefined ? text : undefined,
  });
  printResult({ readable, line: resultLine(result) }, options, streams);
}
