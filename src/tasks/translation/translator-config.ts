/** The `config.json` of a translator: what is written there, and how it is checked when read back. */
import { DataError } from "../../data/errors.ts";
import type { EncoderDecoderConfig } from "../../models/encoder-decoder.ts";
import type { TrainingExtent } from "../training-extent.ts";
import type { SpecialIds } from "./special-tokens.ts";

/** Everything about a translator but its tokenizer and weights. */
export interface TranslatorConfig {
  readonly model: EncoderDecoderConfig;
  readonly special: SpecialIds;
  /** Undefined when it is not known how long the translator was trained. */
  readonly training: TrainingExtent | undefined;
}

const ARCHITECTURE = "EncoderDecoder";

/** The text of `config.json`. */
export function formatTranslatorConfig({ model, special, training }: TranslatorConfig): string {
  const config = {
    architecture: ARCHITECTURE,
    ...model,
    bosId: special.bosId,
    eosId: special.eosId,
    ...(training && {
      training: { ...training, interrupted: training.steps < training.plannedSteps },
    }),
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** Bounds beyond which a number is no size of a model but damage. */
const LARGEST = 1_000_000;

/**
 * The parsed content of a `config.json`.
 * @throws DataError naming the field that is missing, wrong or of another kind of model.
 */
export function parseTranslatorConfig(value: unknown, file: string): TranslatorConfig {
  const wrong = (field: string | undefined, problem: string) =>
    new DataError({ file, field }, `${problem}; is it the folder of a translator trained here?`);
  const record = (given: unknown, field?: string): Readonly<Record<string, unknown>> => {
    if (typeof given === "object" && given !== null && !Array.isArray(given))
      return given as Record<string, unknown>;
    throw wrong(field, "expected an object");
  };
  const config = record(value);
  const whole = (field: string, low = 1, high = LARGEST, from = config): number => {
    const given = from[field.slice(field.lastIndexOf(".") + 1)];
    if (Number.isInteger(given) && Number(given) >= low && Number(given) <= high)
      return Number(given);
    throw wrong(field, `expected a whole number from ${low} to ${high}`);
  };
  const flag = (field: string): boolean => {
    const given = config[field];
    if (typeof given === "boolean") return given;
    throw wrong(field, "expected true or false");
  };
  const oneOf = <T extends string>(field: string, known: readonly T[]): T => {
    const given = known.find((name) => name === config[field]);
    if (given !== undefined) return given;
    throw wrong(field, `expected ${known.map((name) => `"${name}"`).join(" or ")}`);
  };

  if (config["architecture"] !== ARCHITECTURE)
    throw wrong("architecture", `expected "${ARCHITECTURE}"`);
  const vocabSize = whole("vocabSize");
  const dModel = whole("dModel");
  const nhead = whole("nhead", 1, dModel);
  if (dModel % nhead !== 0) throw wrong("nhead", `expected a divisor of dModel, ${dModel}`);
  const { dropout } = config;
  if (typeof dropout !== "number" || !(dropout >= 0 && dropout < 1))
    throw wrong("dropout", "expected a number from 0 and below 1");
  const shareEmbeddings = flag("shareEmbeddings");
  const targetVocabSize = whole("targetVocabSize");
  // One tokenizer serves both sides.
  if (targetVocabSize !== vocabSize)
    throw wrong("targetVocabSize", `expected ${vocabSize}, as vocabSize`);
  const extent = config["training"] === undefined ? null : record(config["training"], "training");
  return {
    model: {
      vocabSize,
      targetVocabSize,
      padId: whole("padId", 0, vocabSize - 1),
      dModel,
      nhead,
      numEncoderLayers: whole("numEncoderLayers", 0, 1000),
      numDecoderLayers: whole("numDecoderLayers", 0, 1000),
      dimFeedforward: whole("dimFeedforward"),
      dropout,
      activation: oneOf("activation", ["relu", "gelu"]),
      normFirst: flag("normFirst"),
      positions: oneOf("positions", ["sinusoidal", "learned"]),
      maxLength: whole("maxLength"),
      shareEmbeddings,
      tieOutput: flag("tieOutput"),
    },
    special: {
      padId: whole("padId", 0, vocabSize - 1),
      bosId: whole("bosId", 0, vocabSize - 1),
      eosId: whole("eosId", 0, vocabSize - 1),
    },
    training: extent
      ? {
          steps: whole("training.steps", 0, Number.MAX_SAFE_INTEGER, extent),
          plannedSteps: whole("training.plannedSteps", 0, Number.MAX_SAFE_INTEGER, extent),
        }
      : undefined,
  };
}
