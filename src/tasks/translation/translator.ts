/** What a translator does, whatever model is behind it. */
import type { TrainingExtent } from "../training-extent.ts";
import type { PairAttention } from "./attention-page.ts";

/** How texts are translated. */
export interface TranslateOptions {
  /** Hypotheses kept at a time; 1, the default, takes the likeliest token at each step. */
  readonly beams?: number;
  /** Exponent of the length that a hypothesis' log-probability is divided by; 1 unless given. */
  readonly lengthPenalty?: number;
  /** Most tokens of a translation; as many as the model can, unless given. */
  readonly maxLength?: number;
  /** Texts decoded together; 32 unless given. */
  readonly batchSize?: number;
  /** Stops between two batches; the promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Told after each batch how many texts are done. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A text's translation. */
export interface Translation {
  readonly text: string;
  /** Sum of the tokens' log-probabilities, end included, divided by length^lengthPenalty. */
  readonly score: number;
  /** Tokens of the translation, without its end. */
  readonly tokens: number;
  /** False where `maxLength` came before the end. */
  readonly complete: boolean;
  /** Tokens of the source beyond the model's limit, which were left out; 0 for nearly all. */
  readonly cut: number;
}

/** A trained translator. */
export interface Translator {
  /** Words that say what it is, for people. */
  readonly description: string;
  /** Most tokens of a source and of a translation, special ones included. */
  readonly maxLength: number;
  /** Undefined when it is not known. */
  readonly training: TrainingExtent | undefined;
  /** Translations in the order of the texts, which may be empty: those are translated as empty. */
  translate(texts: readonly string[], options?: TranslateOptions): Promise<Translation[]>;
  /** What every head of every layer attends to, for a source and a translation of it: a given one, or else its own. */
  attention(source: string, target?: string): Promise<PairAttention>;
  /** Everything needed to load it again: file name to content. */
  files(): Promise<ReadonlyMap<string, Uint8Array | string>>;
}
