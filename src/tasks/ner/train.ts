/** Trains a tagger of entities from scratch: vocabularies, batches, model, schedule, and the Trainer that runs it. */
import { tensor } from "../../creation.ts";
import type { AnnotatedDocument } from "../../data/annotated.ts";
import { DataLoader } from "../../data/data-loader.ts";
import { ArrayDataset } from "../../data/dataset.ts";
import { Rng } from "../../data/rng.ts";
import { TokenClassifier, type TokenClassifierOptions } from "../../models/token-classifier.ts";
import { crossEntropy } from "../../nn/functional/index.ts";
import { AdamW } from "../../optim/adam.ts";
import { linearWarmup } from "../../optim/schedule.ts";
import { manualSeed } from "../../random.ts";
import type { Tensor } from "../../tensor.ts";
import { FeatureEncoder } from "../../text/feature-encoder.ts";
import { FEATURE_NAMES, type FeatureName } from "../../text/features.ts";
import type { CheckpointFiles } from "../../train/checkpoint-folder.ts";
import type { EndEvent } from "../../train/events.ts";
import { Trainer } from "../../train/trainer.ts";
import { BestWeights, type TaskTrainerOptions } from "../best-weights.ts";
import { collate, examplesOf, withWordDropout, type Example, type WindowSize } from "./batches.ts";
import { evaluateTagger } from "./tagger.ts";
import { bilouTagsOf } from "./tags.ts";
import { TransformerTagger } from "./transformer-tagger.ts";

/** Everything about model and training that is not told by the data; chosen on validation splits, see `RECIPE`. */
export interface Recipe extends Omit<
  TokenClassifierOptions,
  "featureSizes" | "featureDims" | "numClasses" | "maxLength"
> {
  readonly window: WindowSize;
  readonly featureDims: Readonly<Record<FeatureName, number>>;
  /** Probability with which a lexical feature of a token is hidden in training. */
  readonly wordDropout: number;
  readonly weightDecay: number;
  /** Largest norm of a step's gradient. */
  readonly maxNorm: number;
  /** Share of the steps in which the learning rate rises; then it falls to 0. */
  readonly warmup: number;
}

export const RECIPE: Recipe = {
  window: { size: 128, overlap: 32 },
  featureDims: { norm: 64, prefix: 32, suffix: 32, shape: 32, place: 16, line: 16, depth: 16 },
  dModel: 96,
  nhead: 4,
  dimFeedforward: 192,
  mixerLayers: 3,
  encoderLayers: 1,
  dropout: 0.2,
  wordDropout: 0.1,
  weightDecay: 0.01,
  maxNorm: 1,
  warmup: 0.1,
};

/** Steps that take one to two minutes on two processors; real and made-up resumes gain little from more. */
const USUAL_STEPS = 1200;

/** Windows of text as the model reads them: features int32 [B, T, F], classes int32 [B, T]. */
export interface TaggerBatch {
  readonly features: Tensor;
  readonly classes: Tensor;
}

export interface TrainTaggerOptions extends TaskTrainerOptions<TaggerBatch> {
  /** Passes over the documents; unless given, as many as take `maxSteps` or else about 1,200 steps, then at least two. */
  readonly epochs?: number;
  /** Steps of the training, fewer where `epochs` end before; the learning rate is planned for them. */
  readonly maxSteps?: number;
  /** Windows in a batch. */
  readonly batchSize: number;
  /** Largest learning rate of the schedule. */
  readonly learningRate: number;
  readonly seed: number;
  /** Documents to evaluate on while training (`evalSteps`); the tagger of the best F1 on them is the one that is kept. */
  readonly validation?: readonly AnnotatedDocument[];
  /** Evaluations without a better F1 after which training ends. */
  readonly patience?: number;
  /** More files of each checkpoint. */
  readonly files?: CheckpointFiles;
}

/** A tagger that is being trained. */
export interface TaggerTraining {
  readonly trainer: Trainer<TaggerBatch>;
  /** It has the weights of the last step, until they are replaced by the best ones. */
  readonly tagger: TransformerTagger;
  /** Gives the tagger the weights of the best evaluation of a run that has ended, where there was one. */
  readonly takeBest: (end: EndEvent) => Promise<void>;
}

/**
 * A {@link TransformerTagger} and the Trainer that is going to train it; nothing has been computed yet. The same seed and
 * documents give the same tagger on one device, also in several sessions (`resume`).
 * @throws RangeError when there is no text.
 */
export function taggerTraining(
  documents: readonly AnnotatedDocument[],
  options: TrainTaggerOptions,
  recipe: Recipe = RECIPE,
): TaggerTraining {
  const { epochs, maxSteps, batchSize, learningRate, seed, validation, patience, files, ...rest } =
    options;
  const { window, weightDecay, maxNorm } = recipe;
  manualSeed(seed);
  const labels = labelsOf(documents);
  const tags = bilouTagsOf(labels);
  const encoder = FeatureEncoder.train(documents.map(({ text }) => text));
  const examples = examplesOf(documents, encoder, tags, window);
  if (examples.length === 0) {
    throw new RangeError("trainTagger: expected documents with words to train on, got none");
  }
  const model = new TokenClassifier({
    ...recipe,
    featureSizes: encoder.sizes,
    featureDims: FEATURE_NAMES.map((name) => recipe.featureDims[name]),
    numClasses: tags.length,
    maxLength: window.size,
  });
  const optimizer = new AdamW(model.parameters(), { lr: learningRate, weightDecay });
  const stepsAnEpoch = Math.ceil(
    Math.ceil(examples.length / batchSize) / (options.accumulate ?? 1),
  );
  const usual =
    maxSteps === undefined
      ? Math.max(2, Math.round(USUAL_STEPS / stepsAnEpoch))
      : Math.ceil(maxSteps / stepsAnEpoch);
  const passes = epochs ?? usual;
  const steps = Math.min(maxSteps ?? Infinity, passes * stepsAnEpoch);
  const best = new BestWeights(model);

  const trainer: Trainer<TaggerBatch> = new Trainer({
    ...rest,
    ...{ model, optimizer, seed, epochs: passes, clipNorm: maxNorm },
    ...(maxSteps !== undefined && { maxSteps }),
    data: windowLoader(examples, { batchSize, seed, size: window.size, drop: recipe.wordDropout }),
    loss: ({ features, classes }) => {
      const logits = model.forward(features).reshape([-1, tags.length]); // [B·T, C]
      return crossEntropy(logits, classes.reshape([-1]));
    },
    schedule: linearWarmup(optimizer, { warmup: Math.floor(recipe.warmup * steps), total: steps }),
    files: () => ({ ...files, ...tagger.descriptions() }),
    ...(validation !== undefined && {
      evaluate: async () => {
        const { micro } = (await evaluateTagger(tagger, validation, options.signal)).report;
        const { f1, precision, recall } = micro;
        return { f1, precision, recall };
      },
      watch: { metric: "f1", mode: "max", ...(patience !== undefined && { patience }) },
      callbacks: [...(options.callbacks ?? []), best],
    }),
  });
  const tagger: TransformerTagger = new TransformerTagger({
    ...{ model, encoder, labels, windowSize: window },
    get training() {
      return { steps: trainer.step, plannedSteps: steps };
    },
  });
  return {
    trainer,
    tagger,
    takeBest: async (end) => {
      if (validation !== undefined) await best.take(end);
    },
  };
}

/**
 * Trains a {@link TransformerTagger} to the end.
 * @throws RangeError when there is no text; NonFiniteError when the loss is no longer a finite number; the signal's reason.
 */
export async function trainTagger(
  documents: readonly AnnotatedDocument[],
  options: TrainTaggerOptions,
  recipe: Recipe = RECIPE,
): Promise<TransformerTagger> {
  const training = taggerTraining(documents, options, recipe);
  const end = await training.trainer.train();
  options.signal?.throwIfAborted();
  await training.takeBest(end);
  return training.tagger;
}

/** Batches of shuffled windows, some of whose words are hidden: which ones follows from seed, epoch and window. */
function windowLoader(
  examples: readonly Example[],
  { batchSize, seed, size, drop }: { batchSize: number; seed: number; size: number; drop: number },
): DataLoader<Example, TaggerBatch> {
  const hidden = new ArrayDataset(examples).map((example, index, epoch) =>
    withWordDropout(example, drop, new Rng(`words ${seed} ${epoch} ${index}`)),
  );
  const join = (samples: readonly Example[]): TaggerBatch => {
    const { features, classes } = collate(samples, { batchSize, size });
    return {
      features: tensor(features, { shape: [batchSize, size, FEATURE_NAMES.length] }),
      classes: tensor(classes, { shape: [batchSize, size] }),
    };
  };
  // Windows are full but for those of short documents: they are counted, and need no bucketing.
  const measure = (samples: readonly Example[]) => ({
    real: samples.reduce((sum, { classes }) => sum + classes.length, 0),
    padded: batchSize * size,
  });
  const collateWindows = Object.assign(join, { measure });
  return new DataLoader(hidden, { batchSize, shuffle: true, seed, collate: collateWindows });
}

/** The labels that occur, sorted. */
function labelsOf(documents: readonly AnnotatedDocument[]): string[] {
  const labels = new Set(documents.flatMap(({ entities }) => entities.map(({ label }) => label)));
  return [...labels].sort();
}
