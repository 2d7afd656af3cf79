/** Continuing prompts with a decoder-only model: greedily, or drawing tokens at random. */

import { tensor } from "../creation.ts";
import { Generator } from "../random.ts";
import { checkOptions } from "../tensor/arguments.ts";
import type { DecoderOnly } from "./decoder-only.ts";
import { checkReady, type DecoderParts } from "./decoder-parts.ts";
import { DecodingPrograms } from "./decoding-programs.ts";
import { FrozenWeights } from "./frozen-weights.ts";
import { checkIdLists } from "./ids.ts";
import { Programs } from "./programs.ts";

/** Options of {@link continuePrompts}. */
export interface ContinueOptions {
  /** The token that ends a text; null, the default: none does. */
  readonly eosId?: number | null;
  /** Most tokens to add to each prompt, the end included; as many as the model can unless given. */
  readonly maxLength?: number;
  /**
   * Draws from softmax(logits / temperature); 0, the default, takes the likeliest token, whatever `topK`, `topP` and `seed`
   * say: giving one of them without a temperature is an error.
   */
  readonly temperature?: number;
  /** Draws among so many of the likeliest. */
  readonly topK?: number;
  /** Draws among the fewest likeliest whose probabilities reach this sum; 1, the default: among all. */
  readonly topP?: number;
  /** The same seed, prompts and options give the same tokens; 0 unless given. */
  readonly seed?: number;
  /** Stops before the next step; the promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Told after each step how many continuations are finished, and of how many. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What was added to a prompt. */
export interface Continuation {
  /** Without the prompt and the end. */
  readonly ids: number[];
  /** Sum of their log-probabilities, end included. */
  readonly score: number;
  /** False where `maxLength` came before the end. */
  readonly complete: boolean;
}

/**
 * Adds tokens to prompts (ids of any lengths, at least one each), all in one batch, with keys and values kept between steps;
 * prompts are read token by token.
 * @throws Error for a model in training mode, for prompts and options that do not fit it; the signal's reason
 */
export async function continuePrompts(
  model: DecoderOnly,
  prompts: readonly ArrayLike<number>[],
  options: ContinueOptions = {},
): Promise<Continuation[]> {
  const { maxLength: most, vocabSize, padId } = model.options;
  const fits = (id: number): boolean =>
    Number.isInteger(id) && id >= 0 && id < vocabSize && id !== padId;
  const known = `from 0 to ${vocabSize - 1}${padId === null ? "" : `, not the padId ${padId}`}`;
  const settings = settingsOf(options);
  if (settings.eosId !== null && !fits(settings.eosId))
    throw new Error(`continuePrompts: eosId must be an id ${known}, got ${settings.eosId}`);
  checkIdLists("continuePrompts", "prompt", prompts);
  prompts.forEach((ids, i) => {
    const odd = Array.from(ids).find((id) => !fits(id));
    if (ids.length === 0 || ids.length >= most || odd !== undefined)
      throw new Error(
        `continuePrompts: prompt ${i} must have 1 to ${most - 1} ids ${known}, got ${odd === undefined ? `${ids.length} of them` : String(odd)}`,
      );
  });
  checkReady("continuePrompts", model);
  if (prompts.length === 0) return [];
  let writer = writers.get(model);
  if (writer === undefined) writers.set(model, (writer = new Writer(model)));
  return writer.write(prompts, settings);
}

const writers = new WeakMap<DecoderOnly, Writer>();

type Settings = ReturnType<typeof settingsOf>;

function settingsOf(options: ContinueOptions) {
  const {
    eosId = null,
    maxLength = Infinity,
    temperature = 0,
    topK = null,
    topP = 1,
    seed = 0,
    signal,
    onProgress,
  } = checkOptions("continuePrompts", options, [
    ...["eosId", "maxLength", "temperature", "topK", "topP", "seed", "signal", "onProgress"],
  ]);
  const need = (fits: boolean, what: string, got: unknown): void => {
    if (!fits) throw new Error(`continuePrompts: ${what}, got ${String(got)}`);
  };
  const whole = Number.isInteger(maxLength) || maxLength === Infinity;
  need(whole && maxLength >= 1, "maxLength must be a whole number from 1", maxLength);
  need(temperature >= 0 && temperature < Infinity, "temperature must be at least 0", temperature);
  need(topK === null || (Number.isInteger(topK) && topK > 0), "topK must be positive", topK);
  need(topP > 0 && topP <= 1, "topP must be above 0 and at most 1", topP);
  const idle = (["topK", "topP", "seed"] as const).find((name) => options[name] !== undefined);
  if (options.temperature === undefined && idle !== undefined)
    throw new Error(
      `continuePrompts: ${idle} is for drawing tokens, got no temperature; give one such as 1, or 0 for the likeliest token`,
    );
  return { eosId, maxLength, temperature, topK, topP, seed, signal, onProgress };
}

/** What is kept with a model. */
class Writer {
  readonly #model: DecoderOnly;
  readonly #parts: DecoderParts;
  readonly #weights: FrozenWeights;
  readonly #programs = new Programs<ReturnType<Writer["make"]>>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(model: DecoderOnly) {
    this.#model = model;
    const { layers, norm } = model.transformer;
    this.#parts = {
      dModel: model.options.dModel,
      heads: model.options.nhead,
      positions: (at) => model.positions.at(at),
      table: model.embedding.weight,
      scale: 1,
      layers: layers.map((layer) => ({
        ...{ self: layer.self_attn, across: null, norms: [layer.norm1, layer.norm2] },
        ...{ linear1: layer.linear1, linear2: layer.linear2 },
        ...{ normFirst: layer.normFirst, activation: layer.activation },
      })),
      norm,
      output: model.outputWeight,
    };
    this.#weights = new FrozenWeights([...model.transformer.parameters(), model.outputWeight]);
  }

  /** One batch after another: programs keep their state between steps. */
  write(prompts: readonly ArrayLike<number>[], settings: Settings): Promise<Continuation[]> {
    const result = this.#turn.then(() => this.#write(prompts, settings));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  make(batch: number, { temperature, topK, topP }: Settings) {
    const { padId } = this.#model.options;
    const sampling =
      temperature === 0 ? null : { temperature, topK, topP, generator: new Generator() };
    const decode = new DecodingPrograms({
      ...{ parts: this.#parts, weights: this.#weights, batch, beams: 1, sampling },
      memory: { keyValues: [], mask: null },
      forbidden: { always: padId === null ? [] : [padId], endId: null, endWaits: false },
    });
    return { decode, sampling };
  }

  async #write(prompts: readonly ArrayLike<number>[], s: Settings): Promise<Continuation[]> {
    s.signal?.throwIfAborted();
    if (await this.#weights.refresh()) this.#programs.clear();
    const batch = 2 ** Math.ceil(Math.log2(prompts.length));
    const key = [batch, s.temperature, s.topK, s.topP].join();
    const { decode, sampling } = this.#programs.get(key, () => this.make(batch, s));
    sampling?.generator.manualSeed(s.seed);
    await decode.begin(0);
    const texts = prompts.map((prompt) => ({
      ...{ prompt, ids: new Array<number>(), score: 0, complete: false, done: false },
    }));
    const next = Int32Array.from({ length: batch }, (_, row) => prompts[row]?.[0] ?? 0);
    const longest = Math.max(...prompts.map(({ length }) => length));
    for (let position = 0; position < this.#model.options.maxLength; position++) {
      s.signal?.throwIfAborted();
      // The program goes on with the tokens it chose, except while a prompt is read.
      if (position < longest) decode.ids.assign(tensor(next, { shape: [batch, 1] }));
      const found = await decode.step(position);
      const [totals, tokens] = await Promise.all([found.scores.data(), found.tokens.data()]);
      texts.forEach((text, row) => {
        const token = Number(tokens[row]);
        const given = text.prompt[position + 1];
        next[row] = given ?? token;
        // Scores add up from the first step on: those of the prompt's tokens are taken off.
        if (given !== undefined) text.score = -Number(totals[row]);
        if (given !== undefined || text.done) return;
        const last = token === s.eosId;
        if (!last) text.ids.push(token);
        const count = text.ids.length + (last ? 1 : 0);
        const isFull = text.prompt.length + count >= this.#model.options.maxLength;
        text.complete = last;
        text.done = last || count >= s.maxLength || isFull;
        if (text.done) text.score += Number(totals[row]);
      });
      const done = texts.filter((text) => text.done).length;
      s.onProgress?.(done, texts.length);
      if (done === texts.length) break;
    }
    return texts.map(({ ids, score, complete }) => ({ ids, score, complete }));
  }
}
