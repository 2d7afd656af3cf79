/** Trains a tagger of entities from scratch: vocabularies, batches, one compiled step, schedule. */
import { compile } from "../../compile.ts";
import { tensor } from "../../creation.ts";
import type { AnnotatedDocument } from "../../data/annotated.ts";
import { Rng } from "../../data/rng.ts";
import { TokenClassifier } from "../../models/token-classifier.ts";
import { crossEntropy } from "../../nn/functional.ts";
import { AdamW } from "../../optim/adam.ts";
import { clipGradNorm } from "../../optim/clip.ts";
import { linearWarmup } from "../../optim/schedule.ts";
import { manualSeed } from "../../random.ts";
import type { Tensor } from "../../tensor.ts";
import { FeatureEncoder } from "../../text/feature-encoder.ts";
import { FEATURE_NAMES, type FeatureName } from "../../text/features.ts";
import { collate, examplesOf, withWordDropout, type WindowSize } from "./batches.ts";
import type { TrainTagger } from "./tagger.ts";
import { tagsOf } from "./tags.ts";
import { TransformerTagger } from "./transformer-tagger.ts";

const WINDOW: WindowSize = { size: 128, overlap: 32 };
const FEATURE_DIMS: Readonly<Record<FeatureName, number>> = {
  norm: 64,
  prefix: 32,
  suffix: 32,
  shape: 32,
  place: 16,
  line: 16,
};
const MODEL = { dModel: 96, nhead: 4, dimFeedforward: 192, mixerLayers: 3, encoderLayers: 1 };
const DROPOUT = 0.2;
const WORD_DROPOUT = 0.1;
const WEIGHT_DECAY = 0.01;
const MAX_NORM = 1;
/** Share of the steps in which the learning rate rises. */
const WARMUP = 0.1;

/** Trains a {@link TransformerTagger}. The same seed and documents give the same tagger on one device. */
export const trainTagger: TrainTagger = async (
  documents,
  { epochs, maxSteps = Infinity, batchSize, learningRate, seed, onStep, signal },
) => {
  manualSeed(seed);
  const rng = new Rng(`train ${seed}`);
  const labels = labelsOf(documents);
  const tags = tagsOf(labels);
  const encoder = FeatureEncoder.train(documents.map(({ text }) => text));
  const examples = examplesOf(documents, encoder, tags, WINDOW);
  const model = new TokenClassifier({
    ...MODEL,
    featureSizes: encoder.sizes,
    featureDims: FEATURE_NAMES.map((name) => FEATURE_DIMS[name]),
    numClasses: tags.length,
    maxLength: WINDOW.size,
    dropout: DROPOUT,
  });
  const optimizer = new AdamW(model.parameters(), { lr: learningRate, weightDecay: WEIGHT_DECAY });
  const stepsAnEpoch = Math.ceil(examples.length / batchSize);
  const steps = Math.min(maxSteps, epochs * stepsAnEpoch);
  const schedule = linearWarmup(optimizer, { warmup: Math.floor(WARMUP * steps), total: steps });
  const trainStep = compile((features: Tensor, classes: Tensor) => {
    const logits = model.forward(features).reshape([-1, tags.length]); // [B·T, C]
    const loss = crossEntropy(logits, classes.reshape([-1]));
    loss.backward();
    clipGradNorm(model.parameters(), MAX_NORM);
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  });

  for (let step = 1, epoch = 1; step <= steps; epoch++) {
    const shuffled = rng.shuffle(examples);
    for (let i = 0; i < shuffled.length && step <= steps; i += batchSize, step++) {
      // Programs run synchronously: give signals and timers their turn.
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
      const batch = collate(shuffled.slice(i, i + batchSize), { batchSize, size: WINDOW.size });
      const { features, classes } = withWordDropout(batch, WORD_DROPOUT, rng);
      const shape = [batchSize, WINDOW.size];
      const loss = await trainStep(
        tensor(features, { shape: [...shape, FEATURE_NAMES.length] }),
        tensor(classes, { shape }),
      );
      schedule.step();
      onStep?.({ step, steps, epoch, loss: await loss.item() });
    }
  }
  return new TransformerTagger({ model, encoder, labels, windowSize: WINDOW });
};

/** The labels that occur, sorted. */
function labelsOf(documents: readonly AnnotatedDocument[]): string[] {
  const labels = new Set(documents.flatMap(({ entities }) => entities.map(({ label }) => label)));
  return [...labels].sort();
}
