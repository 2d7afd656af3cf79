/** Writes what a training run tells into event files, which TensorBoard shows while the run goes on. */

import type { LoggedImage, Logger, TrainingEvent } from "../events.ts";
import { scalarsOf } from "./scalars.ts";
import { SummaryWriter } from "./summary-writer.ts";

/** Options of {@link TensorBoardLogger}. */
export interface TensorBoardOptions {
  /** Longest time, in seconds, until a number can be seen; 10 unless given. */
  readonly flushSeconds?: number;
}

/**
 * A logger into a folder of event files. A run that goes on from a checkpoint writes a new file beside those before and
 * voids their later steps.
 */
export class TensorBoardLogger implements Logger {
  readonly #folder: string;
  readonly #options: TensorBoardOptions;
  #writer: SummaryWriter | null = null;

  /** @param folder made where it is missing. */
  constructor(folder: string, options: TensorBoardOptions = {}) {
    this.#folder = folder;
    this.#options = options;
  }

  async onEvent(event: TrainingEvent): Promise<void> {
    if (event.type === "start") {
      const before = this.#writer;
      this.#writer = new SummaryWriter(this.#folder, {
        ...this.#options,
        purgeStep: event.step === 0 ? 0 : event.step + 1,
      });
      await before?.close();
    }
    const writer = this.#open;
    for (const [tag, value] of Object.entries(scalarsOf(event)))
      writer.addScalar(tag, value, event.step);
    if (event.type === "warning")
      writer.addText(`warnings/${event.kind}`, event.message, event.step);
    if (event.type === "evaluation" || event.type === "checkpoint" || event.type === "end")
      await writer.flush();
  }

  histogram(step: number, name: string, values: ArrayLike<number>): void {
    this.#open.addHistogram(name, values, step);
  }

  image(step: number, name: string, image: LoggedImage): void {
    this.#open.addImage(name, image, step);
  }

  text(step: number, name: string, text: string): void {
    this.#open.addText(name, text, step);
  }

  async close(): Promise<void> {
    const writer = this.#writer;
    this.#writer = null;
    await writer?.close();
  }

  /** Also where a loop written by hand tells no start. */
  get #open(): SummaryWriter {
    return (this.#writer ??= new SummaryWriter(this.#folder, this.#options));
  }
}
