/** The options of the `translate` commands and their help. */
import { Option, type Command } from "commander";
import { DATES, TEXT, type Recipe } from "../tasks/translation/recipe.ts";
import { belowOne, numberWithin, wholeNumber } from "./options.ts";
import type { TrainingCommand } from "./resume.ts";
import {
  addTrainingOptions,
  deviceOption,
  withDefault,
  type Device,
  type TrainingOptions,
} from "./training-options.ts";

/** How texts are translated. */
export interface DecodingOptions {
  readonly beams: number;
  readonly lengthPenalty: number;
}

/** The model, as options; they make a recipe together with those of the training. */
export interface ModelOptions {
  readonly vocabSize: number;
  readonly fold?: true;
  readonly dModel: number;
  readonly heads: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly feedforward: number;
  readonly dropout: number;
  readonly postNorm?: true;
  readonly positions: Recipe["positions"];
  readonly maxLength: number;
  readonly labelSmoothing: number;
  readonly warmup: number;
  readonly schedule: Recipe["schedule"];
}

export interface TranslateTrainOptions extends TrainingOptions, DecodingOptions, ModelOptions {
  /** Pairs to hold out; unless given, as `holdOutPairs` does. */
  readonly heldOut?: number;
  readonly heldOutData?: string;
  readonly evalPairs: number;
  readonly reverse?: true;
  readonly tokenizer?: string;
}

/** What commander gives: what is missing is taken from a run that goes on, or else from a recipe. */
export type GivenTrainOptions = Omit<
  TranslateTrainOptions,
  keyof ModelOptions | "batchSize" | "lr"
> &
  Partial<Pick<TranslateTrainOptions, keyof ModelOptions | "batchSize" | "lr">>;

/** All names, so that none is forgotten. */
const OF_MODEL: Readonly<Record<keyof ModelOptions, true>> = {
  ...{ vocabSize: true, fold: true, dModel: true, heads: true, encoderLayers: true },
  ...{ decoderLayers: true, feedforward: true, dropout: true, postNorm: true, positions: true },
  ...{ maxLength: true, labelSmoothing: true, warmup: true, schedule: true },
};

export const TRANSLATE: TrainingCommand = {
  name: "translate",
  fixed: [
    ...Object.keys(OF_MODEL),
    ...["heldOut", "heldOutData", "evalPairs", "reverse", "tokenizer"],
  ],
  files: ["heldOutData", "tokenizer"],
  inherited: ["beams", "lengthPenalty"],
  madeUp: "made-up dates",
};

const PAIRS = "sentence pairs: one a line, source and translation with a tab between, UTF-8";

/** A number of a recipe, as help tells it. */
const either = (name: keyof Recipe): string =>
  DATES[name] === TEXT[name]
    ? String(TEXT[name])
    : `${String(TEXT[name])}, for dates ${String(DATES[name])}`;

function addDecodingOptions(command: Command): Command {
  return command
    .option(
      "--beams <n>",
      "hypotheses kept at a time; 1 takes the likeliest token each time",
      wholeNumber(1, 64),
      1,
    )
    .option(
      "--length-penalty <x>",
      "exponent of the length by which log-probabilities are divided; more favours longer translations",
      numberWithin(0, 10),
      1,
    );
}

/** Adds the options of `translate train`. */
export function addTrainOptions(command: Command): Command {
  addTrainingOptions(command, {
    data: `${PAIRS} (default: made-up dates, to be written as 2031-05-09)`,
    epochs: `as many as take ${either("steps")} steps`,
    batch: "pairs a batch",
    batchSize: either("batchSize"),
    lr: either("learningRate"),
  })
    .option("--reverse", "translate the second column into the first")
    .addOption(
      new Option(
        "--held-out <n>",
        "pairs to measure on, whose sentences are not trained on (default: 1000, or a tenth of few)",
      )
        .argParser(wholeNumber(1, 1e6))
        .conflicts("heldOutData"),
    )
    .option("--held-out-data <file>", "pairs to measure on, instead of some of --data")
    .option(
      "--eval-pairs <n>",
      "more pairs held out, for evaluations while training (with --eval-steps or --patience)",
      wholeNumber(1, 1e6),
      200,
    )
    .addOption(
      new Option(
        "--tokenizer <file>",
        "a tokenizer.json to cut texts with (default: a byte-level BPE is trained on the pairs)",
      ).conflicts(["vocabSize", "fold"]),
    );
  const add = (flags: string, text: string, parse: (value: string) => number, words: string) =>
    command.addOption(withDefault(new Option(flags, text).argParser(parse), words));
  const size = wholeNumber(1, 65_536);
  add("--vocab-size <n>", "tokens of the vocabulary", wholeNumber(260, 1e6), either("vocabSize"));
  command.option(
    "--fold",
    "read and write lower case and the digits 0 to 9 only (the built-in dates always do)",
  );
  add("--d-model <n>", "features of a token; a multiple of --heads", size, either("dModel"));
  add("--heads <n>", "heads of each attention", size, either("nhead"));
  command.option(
    "--layers <n>",
    "layers of the encoder and as many of the decoder",
    wholeNumber(1, 100),
  );
  add("--encoder-layers <n>", "of the encoder", wholeNumber(1, 100), either("encoderLayers"));
  add("--decoder-layers <n>", "of the decoder", wholeNumber(1, 100), either("decoderLayers"));
  add("--feedforward <n>", "features inside feed-forward", size, either("dimFeedforward"));
  add("--dropout <x>", "share of features dropped in training", belowOne, either("dropout"));
  command
    .option("--post-norm", "normalise after each residual sum, as the paper did (default: before)")
    .addOption(
      new Option("--positions <kind>", `how positions are told (default: ${either("positions")})`) //
        .choices(["sinusoidal", "learned"]),
    );
  add("--max-length <n>", "longest text in tokens", wholeNumber(2, 65_536), either("maxLength"));
  add(
    "--label-smoothing <x>",
    "share of each target spread over the vocabulary",
    belowOne,
    either("labelSmoothing"),
  );
  add("--warmup <n>", "steps of rising learning rate", wholeNumber(1, 1e9), either("warmup"));
  command.addOption(
    new Option(
      "--schedule <kind>",
      `how the learning rate falls after it: in a line to 0, or with the inverse square root of the step (default: ${either("schedule")})`,
    ).choices(["linear", "noam"]),
  );
  return addDecodingOptions(command);
}

/** Takes `--layers` as the two options that it stands for. */
export function withLayers(
  { layers, ...given }: GivenTrainOptions & { readonly layers?: number },
  command: Command,
): GivenTrainOptions {
  if (layers === undefined) return given;
  const isFirst = command.getOptionValueSource("layers") === "cli";
  const open = (["encoderLayers", "decoderLayers"] as const).filter(
    (name) =>
      given[name] === undefined || (isFirst && command.getOptionValueSource(name) === "config"),
  );
  // As if they had been given, so that a run that goes on must have them too.
  for (const name of open) command.setOptionValueWithSource(name, layers, "cli");
  return { ...given, ...Object.fromEntries(open.map((name) => [name, layers])) };
}

/** The options with what the recipe for their data gives. */
export function withRecipe(options: GivenTrainOptions): TranslateTrainOptions {
  const recipe = options.data === undefined ? DATES : TEXT;
  return {
    ...options,
    batchSize: options.batchSize ?? recipe.batchSize,
    lr: options.lr ?? recipe.learningRate,
    vocabSize: options.vocabSize ?? recipe.vocabSize,
    ...((options.fold ?? recipe.fold) && { fold: true }),
    dModel: options.dModel ?? recipe.dModel,
    heads: options.heads ?? recipe.nhead,
    encoderLayers: options.encoderLayers ?? recipe.encoderLayers,
    decoderLayers: options.decoderLayers ?? recipe.decoderLayers,
    feedforward: options.feedforward ?? recipe.dimFeedforward,
    dropout: options.dropout ?? recipe.dropout,
    positions: options.positions ?? recipe.positions,
    maxLength: options.maxLength ?? recipe.maxLength,
    labelSmoothing: options.labelSmoothing ?? recipe.labelSmoothing,
    warmup: options.warmup ?? recipe.warmup,
    schedule: options.schedule ?? recipe.schedule,
    ...(!recipe.normFirst && { postNorm: true }),
  };
}

/** What the options say together, as `translationTraining` takes it. */
export function recipeOf(options: TranslateTrainOptions): Recipe {
  const { maxNorm, steps } = options.data === undefined ? DATES : TEXT;
  return {
    vocabSize: options.vocabSize,
    fold: options.fold ?? false,
    dModel: options.dModel,
    nhead: options.heads,
    encoderLayers: options.encoderLayers,
    decoderLayers: options.decoderLayers,
    dimFeedforward: options.feedforward,
    dropout: options.dropout,
    normFirst: !options.postNorm,
    positions: options.positions,
    maxLength: options.maxLength,
    labelSmoothing: options.labelSmoothing,
    warmup: options.warmup,
    schedule: options.schedule,
    batchSize: options.batchSize,
    learningRate: options.lr,
    maxNorm,
    steps,
  };
}

/** Of `translate eval` and `translate predict`. */
interface UseOptions extends DecodingOptions {
  readonly batchSize: number;
  readonly device?: Device;
  readonly json?: true;
  readonly quiet?: true;
}

export interface TranslateEvalOptions extends UseOptions {
  readonly data?: string;
  readonly reverse?: true;
  readonly maxPairs?: number;
  readonly outputTranslations?: string;
}

export interface TranslatePredictOptions extends UseOptions {
  readonly file?: string;
  readonly output?: string;
  readonly attention?: string;
  readonly target?: string;
}

function addUseOptions(command: Command, json: string): Command {
  return addDecodingOptions(command)
    .option("--batch-size <n>", "texts translated together", wholeNumber(1, 4096), 32)
    .addOption(deviceOption())
    .option("--json", json)
    .option("--quiet", "show no progress");
}

/** Adds the options of `translate eval`. */
export function addEvalOptions(command: Command): Command {
  command
    .option("--data <file>", `${PAIRS} (default: those that the run held out)`)
    .option("--reverse", "translate the second column of --data into the first")
    .option("--max-pairs <n>", "measure on so many of them, drawn at random", wholeNumber(1, 1e9))
    .option(
      "--output-translations <file>",
      "write the translations there, one a line, e.g. for sacrebleu",
    );
  return addUseOptions(command, "print the result as one line of JSON on stdout");
}

/** Adds the options of `translate predict`. */
export function addPredictOptions(command: Command): Command {
  command
    .addOption(new Option("--file <file>", "texts to translate, one a line (default: stdin)"))
    .option("--output <file>", "write the translations there, not on stdout")
    .option(
      "--attention <file>",
      "write a page (HTML) with the attention of every layer and head for the text, which must be the only one",
    )
    .option("--target <text>", "with --attention: show this translation, not the model's own");
  return addUseOptions(command, "one JSON object a line: text, translation, score, tokens …");
}
