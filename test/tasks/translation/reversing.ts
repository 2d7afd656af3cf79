/** A task that is learnt in seconds: three words, to be written backwards in capitals. */
import { tensor } from "../../../src/creation.ts";
import { fromSafetensors } from "../../../src/hub/safetensors.ts";
import { EncoderDecoder, type EncoderDecoderOptions } from "../../../src/models/encoder-decoder.ts";
import type { SentencePair } from "../../../src/tasks/translation/pairs.ts";
import { TEXT, type Recipe } from "../../../src/tasks/translation/recipe.ts";
import { translationTraining } from "../../../src/tasks/translation/train.ts";
import type { TransformerTranslator } from "../../../src/tasks/translation/transformer-translator.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { whitespaceSplit } from "../../../src/text/tokenizer/pre-tokenizers.ts";
import { Tokenizer } from "../../../src/text/tokenizer/tokenizer.ts";
import { WordLevel } from "../../../src/text/tokenizer/word-level.ts";
import { noGrad } from "../../../src/trace.ts";

const WORDS = ["ape", "bee", "cat", "dog", "elk", "fly"];

/** What stands for no word in {@link reversingTokenizer}, with its ids. */
export const SPECIAL = ["[UNK]", "[PAD]", "[BOS]", "[EOS]"];

/** Of whole words. */
export function reversingTokenizer(special: readonly string[] = SPECIAL): Tokenizer {
  const tokens = [...special, ...WORDS, ...WORDS.map((word) => word.toUpperCase())];
  const tokenizer = new Tokenizer({
    model: new WordLevel(new Map(tokens.map((token, id) => [token, id])), { unkToken: "[UNK]" }),
    preTokenizer: whitespaceSplit(),
  });
  tokenizer.addSpecialTokens(special);
  return tokenizer;
}

/** Words and the same backwards in capitals. */
export const reversed = (words: readonly string[]): SentencePair => ({
  source: words.join(" "),
  target: [...words].reverse().join(" ").toUpperCase(),
});

/** All 216 pairs. */
export const ALL = WORDS.flatMap((a) =>
  WORDS.flatMap((b) => WORDS.map((c) => reversed([a, b, c]))),
);
/** An eighth of the pairs. */
export const UNSEEN = ALL.filter((_, i) => i % 8 === 3);
/** The others. */
export const SEEN = ALL.filter((_, i) => i % 8 !== 3);

/** Of a model that is small, with all parts of the real one. */
export const SMALL: Recipe = {
  ...TEXT,
  ...{ dModel: 32, nhead: 2, encoderLayers: 1, decoderLayers: 1, dimFeedforward: 64 },
  ...{ dropout: 0, maxLength: 4, warmup: 20, batchSize: 36, learningRate: 0.01, steps: 250 },
};

/** One that has learned the task. */
export async function trainedReverser(special?: readonly string[]): Promise<TransformerTranslator> {
  const { trainer, translator } = await translationTraining(SEEN, {
    ...{ recipe: SMALL, seed: 1, tokenizer: reversingTokenizer(special) },
  });
  await trainer.train();
  return translator;
}

/** The model of a translator's files, ready to evaluate. */
export function modelOf(files: ReadonlyMap<string, Uint8Array | string>): EncoderDecoder {
  const config = JSON.parse(String(files.get("config.json"))) as Record<string, unknown>;
  const options = Object.entries(config).filter(
    ([name]) => !["architecture", "bosId", "eosId", "training"].includes(name),
  );
  const model = new EncoderDecoder(Object.fromEntries(options) as unknown as EncoderDecoderOptions);
  model.loadStateDict(fromSafetensors(files.get("model.safetensors") as Uint8Array).tensors);
  model.eval();
  return model;
}

/** Ids as a batch of one row. */
export const row = (ids: readonly number[]): Tensor => tensor([ids], { dtype: "int32" });

/** The model's log-probabilities of each token after each of `given`. */
export async function logProbabilities(
  model: EncoderDecoder,
  source: readonly number[],
  given: readonly number[],
): Promise<number[][]> {
  const logits = noGrad(() => model.forward(row(source), row(given))); // [1, T, V]
  const all = (await logits.logSoftmax(-1).data()) as Float32Array;
  const size = all.length / given.length;
  return given.map((_, t) => Array.from(all.subarray(t * size, (t + 1) * size)));
}
