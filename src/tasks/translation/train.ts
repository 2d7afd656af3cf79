/** Trains a translator from scratch: vocabulary, batches, model, schedule, and the Trainer that runs it. */
import { EncoderDecoder } from "../../models/encoder-decoder.ts";
import { crossEntropy } from "../../nn/functional/index.ts";
import { Adam } from "../../optim/adam.ts";
import { linearWarmup, noam } from "../../optim/schedule.ts";
import { manualSeed } from "../../random.ts";
import type { Tensor } from "../../tensor.ts";
import type { Tokenizer } from "../../text/tokenizer/tokenizer.ts";
import { BYTE_CHARS } from "../../text/tokenizer/byte-level.ts";
import { byteLevel as byteLevelDecoder } from "../../text/tokenizer/decoders.ts";
import * as normalizers from "../../text/tokenizer/normalizers.ts";
import { byteLevel, digits, sequence } from "../../text/tokenizer/pre-tokenizers.ts";
import { trainBpe, type TrainBpeOptions } from "../../text/tokenizer/trainer.ts";
import { noGrad } from "../../trace.ts";
import { compile } from "../../compile.ts";
import type { CheckpointFiles } from "../../train/checkpoint-folder.ts";
import type { EndEvent } from "../../train/events.ts";
import { Trainer } from "../../train/trainer.ts";
import { BestWeights, type TaskTrainerOptions } from "../best-weights.ts";
import {
  examplesOf,
  ofWholeTexts,
  pairLoader,
  rowsFor,
  type BatchPadding,
  type Example,
  type TranslationBatch,
} from "./batches.ts";
import { evaluateTranslator } from "./evaluate.ts";
import type { SentencePair } from "./pairs.ts";
import type { Recipe } from "./recipe.ts";
import { SPECIAL_TOKENS, specialIds } from "./special-tokens.ts";
import { TransformerTranslator } from "./transformer-translator.ts";

/** Options of {@link translationTraining}. */
export interface TrainTranslatorOptions extends TaskTrainerOptions<TranslationBatch> {
  readonly recipe: Recipe;
  /** Passes over the pairs; unless given, as many as take `maxSteps` or else the recipe's steps. */
  readonly epochs?: number;
  /** Steps of the training, fewer where `epochs` end before; the learning rate is planned for them. */
  readonly maxSteps?: number;
  readonly seed: number;
  /** Cuts texts into pieces; one is trained on the pairs unless given. */
  readonly tokenizer?: Tokenizer;
  /** Pairs to evaluate on while training (`evalSteps`); the weights of the least loss on them are those that are kept. */
  readonly validation?: readonly SentencePair[];
  /** Evaluations without less loss after which training ends. */
  readonly patience?: number;
  /** More files of each checkpoint. */
  readonly files?: CheckpointFiles;
  /** Told how many pairs have been cut into tokens; an error of its ends the work. */
  readonly onExamples?: (done: number, total: number) => void;
}

/** A translator that is being trained. */
export interface TranslatorTraining {
  readonly trainer: Trainer<TranslationBatch>;
  /** It has the weights of the last step, until they are replaced by the best ones. */
  readonly translator: TransformerTranslator;
  /** Gives the translator the weights of the best evaluation of a run that has ended, where there was one. */
  readonly takeBest: (end: EndEvent) => Promise<void>;
  /** Pairs that training leaves out: those longer than the recipe's `maxLength`. */
  readonly skipped: { readonly tooLong: number };
  /** Steps in which the learning rate rises: the recipe's, or a tenth of all where those would be no fewer than all. */
  readonly warmup: number;
}

/** The zeros of Arabic, Persian, nine scripts of India, Thai, Lao, Tibetan, Burmese, Khmer, Mongolian and full width. */
const ZEROS = [
  ...[0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66],
  ...[0xe50, 0xed0, 0xf20, 0x1040, 0x17e0, 0x1810, 0xff10],
];

/** Lower case, and the digits 0 to 9 for those of other scripts. */
const folding = (): normalizers.Normalizer =>
  normalizers.sequence([
    normalizers.lowercase(),
    ...Array.from("0123456789", (digit) => {
      const others = String.fromCodePoint(...ZEROS.map((zero) => zero + Number(digit)));
      return normalizers.replace({ regex: `[${others}]` }, digit);
    }),
  ]);

/**
 * A byte-level BPE vocabulary of both sides of pairs, with each digit for itself: any text can be written with it, and comes
 * back as it was.
 */
export const trainVocabulary = (
  pairs: readonly SentencePair[],
  { vocabSize, fold }: Pick<Recipe, "vocabSize" | "fold">,
  options: Pick<TrainBpeOptions, "onProgress" | "signal"> = {},
): Promise<Tokenizer> =>
  trainBpe(
    pairs.flatMap(({ source, target }) => [source, target]),
    {
      specialTokens: [...SPECIAL_TOKENS],
      preTokenizer: sequence([
        digits({ individualDigits: true }),
        byteLevel({ addPrefixSpace: false }),
      ]),
      initialAlphabet: BYTE_CHARS,
      decoder: byteLevelDecoder(),
      ...(fold && { normalizer: folding() }),
      vocabSize,
      ...options,
    },
  );

/**
 * A {@link TransformerTranslator} and the Trainer that is going to train it; nothing has been learned yet but the vocabulary.
 * The same seed and pairs give the same translator on one device, also in several sessions (`resume`).
 * @throws RangeError when no pair is short enough to learn from.
 */
export async function translationTraining(
  pairs: readonly SentencePair[],
  options: TrainTranslatorOptions,
): Promise<TranslatorTraining> {
  const { recipe, epochs, maxSteps, seed, validation, patience, files, ...others } = options;
  const { tokenizer: given, onExamples, ...rest } = others;
  const { batchSize, learningRate, dModel, maxLength } = recipe;
  manualSeed(seed);
  const { signal } = options;
  const tokenizer = ofWholeTexts(
    given ?? (await trainVocabulary(pairs, recipe, { ...(signal && { signal }) })),
  );
  const special = specialIds(tokenizer);
  const { padId } = special;
  const { examples, tooLong } = await examplesOf(pairs, tokenizer, special, {
    ...{ maxLength, onProgress: onExamples },
  });
  if (examples.length === 0)
    throw new RangeError(
      `translationTraining: expected pairs of at most ${maxLength} tokens to train on, got ${pairs.length === 0 ? "none" : `${pairs.length} longer ones; raise maxLength`}`,
    );
  const model = new EncoderDecoder({
    vocabSize: rowsFor(tokenizer),
    padId,
    dModel,
    nhead: recipe.nhead,
    numEncoderLayers: recipe.encoderLayers,
    numDecoderLayers: recipe.decoderLayers,
    dimFeedforward: recipe.dimFeedforward,
    dropout: recipe.dropout,
    normFirst: recipe.normFirst,
    positions: recipe.positions,
    maxLength,
  });
  const data = pairLoader(examples, { batchSize, seed, padId, maxLength });
  const stepsAnEpoch = Math.ceil((data.batchesPerEpoch ?? 1) / (options.accumulate ?? 1));
  const wanted = maxSteps ?? recipe.steps;
  const passes = epochs ?? Math.max(1, Math.ceil(wanted / stepsAnEpoch));
  const steps =
    epochs === undefined ? wanted : Math.min(maxSteps ?? Infinity, passes * stepsAnEpoch);
  // A rate that rises to the end would never settle.
  const warmup = recipe.warmup < steps ? recipe.warmup : Math.ceil(steps / 10);
  const optimizer = new Adam(model.parameters(), {
    lr: recipe.schedule === "noam" ? learningRate * Math.sqrt(dModel * warmup) : learningRate,
    betas: [0.9, 0.98],
    eps: 1e-9,
  });
  const lossOf = (batch: TranslationBatch, labelSmoothing: number): Tensor =>
    crossEntropy(
      model.forward(batch.source, batch.given).flatten(0, 1), // [B·T, V]
      batch.wanted.flatten(),
      { ignoreIndex: padId, labelSmoothing },
    );
  const held =
    validation && (await examplesOf(validation, tokenizer, special, { maxLength })).examples;
  if (held?.length === 0)
    throw new RangeError(
      `translationTraining: expected validation pairs of at most ${maxLength} tokens, got none; raise maxLength or leave them out`,
    );
  const heldLoss = held && validationLoss(held, { batchSize, padId, maxLength, lossOf });
  const best = new BestWeights(model);

  const trainer: Trainer<TranslationBatch> = new Trainer({
    ...rest,
    ...{ model, optimizer, seed, epochs: passes, maxSteps: steps, clipNorm: recipe.maxNorm, data },
    loss: (batch) => lossOf(batch, recipe.labelSmoothing),
    schedule:
      recipe.schedule === "noam"
        ? noam(optimizer, { dModel, warmup })
        : linearWarmup(optimizer, { warmup, total: steps }),
    files: () => ({ ...files, ...translator.descriptions() }),
    ...(validation !== undefined && {
      evaluate: async () => {
        const loss = await heldLoss!();
        const found = await evaluateTranslator(translator, validation, {
          ...(signal && { signal }),
        });
        return { loss, exact_match: found.exactMatch, bleu: found.bleu.score };
      },
      watch: { metric: "loss", mode: "min", ...(patience !== undefined && { patience }) },
      callbacks: [...(options.callbacks ?? []), best],
    }),
  });
  const translator: TransformerTranslator = new TransformerTranslator({
    ...{ model, tokenizer, special },
    get training() {
      return { steps: trainer.step, plannedSteps: steps };
    },
  });
  return {
    trainer,
    translator,
    skipped: { tooLong },
    warmup,
    takeBest: async (end) => {
      if (validation !== undefined) await best.take(end);
    },
  };
}

/** Measures the mean cross-entropy of a token, in nats, on pairs held aside. */
function validationLoss(
  examples: readonly Example[],
  parts: BatchPadding & {
    readonly batchSize: number;
    readonly lossOf: (batch: TranslationBatch, labelSmoothing: number) => Tensor;
  },
): () => Promise<number> {
  const { padId, lossOf } = parts;
  const loader = pairLoader(examples, parts);
  const run = compile((batch: TranslationBatch) =>
    noGrad(() => {
      const count = batch.wanted.ne(padId).sum();
      return { sum: lossOf(batch, 0).mul(count), count };
    }),
  );
  return async () => {
    let [sum, count] = [0, 0];
    for await (const { data } of loader) {
      const part = await run(data);
      sum += await part.sum.item();
      count += await part.count.item();
    }
    return sum / count;
  };
}
