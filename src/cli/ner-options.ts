/** The options of the `ner` command and their help. */
import { Command, Option } from "commander";
import type { TrainingCommand } from "./resume.ts";
import { COMMANDS } from "./program.ts";
import { addTrainingOptions, OF_TRAINING, type TrainingOptions } from "./training-options.ts";

export interface NerOptions extends TrainingOptions {
  readonly read?: string;
  readonly model?: string;
}

export const NER: TrainingCommand = {
  ...{ name: "ner", fixed: [], files: [], inherited: [] },
  madeUp: "made-up resumes",
};

/** @param program how the user calls the program, for usage and examples. */
export function nerCommand(program: string, version: string): Command {
  const command = new Command(program)
    .description(
      "Train a small Transformer from scratch to find entities in resumes, measure it on documents held out, " +
        "then read a resume that it never saw. With --model, read with a trained one instead.",
    )
    .option("--read <file>", "text of the resume to read (default: a sample)")
    .addOption(
      new Option(
        "--model <folder>",
        "read with the model that --output saved there, without training; --data, if given, is measured on",
      ).conflicts(OF_TRAINING),
    );
  return addTrainingOptions(command, {
    data: "annotated resumes: DataTurks or own JSON lines, XML with inline labels, or a zip of such XML (default: made-up ones)",
    epochs: "as many as take about 1,200 steps",
    batch: "windows of text a batch",
    batchSize: 16,
    lr: 0.004,
  })
    .addHelpText(
      "after",
      [
        "",
        "Examples:",
        `  ${program} --data resumes.jsonl --output runs/first`,
        `  ${program} --output runs/first --resume`,
        `  ${program} --model runs/first --read my-resume.txt`,
        "",
        "Commands, each with a --help of its own:",
        ...COMMANDS.map(([name, does]) => `  ${program} ${name.padEnd(12)}${does}`),
        "",
      ].join("\n"),
    )
    .version(version, "--version", "show the version");
}
