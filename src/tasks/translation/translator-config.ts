/** The `config.json` of a translator: what is written there, and how it is checked when read back. */
import type { EncoderDecoderConfig } from "../../models/encoder-decoder.ts";
import { JsonField } from "../../text/tokenizer/json.ts";
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
const MOST_LAYERS = 1000;

/**
 * The parsed content of a `config.json`.
 * @throws DataError naming the field that is missing, wrong or of another kind of model.
 */
export function parseTranslatorConfig(value: unknown, file: string): TranslatorConfig {
  const config = new JsonField(value, file);
  const architecture = config.get("architecture");
  if (architecture.value !== ARCHITECTURE)
    architecture.fail(
      `expected "${ARCHITECTURE}", got ${architecture.found}; is it the folder of a translator trained here?`,
    );
  const size = (field: string, most = LARGEST): number => config.get(field).count(1, most);
  const layers = (field: string): number => config.get(field).count(0, MOST_LAYERS);
  const vocabSize = size("vocabSize");
  const id = (field: string): number => config.get(field).count(0, vocabSize - 1);
  const dModel = size("dModel");
  const nhead = size("nhead", dModel);
  if (dModel % nhead !== 0)
    config.get("nhead").fail(`expected a divisor of dModel, ${dModel}, got ${nhead}`);
  const dropout = config.get("dropout");
  const share = dropout.value;
  if (typeof share !== "number" || !(share >= 0 && share < 1))
    return dropout.fail(`expected a number from 0 and below 1, got ${dropout.found}`);
  const targetVocabSize = size("targetVocabSize");
  // One tokenizer serves both sides.
  if (targetVocabSize !== vocabSize)
    config.get("targetVocabSize").fail(`expected ${vocabSize}, as vocabSize`);
  const training = config.get("training");
  return {
    model: {
      vocabSize,
      targetVocabSize,
      padId: id("padId"),
      dModel,
      nhead,
      numEncoderLayers: layers("numEncoderLayers"),
      numDecoderLayers: layers("numDecoderLayers"),
      dimFeedforward: size("dimFeedforward"),
      dropout: share,
      activation: config.get("activation").oneOf("relu", "gelu"),
      normFirst: config.get("normFirst").boolean(),
      positions: config.get("positions").oneOf("sinusoidal", "learned"),
      maxLength: size("maxLength"),
      shareEmbeddings: config.get("shareEmbeddings").boolean(),
      tieOutput: config.get("tieOutput").boolean(),
    },
    special: { padId: id("padId"), bosId: id("bosId"), eosId: id("eosId") },
    training: training.missing
      ? undefined
      : {
          steps: training.get("steps").count(),
          plannedSteps: training.get("plannedSteps").count(),
        },
  };
}
