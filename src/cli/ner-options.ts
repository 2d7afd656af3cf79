/** The options of the `ner` command and their help. */
import { Command, Option } from "commander";
import { realNumber, wholeNumber } from "./options.ts";

export const DEVICES = ["cpu", "webgpu", "wasm"] as const;
export type Device = (typeof DEVICES)[number];

export interface NerOptions {
  readonly data?: string;
  readonly read?: string;
  readonly model?: string;
  readonly json?: true;
  readonly epochs?: number;
  readonly maxSteps?: number;
  readonly batchSize: number;
  readonly lr: number;
  readonly seed: number;
  readonly device?: Device;
  readonly output?: string;
  readonly overwrite?: true;
  readonly quiet?: true;
}

/** Options that only a training heeds. */
const OF_TRAINING = ["epochs", "maxSteps", "batchSize", "lr", "seed", "output", "overwrite"];

/** @param program how the user calls the program, for usage and examples. */
export function nerCommand(program: string, version: string): Command {
  return new Command(program)
    .description(
      "Train a small Transformer from scratch to find entities in resumes, measure it on documents held out, " +
        "then read a resume that it never saw. With --model, read with a trained one instead.",
    )
    .option(
      "--data <file>",
      "annotated resumes: DataTurks or own JSON lines, XML with inline labels, or a zip of such XML (default: made-up ones)",
    )
    .option("--read <file>", "text of the resume to read (default: a sample)")
    .addOption(
      new Option(
        "--model <folder>",
        "read with the model that --output saved there, without training; --data, if given, is measured on",
      ).conflicts(OF_TRAINING),
    )
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
    .option("--overwrite", "let --output replace a run that is saved there")
    .option("--quiet", "show no progress")
    .addHelpText(
      "after",
      `\nExamples:\n  ${program} --data resumes.jsonl --output runs/first\n  ${program} --model runs/first --read my-resume.txt\n`,
    )
    .version(version, "--version", "show the version")
    .helpOption("-h, --help", "show this help")
    .allowExcessArguments(false)
    .showHelpAfterError("(--help lists the options)");
}
