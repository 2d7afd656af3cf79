/** Trains a tagger of entities from scratch: vocabularies, batches, one compiled step, schedule. */
import { compile } from "../../compile.ts";
import { tensor } from "../../creation.ts";
import type { AnnotatedDocument } from "../../data/annotated.ts";
import { Rng } from "../../data/rng.ts";
import { TokenClassifier, type TokenClassifierOptions } from "../../models/token-classifier.ts";
import { crossEntropy } from "../../nn/functional/index.ts";
import { AdamW } from "../../optim/adam.ts";
import { clipGradNorm } from "../../optim/clip.ts";
import { linearWarmup } from "../../optim/schedule.ts";
import { manualSeed } from "../../random.ts";
import type { Tensor } from "../../tensor.ts";
import { FeatureEncoder } from "../../text/feature-encoder.ts";
import { FEATURE_NAMES, type FeatureName } from "../../text/features.ts";
import { collate, examplesOf, withWordDropout, type WindowSize } from "./batches.ts";
import type { TrainTaggerOptions } from "./tagger.ts";
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

/**
 * Trains a {@link TransformerTagger}. The same seed and documents give the same tagger on one device.
 * @throws RangeError when there is no text; Error when the loss is no longer a finite number.
 */
export async function trainTagger(
  documents: readonly AnnotatedDocument[],
  options: TrainTaggerOptions,
  recipe: Recipe = RECIPE,
): Promise<TransformerTagger> {
  const {
    maxSteps = Infinity,
    batchSize,
    learningRate,
    seed,
    onStep,
    signal,
    shouldStop,
  } = options;
  const { window, weightDecay, maxNorm } = recipe;
  manualSeed(seed);
  const rng = new Rng(`train ${seed}`);
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
  const stepsAnEpoch = Math.ceil(examples.length / batchSize);
  const epochs = options.epochs ?? Math.max(2, Math.round(USUAL_STEPS / stepsAnEpoch));
  const steps = Math.min(maxSteps, epochs * stepsAnEpoch);
  const schedule = linearWarmup(optimizer, {
    warmup: Math.floor(recipe.warmup * steps),
    total: steps,
  });
  const trainStep = compile((features: Tensor, classes: Tensor) => {
    const logits = model.forward(features).reshape([-1, tags.length]); // [B·T, C]
    const loss = crossEntropy(logits, classes.reshape([-1]));
    loss.backward();
    clipGradNorm(model.parameters(), maxNorm);
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  });

  let done = 0;
  training: for (let epoch = 1; done < steps; epoch++) {
    const shuffled = rng.shuffle(examples);
    for (let i = 0; i < shuffled.length && done < steps; i += batchSize) {
      // Programs run synchronously: give signals and timers their turn.
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
      if (shouldStop?.()) break training;
      const batch = collate(shuffled.slice(i, i + batchSize), { batchSize, size: window.size });
      const { features, classes } = withWordDropout(batch, recipe.wordDropout, rng);
      const shape = [batchSize, window.size];
      const loss = await trainStep(
        tensor(features, { shape: [...shape, FEATURE_NAMES.length] }),
        tensor(classes, { shape }),
      );
      schedule.step();
      const value = await loss.item();
      done += 1;
      if (!Number.isFinite(value)) {
        throw new Error(
          `training diverged: the loss of step ${done} is ${value}; take a learning rate below ${learningRate}`,
        );
      }
      onStep?.({ step: done, steps, epoch, loss: value });
    }
  }
  const training = { steps: done, plannedSteps: steps };
  return new TransformerTagger({ model, encoder, labels, windowSize: window, training });
}

/** The labels that occur, sorted. */
function labelsOf(documents: readonly AnnotatedDocument[]): string[] {
  const labels = new Set(documents.flatMap(({ entities }) => entities.map(({ label }) => label)));
  return [...labels].sort();
}
