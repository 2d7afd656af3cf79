/** The tokenizer: texts to token ids and back, with everything that a Hugging Face `tokenizer.json` describes. */
import { checkOptions } from "../../tensor/arguments.ts";
import {
  type AddedToken,
  addedToken,
  type AddedPart,
  AddedVocabulary,
  type NewToken,
} from "./added-tokens.ts";
import { wellFormed } from "./code-points.ts";
import { type Decoder, readDecoder } from "./decoders.ts";
import {
  append,
  type Draft,
  emptyDraft,
  type Encoding,
  joinDrafts,
  withSequence,
} from "./encoding.ts";
import { JsonField, parseJson } from "./json.ts";
import type { TokenModel } from "./model.ts";
import { readModel } from "./models.ts";
import { type Normalizer, readNormalizer } from "./normalizers.ts";
import {
  checkedPadding,
  pad,
  type Padding,
  paddingBy,
  paddingJson,
  type PaddingOptions,
  readPadding,
} from "./padding.ts";
import { type PostProcessor, readPostProcessor } from "./post-processors.ts";
import { type PreTokenizer, readPreTokenizer } from "./pre-tokenizers.ts";
import {
  checkedTruncation,
  readTruncation,
  truncate,
  type Truncation,
  truncationBy,
  truncationJson,
  type TruncationOptions,
} from "./truncation.ts";

export { toCodePoints } from "./code-points.ts";

/** The parts of a {@link Tokenizer}; what is left out is not done. */
export interface TokenizerOptions {
  readonly model: TokenModel;
  readonly normalizer?: Normalizer | undefined;
  readonly preTokenizer?: PreTokenizer | undefined;
  readonly postProcessor?: PostProcessor | undefined;
  readonly decoder?: Decoder | undefined;
}

/** Options of {@link Tokenizer.encode}. */
export interface EncodeOptions {
  /** A second text, as for questions and answers. */
  readonly pair?: string | undefined;
  /** Adds what the post-processor adds, such as `[CLS]`; true by default. */
  readonly addSpecialTokens?: boolean;
}

/** Largest `tokenizer.json` that is read, in bytes (512 MiB, the longest string of Node). */
const MAX_BYTES = 512 * 2 ** 20;

/**
 * Cuts texts into tokens of a vocabulary: added tokens are found, the rest is normalized, cut into words, and each word
 * into pieces by the model; then the encoding is truncated, post-processed and padded. The same as Python's
 * `tokenizers.Tokenizer` (https://huggingface.co/docs/tokenizers), except that offsets are in UTF-16 units, which index
 * JavaScript strings ({@link toCodePoints} converts them), and that a lone surrogate counts as U+FFFD.
 */
export class Tokenizer {
  readonly model: TokenModel;
  readonly preTokenizer: PreTokenizer | undefined;
  readonly postProcessor: PostProcessor | undefined;
  readonly decoder: Decoder | undefined;
  readonly normalizer: Normalizer | undefined;
  #truncation: Truncation | undefined;
  #padding: Padding | undefined;
  readonly #added = new AddedVocabulary();

  /** @throws TypeError when there is no model. */
  constructor({ model, normalizer, preTokenizer, postProcessor, decoder }: TokenizerOptions) {
    if (typeof (model as Partial<TokenModel> | undefined)?.tokenize !== "function")
      throw new TypeError(
        "new Tokenizer: expected { model } with a Bpe, WordPiece, Unigram or WordLevel; Tokenizer.fromJSON reads a tokenizer.json",
      );
    this.model = model;
    this.normalizer = normalizer;
    this.preTokenizer = preTokenizer;
    this.postProcessor = postProcessor;
    this.decoder = decoder;
  }

  /**
   * Reads the JSON of a `tokenizer.json`, as a value or as text; `file` names it in errors.
   * @throws DataError naming the field that is malformed or of a kind that is not supported
   */
  static fromJSON(value: unknown, { file = "tokenizer.json" } = {}): Tokenizer {
    const root = new JsonField(typeof value === "string" ? parseJson(value, file) : value, file);
    const version = root.get("version");
    if (!version.missing) version.oneOf("1.0");
    const optional = <T>(name: string, read: (field: JsonField) => T): T | undefined => {
      const field = root.get(name);
      return field.missing ? undefined : read(field);
    };
    const tokenizer = new Tokenizer({
      model: readModel(root.get("model")),
      normalizer: optional("normalizer", readNormalizer),
      preTokenizer: optional("pre_tokenizer", readPreTokenizer),
      postProcessor: optional("post_processor", readPostProcessor),
      decoder: optional("decoder", readDecoder),
    });
    tokenizer.#truncation = optional("truncation", readTruncation);
    tokenizer.#padding = optional("padding", readPadding);
    tokenizer.#added.read(root.get("added_tokens"), tokenizer.model, tokenizer.normalizer);
    return tokenizer;
  }

  /** The value of a `tokenizer.json`, which Python reads as well. */
  toJSON(): Record<string, unknown> {
    return {
      version: "1.0",
      truncation: this.truncation ? truncationJson(this.truncation) : null,
      padding: this.padding ? paddingJson(this.padding) : null,
      added_tokens: this.#added.toJSON(),
      normalizer: this.normalizer?.toJSON() ?? null,
      pre_tokenizer: this.preTokenizer?.toJSON() ?? null,
      post_processor: this.postProcessor?.toJSON() ?? null,
      decoder: this.decoder?.toJSON() ?? null,
      model: this.model.toJSON(),
    };
  }

  /** Reads a `tokenizer.json`. @throws DataError naming file and field. */
  static async load(file: string): Promise<Tokenizer> {
    const { readText } = await import("../../data/read-file.ts");
    return Tokenizer.fromJSON(await readText(file, MAX_BYTES), { file });
  }

  /** Writes a `tokenizer.json`; a crash leaves the old file or the whole new one. */
  async save(file: string): Promise<void> {
    const { writeFileAtomic } = await import("../../data/atomic-write.ts");
    await writeFileAtomic(file, `${JSON.stringify(this.toJSON(), null, 2)}\n`);
  }

  /** Cuts encodings to a greatest length; undefined does not. Setting what is none throws an error that names the field. */
  get truncation(): Truncation | undefined {
    return this.#truncation;
  }

  set truncation(value: Truncation | undefined) {
    this.#truncation = value && checkedTruncation(value);
  }

  /** Cuts encodings to `maxLength` tokens, those which a post-processor adds included. @throws DataError for no length */
  enableTruncation(maxLength: number, options: TruncationOptions = {}): void {
    this.truncation = truncationBy(maxLength, options);
  }

  /** Leaves long encodings as they are. */
  noTruncation(): void {
    this.#truncation = undefined;
  }

  /** Brings encodings to one length; undefined does not. Setting what is none throws an error that names the field. */
  get padding(): Padding | undefined {
    return this.#padding;
  }

  set padding(value: Padding | undefined) {
    this.#padding = value && checkedPadding(value);
  }

  /** Brings encodings to one length: that of the longest of a batch unless `length` is given. */
  enablePadding(options: PaddingOptions = {}): void {
    this.padding = paddingBy(options);
  }

  /** Leaves short encodings as they are. */
  noPadding(): void {
    this.#padding = undefined;
  }

  /** Number of tokens, added ones included. */
  get vocabSize(): number {
    let size = this.model.size;
    for (const token of this.#added.ids.keys())
      if (this.model.tokenToId(token) === undefined) size++;
    return size;
  }

  /** Ids of all tokens, added ones included. */
  vocabulary(): Map<string, number> {
    return new Map([...this.model.vocabulary(), ...this.#added.ids]);
  }

  /** The id of a token, added ones included; undefined for one that is not in the vocabulary. */
  tokenToId(token: string): number | undefined {
    return this.#added.tokenToId(token) ?? this.model.tokenToId(token);
  }

  /** The token of an id; an added token that is normalized comes as it stands in normalized text. */
  idToToken(id: number): string | undefined {
    return this.#added.idToToken(id) ?? this.model.idToToken(id);
  }

  /** The added tokens by id, in ascending order. */
  addedTokens(): [id: number, token: AddedToken][] {
    return this.#added.entries();
  }

  /** Whether decoding leaves a token out. */
  isSpecial(id: number): boolean {
    return this.#added.isSpecial(id, this.model.idToToken(id));
  }

  /** Adds tokens that are found in texts as a whole. Returns how many are new or changed. */
  addTokens(tokens: readonly NewToken[]): number {
    return this.#addAll(tokens, false);
  }

  /** Adds tokens that are also left out of decoded text. Returns how many are new or changed. */
  addSpecialTokens(tokens: readonly NewToken[]): number {
    return this.#addAll(tokens, true);
  }

  #addAll(tokens: readonly NewToken[], special: boolean): number {
    const operation = special ? "Tokenizer.addSpecialTokens" : "Tokenizer.addTokens";
    if (!Array.isArray(tokens)) throw new TypeError(`${operation}: expected an array of tokens`);
    const added = tokens.map((token: NewToken) => addedToken(token, special));
    for (const { content } of added) checkText(operation, content);
    return this.#added.add(added, this.model, this.normalizer);
  }

  /**
   * The tokens of a text, or of a pair.
   * @throws RangeError when truncation cannot do what it should
   */
  encode(text: string, options: EncodeOptions = {}): Encoding {
    const encoding = this.#process("Tokenizer.encode", text, options);
    return this.padding ? (pad([encoding], this.padding)[0] as Draft) : encoding;
  }

  /** The tokens of many texts or pairs, padded together. */
  encodeBatch(
    texts: readonly (string | readonly [text: string, pair: string])[],
    options: Omit<EncodeOptions, "pair"> = {},
  ): Encoding[] {
    const op = "Tokenizer.encodeBatch";
    const { addSpecialTokens = true } = checkOptions(op, options, ["addSpecialTokens"]);
    if (!Array.isArray(texts)) throw new TypeError(`${op}: expected an array of texts or pairs`);
    const encodings = texts.map((input: string | readonly [string, string]) => {
      const [text, pair] = typeof input === "string" ? [input] : input;
      return this.#process(op, text, { pair, addSpecialTokens });
    });
    return this.padding ? pad(encodings, this.padding) : encodings;
  }

  /**
   * The words of a text as the model gets them, added tokens among them, with their places in the text: what encoding
   * does before the model.
   */
  words(text: string): { text: string; start: number; end: number }[] {
    checkText("Tokenizer.words", text);
    return this.#parts(wellFormed(text)).map(({ part }) => {
      const [start, end] = part.originalRange(0, part.text.length);
      return { text: part.text, start, end };
    });
  }

  /**
   * The text of token ids, without special tokens unless `skipSpecialTokens` is false; ids without a token are left out, as
   * embeddings often have more rows than there are tokens. Unlike in Python, special tokens that the normalizer changes
   * are left out as well.
   * @throws TypeError for what is no id.
   */
  decode(ids: Iterable<number>, options: { readonly skipSpecialTokens?: boolean } = {}): string {
    const known = ["skipSpecialTokens"];
    const { skipSpecialTokens = true } = checkOptions("Tokenizer.decode", options, known);
    const tokens: string[] = [];
    for (const id of ids) {
      if (!Number.isInteger(id))
        throw new TypeError(`Tokenizer.decode: expected whole numbers, got ${typeof id} ${id}`);
      const token = this.idToToken(id);
      if (token !== undefined && !(skipSpecialTokens && this.isSpecial(id))) tokens.push(token);
    }
    return this.decoder ? this.decoder.decodeChain(tokens).join("") : tokens.join(" ");
  }

  /** The texts of many lists of ids. */
  decodeBatch(batch: readonly Iterable<number>[], options: { skipSpecialTokens?: boolean } = {}) {
    return batch.map((ids) => this.decode(ids, options));
  }

  #process(operation: string, text: string, options: EncodeOptions): Draft {
    if (typeof options !== "object")
      throw new TypeError(
        `${operation}: expected { pair, addSpecialTokens }, got ${typeof options}; a second text is { pair }`,
      );
    const known = ["pair", "addSpecialTokens"];
    const { pair, addSpecialTokens = true } = checkOptions(operation, options, known);
    let drafts = [this.#tokenize(operation, text, 0)];
    if (pair !== undefined) drafts.push(this.#tokenize(operation, pair, 1));
    if (this.truncation) drafts = truncate(drafts, this.#room(this.truncation, drafts, options));
    const texts = pair === undefined ? [text] : [text, pair];
    const parts = this.postProcessor?.process(drafts, addSpecialTokens, texts) ?? drafts;
    return joinDrafts(parts);
  }

  /** What truncation leaves to the texts beside the tokens that are added. */
  #room(truncation: Truncation, drafts: readonly Draft[], options: EncodeOptions): Truncation {
    const { maxLength } = truncation;
    const added = this.postProcessor?.added(drafts.length > 1) ?? 0;
    if (options.addSpecialTokens === false || added === 0) return truncation;
    if (maxLength < added)
      throw new RangeError(
        `Tokenizer.encode: truncation to ${maxLength} tokens leaves no room for the ${added} special tokens`,
      );
    return { ...truncation, maxLength: maxLength - added };
  }

  #tokenize(operation: string, text: string, sequenceId: number): Draft {
    checkText(operation, text);
    const draft = emptyDraft();
    let word = 0;
    for (const { part, id } of this.#parts(wellFormed(text))) {
      if (id !== undefined)
        append(draft, [{ id, token: part.text, start: 0, end: part.text.length }], part, word);
      else append(draft, this.model.tokenize(part.text), part, word);
      word++;
    }
    return withSequence(draft, sequenceId);
  }

  /** Words and added tokens in order. */
  #parts(text: string): AddedPart[] {
    const { preTokenizer } = this;
    const parts = this.#added.extract(text, this.normalizer);
    if (preTokenizer === undefined) return parts;
    return parts.flatMap((found) =>
      found.id === undefined
        ? preTokenizer.preTokenize(found.part).map((part) => ({ part }))
        : [found],
    );
  }
}

function checkText(operation: string, text: unknown): void {
  if (typeof text !== "string")
    throw new TypeError(`${operation}: expected a string, got ${typeof text}`);
}
