/** A tagger of entities around a trained token classifier: windows, compiled prediction, decoding, files. */
import { compile, type Compiled } from "../../compile.ts";
import { tensor } from "../../creation.ts";
import { toSafetensors } from "../../hub/safetensors.ts";
import type { TokenClassifier } from "../../models/token-classifier.ts";
import type { Tensor } from "../../tensor.ts";
import type { FeatureEncoder } from "../../text/feature-encoder.ts";
import { FEATURE_NAMES } from "../../text/features.ts";
import { tokenize } from "../../text/tokenize.ts";
import { windowsOf, type Window } from "../../text/windows.ts";
import { noGrad } from "../../trace.ts";
import { collate, IGNORED, type Example, type WindowSize } from "./batches.ts";
import { decodeTags } from "./decode.ts";
import { formatTaggerConfig } from "./tagger-config.ts";
import type { TrainingExtent } from "../training-extent.ts";
import type { TaggedText, Tagger } from "./tagger.ts";
import { bilouTagsOf, toBio } from "./tags.ts";

/** What a tagger consists of. */
export interface TaggerParts {
  readonly model: TokenClassifier;
  readonly encoder: FeatureEncoder;
  readonly labels: readonly string[];
  readonly windowSize: WindowSize;
  readonly training: TrainingExtent | undefined;
}

/** Windows predicted at once; short batches are padded to it, so that prediction is one program. */
const BATCH_SIZE = 16;

/** Tags texts with a trained model. */
export class TransformerTagger implements Tagger {
  readonly labels: readonly string[];
  readonly #parts: TaggerParts;
  readonly #tags: readonly string[];
  readonly #predict: Compiled<[Tensor], Tensor>;

  /** @internal Training and `loadTagger` make it. */
  constructor(parts: TaggerParts) {
    this.#parts = parts;
    this.labels = parts.labels;
    this.#tags = bilouTagsOf(parts.labels);
    this.#predict = compile((features: Tensor) =>
      noGrad(() => parts.model.forward(features).logSoftmax(-1)),
    );
  }

  get training(): TrainingExtent | undefined {
    return this.#parts.training;
  }

  async tag(texts: readonly string[], signal?: AbortSignal): Promise<TaggedText[]> {
    const { encoder, model, windowSize } = this.#parts;
    const width = FEATURE_NAMES.length;
    const documents = texts.map((text) => {
      const tokens = tokenize(text);
      return {
        text,
        tokens,
        features: encoder.encode(tokens),
        logProbs: new Float32Array(tokens.length * this.#tags.length),
      };
    });
    const jobs = documents.flatMap((document) =>
      windowsOf(document.tokens.length, windowSize).map((window) => ({ document, window })),
    );
    const wasTraining = model.training;
    model.eval();
    try {
      for (let i = 0; i < jobs.length; i += BATCH_SIZE) {
        const batch = jobs.slice(i, i + BATCH_SIZE);
        const examples = batch.map(({ document, window: { start, end } }): Example => ({
          features: document.features.subarray(start * width, end * width),
          classes: new Int32Array(end - start).fill(IGNORED),
        }));
        // Programs run synchronously: give signals and timers their turn.
        await new Promise((resolve) => setImmediate(resolve));
        signal?.throwIfAborted();
        const found = await this.#run(examples);
        batch.forEach(({ document, window }, b) => this.#keep(document.logProbs, window, found, b));
      }
    } finally {
      model.train(wasTraining);
    }
    return documents.map(({ text, tokens, logProbs }) => {
      const { classes, confidence } = decodeTags(logProbs, this.#tags);
      const tags = toBio(Array.from(classes, (c) => this.#tags[c] ?? "O"));
      return { text, tokens, tags, confidence };
    });
  }

  /** Log-probabilities [B, T, C] of a batch, row by row. */
  async #run(examples: readonly Example[]): Promise<ArrayLike<number>> {
    const { size } = this.#parts.windowSize;
    const { features } = collate(examples, { batchSize: BATCH_SIZE, size });
    const shape = [BATCH_SIZE, size, FEATURE_NAMES.length];
    return (await (await this.#predict(tensor(features, { shape }))).data()) as Float32Array;
  }

  /** Copies a window's rows that count to their place in the document. */
  #keep(
    target: Float32Array,
    { start, keepStart, keepEnd }: Window,
    source: ArrayLike<number>,
    row: number,
  ): void {
    const classes = this.#tags.length;
    const shift = (row * this.#parts.windowSize.size - start) * classes;
    for (let i = keepStart * classes; i < keepEnd * classes; i++) {
      target[i] = source[i + shift] ?? -Infinity;
    }
  }

  async files(): Promise<ReadonlyMap<string, Uint8Array | string>> {
    const weights = await toSafetensors(this.#parts.model.stateDict());
    return new Map(Object.entries({ ...this.descriptions(), "model.safetensors": weights }));
  }

  /** Those of its files that are text: everything but the weights. */
  descriptions(): Readonly<Record<string, string>> {
    const { model, encoder, labels, windowSize, training } = this.#parts;
    return {
      "config.json": formatTaggerConfig({ model: model.options, labels, windowSize, training }),
      "vocabularies.json": `${JSON.stringify(encoder)}\n`,
    };
  }
}
