/** The `translate` command: train a translator on pairs of sentences, measure it, translate with it. */
import { Command } from "commander";
import { ensureWritableFolder } from "../data/atomic-write.ts";
import { dirname } from "node:path";
import { runCommand, subcommandsOf, withManners } from "./command-line.ts";
import { checkedTraining } from "./resume.ts";
import { followJob, printResult, type JobRun } from "./run-job.ts";
import type { TranslateEvalJob, TranslateTrainJob } from "./translate-job.ts";
import {
  addEvalOptions,
  addPredictOptions,
  addTrainOptions,
  TRANSLATE,
  withLayers,
  withRecipe,
  type GivenTrainOptions,
  type TranslateEvalOptions,
  type TranslatePredictOptions,
  type TranslateTrainOptions,
} from "./translate-options.ts";
import { predict, type PredictSurroundings } from "./translate-predict.ts";
import { readableResult, resultLine, type TranslateMeasured } from "./translate-report.ts";

/** What the command needs of the world around it. */
export interface TranslateEnvironment extends PredictSurroundings {
  /** These begin the runs of translate-job.ts. */
  readonly train: (job: TranslateTrainJob) => JobRun<TranslateMeasured>;
  readonly evaluate: (job: TranslateEvalJob) => JobRun<TranslateMeasured>;
}

/**
 * Runs the command and gives its exit code, as `runCommand` says.
 *
 * @param argv arguments after `translate`.
 */
export async function runTranslate(
  argv: readonly string[],
  environment: TranslateEnvironment,
): Promise<number> {
  const { program, stderr } = environment;
  const name = `${program} translate`;
  const command = withManners(new Command(name), environment).description(
    "Translate with a Transformer of your own: train it on pairs of sentences, measure it on pairs held out, translate texts.",
  );
  const sub = subcommandsOf(command, name, environment);

  addTrainOptions(
    sub(
      "train",
      "Train a translator, and measure it on pairs that it was not trained on.",
      [
        "train --output runs/dates",
        "train --data pairs.tsv --output runs/first",
        "train --output runs/first --resume",
      ], //
    ),
  ).action(async (given: GivenTrainOptions, self: Command) => {
    const say = (line: string): void => void (given.quiet || stderr.write(`${line}\n`));
    // The recipe is that for the data of the run that goes on.
    const options = withRecipe(
      await checkedTraining(TRANSLATE, withLayers(given, self), self, say),
    );
    checkTogether(options, self);
    const job = { options, command: [program, "translate", ...argv] };
    await followJob(environment.train(job), options, environment, (measured) => {
      const line = resultLine(measured, { speed: false });
      printResult({ readable: readableResult(measured), line }, options, environment);
    });
  });

  addEvalOptions(
    sub("eval", "Measure a translator: exact match, BLEU and chrF, as sacrebleu computes them.", [
      "eval runs/first",
      "eval runs/first --data others.tsv --beams 4 --json",
    ]).argument("<folder>", "what `train --output` wrote"),
  ).action(async (folder: string, options: TranslateEvalOptions, self: Command) => {
    if (options.reverse && options.data === undefined)
      self.error("error: option '--reverse' needs '--data <file>'", { exitCode: 2 });
    const { outputTranslations } = options;
    if (outputTranslations !== undefined) await ensureWritableFolder(dirname(outputTranslations));
    const run = environment.evaluate({ folder, options });
    await followJob(run, options, environment, (measured) => {
      const line = resultLine(measured, { speed: true });
      printResult({ readable: readableResult(measured), line }, options, environment);
    });
  });

  addPredictOptions(
    sub("predict", "Translate texts: arguments, lines of a file, or lines of stdin as they come.", [
      "predict runs/dates 'May 9, 2031' '9 mai 2031'",
      "predict runs/first --file texts.txt --beams 4 --output translations.txt",
      "predict runs/first 'How are you?' --attention attention.html",
    ])
      .argument("<folder>", "what `train --output` wrote")
      .argument("[text...]", "texts to translate"),
  ).action(
    async (
      folder: string,
      texts: readonly string[],
      options: TranslatePredictOptions,
      self: Command,
    ) => {
      const refuse = (problem: string) => self.error(`error: ${problem}`, { exitCode: 2 });
      const { file, attention, target, output, json } = options;
      if (file !== undefined && texts.length > 0)
        refuse("option '--file <file>' cannot be used with texts as arguments");
      if (target !== undefined && attention === undefined)
        refuse("option '--target <text>' needs '--attention <file>'");
      if (attention !== undefined && (output !== undefined || json))
        refuse("option '--attention <file>' cannot be used with '--output' or '--json'");
      await predict({ folder, texts, options }, environment);
    },
  );
  return await runCommand(command, argv, environment);
}

/** What no option shows alone. */
function checkTogether(options: TranslateTrainOptions, command: Command): void {
  const { dModel, heads, reverse, data, heldOut, heldOutData } = options;
  if (dModel % heads !== 0)
    command.error(
      `error: option '--d-model' must be a multiple of '--heads', got ${dModel} and ${heads}`,
      {
        exitCode: 2,
      },
    );
  // Of a file with options, which commander does not compare.
  if (heldOut !== undefined && heldOutData !== undefined)
    command.error("error: option '--held-out' cannot be used with '--held-out-data'", {
      exitCode: 2,
    });
  if (reverse && data === undefined)
    command.error("error: option '--reverse' needs '--data <file>'; dates have many spellings", {
      exitCode: 2,
    });
}
