/** Writes event files for TensorBoard, as PyTorch's `torch.utils.tensorboard.SummaryWriter` does. */

import { Tensor } from "../../tensor.ts";
import type { LoggedImage } from "../events.ts";
import { EventFile, type EventFileOptions } from "./event-file.ts";
import type { SummaryValue } from "./event-records.ts";
import { histogramOf } from "./histogram.ts";
import { imageReader, type DataFormat } from "./image-of.ts";
import { encodePng } from "./png.ts";

/** Options of {@link SummaryWriter}. */
export type SummaryWriterOptions = EventFileOptions;

/** What every value of a {@link SummaryWriter} may have. */
export interface AddOptions {
  /** Seconds since 1970; now unless given. */
  readonly wallTime?: number;
}

/** Options of `addImage`. */
export interface AddImageOptions extends AddOptions {
  /** Order of a tensor's dimensions; "CHW" unless given. */
  readonly dataFormat?: DataFormat;
}

type Numbers = ArrayLike<number | bigint | boolean>;

/**
 * Writes event files into a folder, which `tensorboard --logdir` shows. What is added is written in its order, and at
 * the latest by {@link flush} or {@link close}, which also tell what went wrong. Node only.
 * See https://docs.pytorch.org/docs/stable/tensorboard.html.
 */
export class SummaryWriter {
  readonly logDir: string;
  readonly #options: SummaryWriterOptions;
  readonly #file: EventFile;
  /** Files of {@link addScalars}, by folder. */
  readonly #parts = new Map<string, EventFile>();
  /** Values being read from tensors, and what must wait for them. */
  #reading: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;
  #isClosed = false;

  constructor(logDir: string, options: SummaryWriterOptions = {}) {
    if (typeof logDir !== "string" || logDir === "")
      throw new Error(`SummaryWriter: logDir must name a folder, got ${JSON.stringify(logDir)}`);
    this.logDir = logDir;
    this.#options = options;
    this.#file = new EventFile(logDir, options);
  }

  /** Adds a number, or the element of a tensor of one element. It is kept as float32. */
  addScalar(tag: string, value: number | Tensor, step = 0, options: AddOptions = {}): void {
    if (value instanceof Tensor && value.size !== 1)
      throw new Error(
        `addScalar: ${tag} must have one element, got shape [${value.shape.join()}]; addHistogram takes more`,
      );
    const source = value instanceof Tensor ? value : [value];
    this.#add("addScalar", step, options, source, (data) => ({ tag, scalar: Number(data[0]) }));
  }

  /** Adds several numbers that are shown in one chart; each goes to a folder `<mainTag>_<name>` of its own. */
  addScalars(
    mainTag: string,
    values: Readonly<Record<string, number>>,
    step = 0,
    options: AddOptions = {},
  ): void {
    for (const [name, value] of Object.entries(values)) {
      const folder = `${this.logDir}/${mainTag.replaceAll("/", "_")}_${name.replaceAll("/", "_")}`;
      const file = this.#parts.get(folder) ?? new EventFile(folder, this.#options);
      this.#parts.set(folder, file);
      const give = () => ({ tag: mainTag, scalar: value });
      this.#add("addScalars", step, options, [], give, file);
    }
  }

  /** Adds the distribution of values, of any shape; those that are not finite are not counted. */
  addHistogram(
    tag: string,
    values: ArrayLike<number> | Tensor,
    step = 0,
    options: AddOptions = {},
  ): void {
    this.#add("addHistogram", step, options, values, (data) => ({
      tag,
      histogram: histogramOf(Float64Array.from(data, Number)),
    }));
  }

  /**
   * Adds an image: bytes, or a tensor [C, H, W], with `dataFormat` [H, W, C] or [H, W], of 1, 3 or 4 channels. Numbers
   * of a float tensor go from 0 to 1, those of an integer one from 0 to 255; what is outside is clipped.
   */
  addImage(
    tag: string,
    image: LoggedImage | Tensor,
    step = 0,
    { dataFormat = "CHW", ...options }: AddImageOptions = {},
  ): void {
    const encode = (bytes: LoggedImage): SummaryValue => ({
      tag,
      image: { ...bytes, png: encodePng(bytes) },
    });
    if (image instanceof Tensor) {
      const { shape, dtype } = image;
      const read = imageReader({ shape, dtype, dataFormat });
      this.#add("addImage", step, options, image, (data) => encode(read(data)));
    } else {
      const value = encode(image);
      this.#add("addImage", step, options, [], () => value);
    }
  }

  /** Adds a text, which is shown as Markdown; its tag ends in `/text_summary`, as PyTorch's does. */
  addText(tag: string, text: string, step = 0, options: AddOptions = {}): void {
    this.#add("addText", step, options, [], () => ({ tag: `${tag}/text_summary`, text }));
  }

  /** Writes all that was added. @throws what has gone wrong since the last time. */
  async flush(): Promise<void> {
    await this.#reading;
    const files = [this.#file, ...this.#parts.values()];
    const results = await Promise.allSettled(files.map((file) => file.flush()));
    this.#tell(results);
  }

  /** Writes all that was added and closes the files. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#reading;
    const files = [this.#file, ...this.#parts.values()];
    const results = await Promise.allSettled(files.map((file) => file.close()));
    this.#tell(results);
  }

  #tell(results: readonly PromiseSettledResult<void>[]): void {
    const failed = results.find((result) => result.status === "rejected");
    const failure = this.#failure ?? (failed && { error: failed.reason as unknown });
    this.#failure = null;
    if (failure) throw failure.error;
  }

  #add(
    operation: string,
    step: number,
    { wallTime = Date.now() / 1000 }: AddOptions,
    source: Numbers | Tensor,
    give: (data: Numbers) => SummaryValue,
    file = this.#file,
  ): void {
    if (this.#isClosed) throw new Error(`${operation}: the writer is closed`);
    if (!Number.isInteger(step))
      throw new Error(`${operation}: step must be an integer, got ${String(step)}`);
    const add = (data: Numbers) => file.add({ wallTime, step, content: { values: [give(data)] } });
    const before = this.#reading;
    if (!(source instanceof Tensor) && before === null) return add(source);
    // The value is that of now, even where the tensor is assigned to before it has been read.
    const data = source instanceof Tensor ? source.detach().data() : source;
    const reading = Promise.all([data, before])
      .then(([numbers]) => add(numbers))
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        if (this.#reading === reading) this.#reading = null;
      });
    this.#reading = reading;
  }
}
