/** Everything about a translator and its training that the data does not tell. */

export interface Recipe {
  /** Pieces of the vocabulary that is trained, shared by both languages; fewer where the text has no more. */
  readonly vocabSize: number;
  /** Read and write lower case and the digits 0 to 9 only, whatever the script. */
  readonly fold: boolean;
  readonly dModel: number;
  readonly nhead: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly dimFeedforward: number;
  readonly dropout: number;
  /** Normalise before attention and feed-forward instead of after the residual sums, as the paper did. */
  readonly normFirst: boolean;
  readonly positions: "sinusoidal" | "learned";
  /** Longest source and translation in tokens, the end included. */
  readonly maxLength: number;
  /** Share of the target distribution that is spread over the whole vocabulary: Szegedy et al., 2016, section 7. */
  readonly labelSmoothing: number;
  /** Steps in which the learning rate rises; a tenth of all where it would rise to the end. */
  readonly warmup: number;
  /** How it goes on: down to 0 in a line, or with the inverse square root of the step, as in the paper. */
  readonly schedule: "linear" | "noam";
  /** Largest norm of a step's gradient. */
  readonly maxNorm: number;
  /** Pairs in a batch. */
  readonly batchSize: number;
  /** Largest learning rate. */
  readonly learningRate: number;
  /** Steps of a training whose length is not given. */
  readonly steps: number;
}

/** How many of the built-in dates are drawn, those held out included. */
export const DATE_PAIRS = 40_000;

/** For the built-in dates: under two minutes on two processors. */
export const DATES: Recipe = {
  vocabSize: 2000,
  fold: true,
  dModel: 96,
  nhead: 4,
  encoderLayers: 2,
  decoderLayers: 2,
  dimFeedforward: 384,
  // Dates do not run out: there is nothing to learn by heart.
  dropout: 0,
  normFirst: true,
  positions: "sinusoidal",
  maxLength: 64,
  labelSmoothing: 0,
  warmup: 200,
  schedule: "linear",
  maxNorm: 1,
  batchSize: 64,
  learningRate: 0.003,
  steps: 2400,
};

/** For sentence pairs of a user: about 45 minutes on two processors for short sentences. */
export const TEXT: Recipe = {
  vocabSize: 6000,
  fold: false,
  dModel: 192,
  nhead: 4,
  encoderLayers: 3,
  decoderLayers: 3,
  dimFeedforward: 768,
  dropout: 0.1,
  normFirst: true,
  positions: "sinusoidal",
  maxLength: 64,
  labelSmoothing: 0.1,
  warmup: 1000,
  schedule: "linear",
  maxNorm: 1,
  batchSize: 64,
  learningRate: 0.001,
  steps: 12_000,
};
