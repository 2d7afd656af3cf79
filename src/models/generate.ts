/** Decoding with an encoder–decoder: greedy and beam search over batches, with keys and values kept between steps. */

import { compile } from "../compile.ts";
import { tensor } from "../creation.ts";
import { checkOptions } from "../tensor/arguments.ts";
import type { Tensor } from "../tensor.ts";
import { noGrad } from "../trace.ts";
import { BeamSearch, type BeamOptions, type Candidate, type Hypothesis } from "./beam-search.ts";
import { checkReady, type DecoderParts } from "./decoder-parts.ts";
import { DecodingPrograms, emptyMemory, remember } from "./decoding-programs.ts";
import type { EncoderDecoder } from "./encoder-decoder.ts";
import { FrozenWeights } from "./frozen-weights.ts";
import { checkIdLists } from "./ids.ts";
import { Programs } from "./programs.ts";

/** Options of {@link generate}. */
export interface GenerateOptions {
  /** The token every target starts with. */
  readonly bosId: number;
  /** The token that ends a target; null: none does. */
  readonly eosId: number | null;
  /** Most tokens to generate, the end included; as many as the model can unless given. */
  readonly maxLength?: number;
  /** The end is not chosen before so many tokens; 0 unless given. */
  readonly minLength?: number;
  /** Hypotheses kept at a time; 1, the default, takes the likeliest token at each step. */
  readonly beams?: number;
  /** Exponent of the length that log-probabilities are divided by; 1 unless given. */
  readonly lengthPenalty?: number;
  /**
   * When a sample with as many finished hypotheses as beams is done: true, at once; false (the default), when the best open
   * one would not be better if it ended now; "never", when none could become better.
   */
  readonly earlyStopping?: boolean | "never";
  /** Stops before the next step; the promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Told after each step. */
  readonly onProgress?: (progress: GenerateProgress) => void;
}

/** How far {@link generate} is. */
export interface GenerateProgress {
  /** Samples that are finished, and all of them. */
  readonly done: number;
  readonly total: number;
  /** Tokens generated for each sample so far. */
  readonly length: number;
}

/** What was generated for one sample. */
export interface Generated extends Hypothesis {
  /** All finished hypotheses, best first; with one beam only this one. */
  readonly hypotheses: readonly Hypothesis[];
}

const OPTIONS = [
  ...["bosId", "eosId", "maxLength", "minLength", "beams", "lengthPenalty", "earlyStopping"],
  ...["signal", "onProgress"],
];

type Settings = Required<Omit<GenerateOptions, "signal" | "onProgress">> &
  Pick<GenerateOptions, "signal" | "onProgress">;

/**
 * Generates a target for each source (ids without padding; at most `model.options.maxLength` of them), all in one batch: sort
 * many sources by length and give some dozens at a time. `padId` is never generated. Beam search is that of transformers'
 * `generate` with `renormalize_logits`. Programs are kept with the model and used again, also with other weights.
 * @throws Error for a model in training mode, for sources and options that do not fit it; the signal's reason
 */
export async function generate(
  model: EncoderDecoder,
  sources: readonly ArrayLike<number>[],
  options: GenerateOptions,
): Promise<Generated[]> {
  const settings = settingsOf(model, options);
  checkSources(model, sources);
  checkReady("generate", model);
  if (sources.length === 0) return [];
  let decoder = decoders.get(model);
  if (decoder === undefined) decoders.set(model, (decoder = new Decoder(model)));
  return decoder.generate(sources, settings);
}

const decoders = new WeakMap<EncoderDecoder, Decoder>();

function settingsOf(model: EncoderDecoder, options: GenerateOptions): Settings {
  const {
    bosId,
    eosId,
    maxLength = model.options.maxLength,
    minLength = 0,
    beams = 1,
    lengthPenalty = 1,
    earlyStopping = false,
    signal,
    onProgress,
  } = checkOptions("generate", options, OPTIONS);
  const { maxLength: most, targetVocabSize, padId } = model.options;
  const whole = (name: string, n: number, from: number, to: number): void => {
    if (!Number.isInteger(n) || n < from || n > to)
      throw new Error(
        `generate: ${name} must be a whole number from ${from} to ${to}, got ${String(n)}`,
      );
  };
  whole("bosId", bosId, 0, targetVocabSize - 1);
  if (eosId !== null) whole("eosId", eosId, 0, targetVocabSize - 1);
  if (bosId === padId || eosId === padId)
    throw new Error(
      `generate: bosId and eosId must not be the model's padId ${padId}, which nothing attends to and is never generated`,
    );
  whole("maxLength", maxLength, 1, most);
  whole("minLength", minLength, 0, maxLength);
  whole("beams", beams, 1, Math.max(1, targetVocabSize - 1));
  if (!Number.isFinite(lengthPenalty))
    throw new Error(`generate: lengthPenalty must be a finite number, got ${lengthPenalty}`);
  if (typeof earlyStopping !== "boolean" && earlyStopping !== "never")
    throw new Error(
      `generate: earlyStopping must be true, false or "never", got ${String(earlyStopping)}`,
    );
  return {
    ...{ bosId, eosId, maxLength, minLength, beams, lengthPenalty, earlyStopping },
    ...(signal !== undefined && { signal }),
    ...(onProgress !== undefined && { onProgress }),
  };
}

function checkSources(model: EncoderDecoder, sources: readonly ArrayLike<number>[]): void {
  const { maxLength, vocabSize } = model.options;
  checkIdLists("generate", "source", sources);
  sources.forEach((ids, i) => {
    if (ids.length === 0 || ids.length > maxLength)
      throw new Error(
        `generate: source ${i} has ${ids.length} tokens, the model takes 1 to ${maxLength}; cut it or leave it out`,
      );
    const odd = Array.from(ids).find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabSize));
    if (odd !== undefined)
      throw new Error(
        `generate: source ${i} has the id ${odd}, which is not one of the model's 0 … ${vocabSize - 1}`,
      );
  });
}

/** The decoder of a model, taken apart. */
function partsOf(model: EncoderDecoder): DecoderParts {
  const { decoder, nhead } = model.transformer;
  const { dModel } = model.options;
  return {
    dModel,
    heads: nhead,
    positions: (at) => model.positions.at(at),
    table: model.targetTable.weight,
    scale: Math.sqrt(dModel),
    layers: decoder.layers.map((layer) => ({
      self: layer.self_attn,
      across: layer.multihead_attn,
      linear1: layer.linear1,
      linear2: layer.linear2,
      norms: [layer.norm1, layer.norm2, layer.norm3],
      normFirst: layer.normFirst,
      activation: layer.activation,
    })),
    norm: decoder.norm,
    output: model.outputWeight,
  };
}

/** Programs serve batches of 1, 2, 4, … samples. */
const roundedBatch = (count: number): number => 2 ** Math.ceil(Math.log2(count));

/** Sources are filled up to a multiple of 8 tokens, long ones of 32. */
function roundedLength(length: number, most: number): number {
  const step = length <= 64 ? 8 : 32;
  return Math.min(Math.ceil(length / step) * step, most);
}

/** What is kept with a model. */
class Decoder {
  readonly #model: EncoderDecoder;
  readonly #parts: DecoderParts;
  readonly #weights: FrozenWeights;
  readonly #programs = new Programs<ReturnType<Decoder["make"]>>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(model: EncoderDecoder) {
    this.#model = model;
    this.#parts = partsOf(model);
    const decoder = model.transformer.decoder.parameters();
    this.#weights = new FrozenWeights([...decoder, this.#parts.output]);
  }

  /** One batch after another: programs keep their state between steps. */
  generate(sources: readonly ArrayLike<number>[], settings: Settings): Promise<Generated[]> {
    const result = this.#turn.then(() => this.#generate(sources, settings));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  make(batch: number, length: number, { beams, eosId, minLength }: Settings) {
    const parts = this.#parts;
    const memory = emptyMemory(parts, batch, length);
    const model = this.#model;
    const encode = compile((source: Tensor) =>
      noGrad(() => {
        const found = model.encode(source);
        remember(memory, parts, found.memory, found.padding);
      }),
    );
    const always = [model.options.padId];
    const forbidden = { always, endId: eosId, endWaits: minLength > 0 };
    const decode = new DecodingPrograms({
      ...{ parts, batch, beams, memory, forbidden, weights: this.#weights },
    });
    return { encode, decode };
  }

  async #generate(sources: readonly ArrayLike<number>[], s: Settings): Promise<Generated[]> {
    s.signal?.throwIfAborted();
    if (await this.#weights.refresh()) this.#programs.clear();
    const batch = roundedBatch(sources.length);
    const longest = sources.reduce((most, ids) => Math.max(most, ids.length), 0);
    const { maxLength, padId } = this.#model.options;
    const length = roundedLength(longest, maxLength);
    const key = [batch, length, s.beams, s.eosId, s.minLength > 0].join();
    const { encode, decode } = this.#programs.get(key, () => this.make(batch, length, s));

    const ids = new Int32Array(batch * length).fill(padId);
    // Rows that only fill the batch up repeat the first.
    for (let row = 0; row < batch; row++)
      ids.set(Array.from(sources[row < sources.length ? row : 0]!), row * length);
    await encode(tensor(ids, { shape: [batch, length] }));
    await decode.begin(s.bosId, s.minLength);

    const options: BeamOptions = { ...s, endId: s.eosId };
    const searches = sources.map(() => new BeamSearch(options));
    for (let position = 0; position < s.maxLength; position++) {
      s.signal?.throwIfAborted();
      const found = await decode.step(position);
      const [scores, tokens, parents] = await Promise.all([
        found.scores.data(),
        found.tokens.data(),
        found.parents.data(),
      ]);
      const each = found.tokens.shape[1]!;
      searches.forEach((search, row) => {
        if (search.done) return; // no candidates need be made
        const candidates: Candidate[] = [];
        for (let i = row * each; i < (row + 1) * each; i++)
          candidates.push({
            score: Number(scores[i]),
            token: Number(tokens[i]),
            parent: Number(parents[i]),
          });
        search.advance(candidates);
      });
      const done = searches.filter((search) => search.done).length;
      s.onProgress?.({ done, total: sources.length, length: position + 1 });
      if (done === searches.length) break;
    }
    return searches.map(({ finished }) => ({ ...finished[0]!, hypotheses: finished }));
  }
}
