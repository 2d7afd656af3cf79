/** A translator around a trained encoder–decoder: ids, batches by length, decoding, attention, files. */
import { tensor } from "../../creation.ts";
import { toSafetensors } from "../../hub/safetensors.ts";
import type { EncoderDecoder } from "../../models/encoder-decoder.ts";
import { generate } from "../../models/generate.ts";
import { captureAttention } from "../../nn/attention-capture.ts";
import type { Tensor } from "../../tensor.ts";
import { checkOptions } from "../../tensor/arguments.ts";
import type { Tokenizer } from "../../text/tokenizer/tokenizer.ts";
import { noGrad } from "../../trace.ts";
import type { TrainingExtent } from "../training-extent.ts";
import { sourceIds } from "./batches.ts";
import type { AttentionMaps, PairAttention } from "./pair-attention.ts";
import type { SpecialIds } from "./special-tokens.ts";
import { formatTranslatorConfig } from "./translator-config.ts";
import type { TranslateOptions, Translation, Translator } from "./translator.ts";

/** What a translator consists of. */
export interface TranslatorParts {
  readonly model: EncoderDecoder;
  readonly tokenizer: Tokenizer;
  readonly special: SpecialIds;
  readonly training: TrainingExtent | undefined;
}

const BATCH_SIZE = 32;
const OPTIONS = ["beams", "lengthPenalty", "maxLength", "batchSize", "signal", "onProgress"];

function checkTexts(texts: unknown): void {
  if (!Array.isArray(texts))
    throw new TypeError(
      `translate: expected a list of texts, got ${typeof texts}; one text is given as [text]`,
    );
  const odd = texts.findIndex((text: unknown) => typeof text !== "string");
  if (odd >= 0)
    throw new TypeError(`translate: text ${odd} must be a string, got ${typeof texts[odd]}`);
}

/** Weights [1, H, T, S] as one array a head. */
async function headsOf(weights: Tensor): Promise<Float32Array[]> {
  const all = (await weights.data()) as Float32Array;
  const size = all.length / weights.shape[1]!;
  return Array.from({ length: weights.shape[1]! }, (_, h) => all.slice(h * size, (h + 1) * size));
}

/** Translates with a trained model. */
export class TransformerTranslator implements Translator {
  readonly #parts: TranslatorParts;
  /** Works under way in evaluation mode, and the mode that the model had before the first of them. */
  #evaluations = 0;
  #wasTraining = false;

  /** @internal `translationTraining` and `loadTranslator` make it. */
  constructor(parts: TranslatorParts) {
    this.#parts = parts;
  }

  get training(): TrainingExtent | undefined {
    return this.#parts.training;
  }

  get maxLength(): number {
    return this.#parts.model.options.maxLength;
  }

  get description(): string {
    const { model } = this.#parts;
    const { numEncoderLayers, numDecoderLayers, dModel, vocabSize } = model.options;
    const parameters = [...model.parameters()].reduce((sum, { size }) => sum + size, 0);
    return `${numEncoderLayers} + ${numDecoderLayers} layers of ${dModel}, ${vocabSize} tokens, ${parameters.toLocaleString("en")} parameters`;
  }

  async translate(
    texts: readonly string[],
    options: TranslateOptions = {},
  ): Promise<Translation[]> {
    checkTexts(texts);
    const {
      beams,
      lengthPenalty,
      batchSize = BATCH_SIZE,
      signal,
      onProgress,
    } = checkOptions("translate", options, OPTIONS);
    const { tokenizer, special, model } = this.#parts;
    const maxLength = Math.min(options.maxLength ?? this.maxLength, this.maxLength);
    const found = new Array<Translation>(texts.length);
    const sources = texts.map((text) => this.#source(text));
    const order = sources.flatMap(({ ids }, i) => {
      if (ids.length > 1) return [i];
      // Nothing but its end.
      found[i] = { text: "", score: 0, tokens: 0, complete: true, cut: 0 };
      return [];
    });
    order.sort((a, b) => sources[a]!.ids.length - sources[b]!.ids.length);
    await this.#evaluating(async () => {
      for (let start = 0; start < order.length; start += batchSize) {
        const batch = order.slice(start, start + batchSize);
        const results = await generate(
          model,
          batch.map((i) => sources[i]!.ids),
          {
            bosId: special.bosId,
            eosId: special.eosId,
            maxLength,
            ...(beams !== undefined && { beams }),
            ...(lengthPenalty !== undefined && { lengthPenalty }),
            ...(signal !== undefined && { signal }),
          },
        );
        results.forEach(({ ids, score, complete }, b) => {
          const i = batch[b]!;
          const text = tokenizer.decode(ids);
          found[i] = { text, score, tokens: ids.length, complete, cut: sources[i]!.cut };
        });
        onProgress?.(texts.length - order.length + start + batch.length, texts.length);
      }
    });
    return found;
  }

  async attention(source: string, target?: string): Promise<PairAttention> {
    const { model, tokenizer, special } = this.#parts;
    const targetText = target ?? (await this.translate([source]))[0]!.text;
    const { ids } = this.#source(source);
    const wanted = this.#source(targetText).ids;
    const given = Int32Array.of(special.bosId, ...wanted.subarray(0, -1));
    // As it reads; of a part of a character, the vocabulary's own name.
    const name = (id: number): string => {
      const text = tokenizer.decode([id], { skipSpecialTokens: false });
      return text === "" || text.includes("\uFFFD")
        ? (tokenizer.idToToken(id) ?? String(id))
        : text;
    };
    // One row, nothing padded: the maps are as long as the texts.
    const [sources, targets] = [ids, given].map((row) => tensor(row).unsqueeze(0));
    const maps = await this.#evaluating(async () => {
      const { attention } = noGrad(() =>
        captureAttention(model, () => model.forward(sources!, targets!)),
      );
      const maps = (kind: RegExp): Promise<AttentionMaps> =>
        Promise.all(
          Object.entries(attention)
            .filter(([path]) => kind.test(path))
            .map(([, { weights }]) => headsOf(weights)),
        );
      return {
        encoder: await maps(/encoder\..*self_attn$/),
        decoder: await maps(/decoder\..*self_attn$/),
        cross: await maps(/multihead_attn$/),
      };
    });
    return {
      sourceText: source,
      targetText,
      source: Array.from(ids, name),
      target: Array.from(given, name),
      predicted: Array.from(wanted, name),
      ...maps,
    };
  }

  async files(): Promise<ReadonlyMap<string, Uint8Array | string>> {
    const weights = await toSafetensors(this.#parts.model.stateDict());
    return new Map(Object.entries({ ...this.descriptions(), "model.safetensors": weights }));
  }

  /** Those of its files that are text: everything but the weights. */
  descriptions(): Readonly<Record<string, string>> {
    const { model, tokenizer, special, training } = this.#parts;
    return {
      "config.json": formatTranslatorConfig({ model: model.options, special, training }),
      "tokenizer.json": `${JSON.stringify(tokenizer, null, 2)}\n`,
    };
  }

  /** Ids of a text, cut to what the model can read, its end kept. */
  #source(text: string): { readonly ids: Int32Array; readonly cut: number } {
    const { tokenizer, special } = this.#parts;
    const ids = sourceIds(tokenizer, text, special);
    const cut = Math.max(0, ids.length - this.maxLength);
    if (cut === 0) return { ids, cut };
    return { ids: Int32Array.of(...ids.subarray(0, this.maxLength - 1), special.eosId), cut };
  }

  /** What `run` gives with the model in evaluation mode. */
  async #evaluating<R>(run: () => Promise<R>): Promise<R> {
    const { model } = this.#parts;
    if (this.#evaluations === 0) this.#wasTraining = model.training;
    this.#evaluations += 1;
    model.eval();
    try {
      return await run();
    } finally {
      this.#evaluations -= 1;
      if (this.#evaluations === 0) model.train(this.#wasTraining);
    }
  }
}
