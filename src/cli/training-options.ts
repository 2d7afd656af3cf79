/** The options that all commands share that train something. */
import type { Command } from "commander";
import { Option } from "commander";
import type { Every } from "../train/trainer-options.ts";
import { applyConfig } from "./config-file.ts";
import { every, httpAddress, realNumber, wholeNumber } from "./options.ts";

export const DEVICES = ["cpu", "webgpu", "wasm"] as const;
export type Device = (typeof DEVICES)[number];

/** Their values, as commander gives them. */
export interface TrainingOptions {
  readonly data?: string;
  readonly output?: string;
  readonly overwrite?: true;
  readonly epochs?: number;
  readonly maxSteps?: number;
  readonly batchSize: number;
  readonly accumulate: number;
  readonly lr: number;
  readonly seed: number;
  readonly evalSteps?: Every;
  readonly patience?: number;
  readonly saveSteps: Every;
  readonly keep: number;
  readonly loggingSteps: number;
  /** True: from the newest checkpoint in `output`; else a checkpoint's folder. */
  readonly resume?: true | string;
  readonly skipNonFinite?: true;
  readonly tensorboard: boolean;
  readonly mlflow?: string;
  readonly device?: Device;
  readonly json?: true;
  readonly quiet?: true;
}

/** What differs from one command to the other. */
export interface TrainingDefaults {
  /** Words for help. */
  readonly data: string;
  readonly epochs: string;
  readonly batch: string;
  /** Words stand for defaults that the data decides. */
  readonly batchSize: number | string;
  readonly lr: number | string;
}

/** Options that only a training heeds, by their names in {@link TrainingOptions}. */
export const OF_TRAINING = [
  ...["epochs", "maxSteps", "batchSize", "accumulate", "lr", "seed", "output", "overwrite"],
  ...["evalSteps", "patience", "saveSteps", "keep", "loggingSteps", "resume", "skipNonFinite"],
  ...["tensorboard", "mlflow"],
];

export const deviceOption = (): Option =>
  new Option("--device <name>", "where to compute (default: cpu)")
    .choices(DEVICES)
    .env("LEARNING_LOOP_DEVICE");

/** The option with its default, or with the words for it. */
export function withDefault(option: Option, value: number | string): Option {
  if (typeof value === "number") return option.default(value);
  option.description += ` (default: ${value})`;
  return option;
}

/** Adds the options; before the command's action the values of `--config` are filled in. */
export function addTrainingOptions(command: Command, defaults: TrainingDefaults): Command {
  return command
    .option("--data <file>", defaults.data)
    .option(
      "--output <folder>",
      "keep the run there: checkpoints, the model, the result, and logs for `runs` and TensorBoard",
    )
    .addOption(
      new Option("--overwrite", "let --output replace a run that is there").conflicts("resume"),
    )
    .option(
      "--resume [checkpoint]",
      "go on from the last checkpoint in --output, or from the one named; options that are not given are those of the run",
    )
    .option(
      "--epochs <n>",
      `passes over the training data (default: ${defaults.epochs})`,
      wholeNumber(1, 10_000),
    )
    .option(
      "--max-steps <n>",
      "train for so many steps, or fewer where --epochs end before; the learning rate is planned for them",
      wholeNumber(1, 1e9),
    )
    .addOption(
      withDefault(
        new Option("--batch-size <n>", defaults.batch).argParser(wholeNumber(1, 4096)),
        defaults.batchSize,
      ),
    )
    .option(
      "--accumulate <n>",
      "batches whose mean gradient makes one step",
      wholeNumber(1, 4096),
      1,
    )
    .addOption(
      withDefault(
        new Option("--lr <x>", "largest learning rate").argParser(realNumber(0, 1)),
        defaults.lr,
      ),
    )
    .option("--seed <n>", "seed of everything random", wholeNumber(0, 2 ** 32 - 1), 1)
    .option(
      "--eval-steps <n>",
      'evaluate on validation data every so many steps, or each "epoch", and keep the best model (default: never)',
      every,
    )
    .option(
      "--patience <n>",
      "stop after so many evaluations without a better one (default: never; evaluates each epoch unless --eval-steps is given)",
      wholeNumber(1, 1e6),
    )
    .option(
      "--save-steps <n>",
      'write a checkpoint every so many steps, or each "epoch"',
      every,
      "epoch",
    )
    .option(
      "--keep <n>",
      "newest checkpoints to keep, besides the best one",
      wholeNumber(1, 1e6),
      3,
    )
    .option("--logging-steps <n>", "steps in one line of the logs", wholeNumber(1, 1e6), 10)
    .option(
      "--skip-non-finite",
      "leave out steps whose loss or gradients are not finite (default: stop)",
    )
    .option("--no-tensorboard", "write no event files for TensorBoard into --output")
    .option("--mlflow <address>", "send the curves to an MLflow tracking server", httpAddress)
    .addOption(deviceOption())
    .option(
      "--config <file>",
      'JSON object with any of these options, e.g. { "batch-size": 8 }; the command line goes first',
    )
    .option(
      "--json",
      "print events, then the result, as lines of JSON on stdout, everything else on stderr",
    )
    .option("--quiet", "show no progress")
    .hook("preAction", (_, action) => applyConfig(action));
}
