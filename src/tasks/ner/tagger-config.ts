/** The `config.json` of a tagger: what is written there, and how it is checked when read back. */
import { DataError } from "../../data/errors.ts";
import type { TokenClassifierOptions } from "../../models/token-classifier.ts";
import { FEATURE_NAMES } from "../../text/features.ts";
import type { WindowSize } from "./batches.ts";
import type { TrainingExtent } from "../training-extent.ts";
import { bilouTagsOf } from "./tags.ts";

/** Everything about a tagger but its vocabularies and weights. */
export interface TaggerConfig {
  readonly model: TokenClassifierOptions;
  readonly labels: readonly string[];
  readonly windowSize: WindowSize;
  /** Undefined when it is not known how long the tagger was trained. */
  readonly training: TrainingExtent | undefined;
}

const ARCHITECTURE = "TokenClassifier";

/** The text of `config.json`; `id2label` and `architecture` are as in Hugging Face's configurations. */
export function formatTaggerConfig({ model, labels, windowSize, training }: TaggerConfig): string {
  const config = {
    architecture: ARCHITECTURE,
    ...model,
    features: FEATURE_NAMES,
    labels,
    id2label: Object.fromEntries(bilouTagsOf(labels).map((tag, c) => [c, tag])),
    window: windowSize,
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
export function parseTaggerConfig(value: unknown, file: string): TaggerConfig {
  const wrong = (field: string | undefined, problem: string) =>
    new DataError({ file, field }, `${problem}; is it the folder of a tagger trained here?`);
  const record = (given: unknown, field?: string): Readonly<Record<string, unknown>> => {
    if (typeof given === "object" && given !== null && !Array.isArray(given)) {
      return given as Record<string, unknown>;
    }
    throw wrong(field, "expected an object");
  };
  const whole = (given: unknown, field: string, low = 1, high = LARGEST): number => {
    if (Number.isInteger(given) && Number(given) >= low && Number(given) <= high) {
      return Number(given);
    }
    throw wrong(field, `expected a whole number from ${low} to ${high}`);
  };
  const perFeature = (given: unknown, field: string): number[] => {
    if (!Array.isArray(given) || given.length !== FEATURE_NAMES.length) {
      throw wrong(field, `expected a list of ${FEATURE_NAMES.length} numbers`);
    }
    return given.map((item, i) => whole(item, `${field}[${i}]`));
  };

  const config = record(value);
  if (config["architecture"] !== ARCHITECTURE)
    throw wrong("architecture", `expected "${ARCHITECTURE}"`);
  if (JSON.stringify(config["features"]) !== JSON.stringify(FEATURE_NAMES)) {
    throw wrong("features", `expected ${FEATURE_NAMES.join(", ")}`);
  }
  const labels: unknown = config["labels"];
  if (!Array.isArray(labels) || !labels.every((label) => typeof label === "string")) {
    throw wrong("labels", "expected a list of strings");
  }
  const tags = bilouTagsOf(labels);
  const names = record(config["id2label"], "id2label");
  tags.forEach((tag, c) => {
    if (names[c] !== tag) throw wrong(`id2label.${c}`, `expected "${tag}", as the labels say`);
  });
  if (config["numClasses"] !== tags.length) {
    throw wrong("numClasses", `expected ${tags.length}, as the labels say`);
  }
  const dropout = config["dropout"];
  if (typeof dropout !== "number" || !(dropout >= 0 && dropout < 1)) {
    throw wrong("dropout", "expected a number from 0 and below 1");
  }
  const maxLength = whole(config["maxLength"], "maxLength");
  const window = record(config["window"], "window");
  const size = whole(window["size"], "window.size", 1, maxLength);
  const dModel = whole(config["dModel"], "dModel");
  const nhead = whole(config["nhead"], "nhead", 1, dModel);
  if (dModel % nhead !== 0) throw wrong("nhead", `expected a divisor of dModel, ${dModel}`);
  const extent =
    config["training"] === undefined ? undefined : record(config["training"], "training");
  return {
    model: {
      featureSizes: perFeature(config["featureSizes"], "featureSizes"),
      featureDims: perFeature(config["featureDims"], "featureDims"),
      numClasses: tags.length,
      maxLength,
      dModel,
      nhead,
      dimFeedforward: whole(config["dimFeedforward"], "dimFeedforward"),
      mixerLayers: whole(config["mixerLayers"], "mixerLayers", 0, 1000),
      encoderLayers: whole(config["encoderLayers"], "encoderLayers", 0, 1000),
      dropout,
    },
    labels,
    windowSize: { size, overlap: whole(window["overlap"], "window.overlap", 0, size - 1) },
    training: extent && {
      steps: whole(extent["steps"], "training.steps", 0, Number.MAX_SAFE_INTEGER),
      plannedSteps: whole(
        extent["plannedSteps"],
        "training.plannedSteps",
        0,
        Number.MAX_SAFE_INTEGER,
      ),
    },
  };
}
