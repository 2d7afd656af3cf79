/** Trains tokenizers on texts: byte-level BPE as GPT-2 has it, WordPiece as BERT has it, or parts of one's own. */

import { checkCount } from "../../data/checks.ts";
import { checkOptions } from "../../tensor/arguments.ts";
import { Bpe } from "./bpe.ts";
import { BYTE_CHARS } from "./byte-level.ts";
import * as decoders from "./decoders.ts";
import type { TokenModel } from "./model.ts";
import { bertNormalizer, type Normalizer } from "./normalizers.ts";
import { bertProcessing, type PostProcessor } from "./post-processors.ts";
import { bertPreTokenizer, byteLevel, type PreTokenizer } from "./pre-tokenizers.ts";
import { Tokenizer } from "./tokenizer.ts";
import { learnMerges, type Learned, type MergeOptions } from "./trainer-merges.ts";
import { countWords, Pulse, type TokenizerProgress } from "./trainer-words.ts";
import { WordPiece } from "./wordpiece.ts";

export type { TokenizerProgress } from "./trainer-words.ts";

/** What both trainers take; null stands for no such part. */
export interface TrainTokenizerOptions extends MergeOptions {
  readonly normalizer?: Normalizer | null;
  readonly preTokenizer?: PreTokenizer | null;
  readonly postProcessor?: PostProcessor | null;
  readonly decoder?: decoders.Decoder | null;
  /** Told about progress up to ten times a second. */
  readonly onProgress?: (progress: TokenizerProgress) => void;
  /** Stops the training; its reason is thrown. */
  readonly signal?: AbortSignal;
}

/** Options of {@link trainBpe}. */
export interface TrainBpeOptions extends TrainTokenizerOptions {
  /** One of the special tokens, which stands for characters outside of the vocabulary; none unless given. */
  readonly unkToken?: string | null;
}

/** Options of {@link trainWordPiece}. */
export interface TrainWordPieceOptions extends TrainTokenizerOptions {
  /** One of the special tokens, which stands for words that cannot be cut; "[UNK]" unless given. */
  readonly unkToken?: string;
  /** Makes texts lower case, as BERT's uncased models do; true unless given. Only without a `normalizer` of one's own. */
  readonly lowercase?: boolean;
  /** Removes accents; null, the default, does what `lowercase` does. Only without a `normalizer` of one's own. */
  readonly stripAccents?: boolean | null;
}

const OPTIONS = [
  ...["vocabSize", "minFrequency", "specialTokens", "unkToken", "limitAlphabet", "maxTokenLength"],
  ...["initialAlphabet", "continuingSubwordPrefix", "endOfWordSuffix", "normalizer"],
  ...["preTokenizer", "postProcessor", "decoder", "onProgress", "signal"],
];

/** Many texts, each for itself: no word reaches from one into the next. */
export type Texts = Iterable<string> | AsyncIterable<string>;

const BERT_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/**
 * Learns a BPE vocabulary: the same tokens, ids and merges as Python `tokenizers.trainers.BpeTrainer` with the same
 * options and pre-tokenizer. Without a pre-tokenizer of one's own it is byte-level, as GPT-2's: nothing is unknown, and
 * decoding gives back every text as it was. Where special tokens and alphabet are more than `vocabSize`, the vocabulary
 * is those.
 * @throws TypeError or RangeError for options that are none, and what reading `texts` throws.
 */
export async function trainBpe(texts: Texts, options: TrainBpeOptions = {}): Promise<Tokenizer> {
  checkOptions("trainBpe", options, OPTIONS);
  const isByteLevel = options.preTokenizer === undefined;
  const parts = {
    preTokenizer: byteLevel({ addPrefixSpace: false }),
    ...(isByteLevel && { decoder: decoders.byteLevel(), initialAlphabet: BYTE_CHARS }),
    ...defined(options),
  };
  const { unkToken = null, continuingSubwordPrefix = null, endOfWordSuffix = null } = options;
  if (unkToken !== null) checkSpecial("trainBpe", unkToken, options.specialTokens);
  return train("trainBpe", texts, parts, ({ ids, merges }) => {
    return new Bpe(ids, merges, { unkToken, continuingSubwordPrefix, endOfWordSuffix });
  });
}

/**
 * Learns a WordPiece vocabulary in the way of Python `tokenizers.trainers.WordPieceTrainer`: BPE on characters that are
 * marked where they do not begin a word. (Python gives the marked characters other ids in each run; here they are in the
 * order of code points.) Texts are normalized and cut as BERT's, and encoded between [CLS] and [SEP], unless other parts
 * are given: as by uncased BERT in lower case and without accents, or with `lowercase: false` as by cased BERT.
 * @throws TypeError or RangeError for options that are none, and what reading `texts` throws.
 */
export async function trainWordPiece(
  texts: Texts,
  options: TrainWordPieceOptions = {},
): Promise<Tokenizer> {
  const {
    unkToken = "[UNK]",
    continuingSubwordPrefix = "##",
    lowercase = true,
    stripAccents = null,
    ...own
  } = checkOptions("trainWordPiece", options, [...OPTIONS, "lowercase", "stripAccents"]);
  if (own.normalizer !== undefined && (options.lowercase ?? options.stripAccents) !== undefined)
    throw new TypeError(
      "trainWordPiece: give normalizer, or lowercase and stripAccents of BERT's, not both",
    );
  const specialTokens = options.specialTokens ?? BERT_TOKENS;
  checkSpecial("trainWordPiece", unkToken, specialTokens);
  const [sep, cls] = ["[SEP]", "[CLS]"].map((token): [string, number] => [
    token,
    specialTokens.indexOf(token),
  ]);
  const isFramed = sep![1] >= 0 && cls![1] >= 0;
  const parts = {
    normalizer: bertNormalizer({ lowercase, stripAccents }),
    preTokenizer: bertPreTokenizer(),
    ...(isFramed && { postProcessor: bertProcessing(sep!, cls!) }),
    decoder: decoders.wordPiece({ prefix: continuingSubwordPrefix }),
    ...defined(own),
    ...{ specialTokens, continuingSubwordPrefix },
  };
  return train("trainWordPiece", texts, parts, ({ ids }) => {
    return new WordPiece(ids, { unkToken, continuingSubwordPrefix });
  });
}

async function train(
  op: string,
  texts: Texts,
  options: TrainTokenizerOptions,
  build: (learned: Learned) => TokenModel,
): Promise<Tokenizer> {
  const { vocabSize = 30_000, specialTokens = [], signal } = options;
  checkCount(op, "vocabSize", vocabSize, 1);
  for (const name of ["minFrequency", "limitAlphabet", "maxTokenLength"] as const)
    if (options[name] !== undefined) checkCount(op, name, options[name], 0);
  if (specialTokens.some((token: unknown) => typeof token !== "string" || token === ""))
    throw new TypeError(`${op}: specialTokens must be strings that are not empty`);

  const pulse = new Pulse(options.onProgress, signal);
  const words = await countWords(op, texts, options, pulse);
  const learning = learnMerges(words, options);
  pulse.begin("merges", vocabSize);
  let state = learning.next();
  while (!state.done) {
    if (pulse.isDue) await pulse.beat(state.value);
    state = learning.next();
  }
  pulse.end(state.value.ids.size);

  const { normalizer, preTokenizer, postProcessor, decoder } = options;
  const tokenizer = new Tokenizer({
    model: build(state.value),
    ...(normalizer && { normalizer }),
    ...(preTokenizer && { preTokenizer }),
    ...(postProcessor && { postProcessor }),
    ...(decoder && { decoder }),
  });
  tokenizer.addSpecialTokens([...specialTokens]);
  return tokenizer;
}

/** Options without those that are there but undefined, which a plain-JavaScript caller may pass. */
const defined = <T extends object>(options: T): T =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;

function checkSpecial(op: string, token: string, special: readonly string[] = []): void {
  if (!special.includes(token))
    throw new TypeError(
      `${op}: unkToken must be one of specialTokens, got ${JSON.stringify(token)}; add it there`,
    );
}
