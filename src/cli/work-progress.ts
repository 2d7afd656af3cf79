/** Shows how far work has come that is no training: a bar with the time left on a terminal, else a few plain lines. */
import { clock, type ProgressStream } from "../train/progress.ts";
import type { WorkEvent } from "./job.ts";

export interface WorkProgressOptions {
  readonly stream: ProgressStream;
  /** Milliseconds since any fixed moment. */
  readonly now?: () => number;
}

/** What is done sooner is not told of. */
const PATIENCE_MS = 1000;
const REDRAW_MS = 100;
const PLAIN_LINES = 10;
/** Between plain lines where the end is not known. */
const PLAIN_SECONDS = 10;
const BAR = 24;

/** Progress of one work after the other. */
export class WorkProgress {
  readonly #stream: ProgressStream;
  readonly #now: () => number;
  #name: string | null = null;
  #start = 0;
  #drawn = -Infinity;
  #shown = 0;
  #isOpen = false;

  constructor({ stream, now = () => performance.now() }: WorkProgressOptions) {
    this.#stream = stream;
    this.#now = now;
  }

  onEvent({ name, done, total }: WorkEvent): void {
    const now = this.#now();
    if (name !== this.#name) {
      this.end();
      this.#name = name;
      this.#start = now;
      this.#shown = 0;
      this.#drawn = -Infinity;
    }
    const seconds = (now - this.#start) / 1000;
    if (seconds * 1000 < PATIENCE_MS) return;
    const share = total === null ? null : total === 0 ? 1 : done / total;
    const left = share ? [`${clock((seconds * (1 - share)) / share)} left`] : [];
    const of = total === null ? "" : `/${count(total)}`;
    const text = [`${name} ${count(done)}${of}`, ...left].join("  ");
    if (this.#stream.isTTY) {
      if (now - this.#drawn < REDRAW_MS && done !== total) return;
      this.#drawn = now;
      const filled = Math.round(BAR * (share ?? 0));
      const bar = share === null ? "" : `${"█".repeat(filled)}${"░".repeat(BAR - filled)} `;
      this.#stream.write(`\r\x1b[2K${`${bar}${text}`.slice(0, (this.#stream.columns || 80) - 1)}`);
      this.#isOpen = true;
      return;
    }
    const part = Math.floor(share === null ? seconds / PLAIN_SECONDS : PLAIN_LINES * share);
    if (part <= this.#shown) return;
    this.#shown = part;
    this.#stream.write(`${text}\n`);
  }

  /** Removes the bar, so that another line may be written. */
  clear(): void {
    if (this.#isOpen) this.#stream.write("\r\x1b[2K");
    this.#isOpen = false;
    this.#drawn = -Infinity;
  }

  /** Ends the work, so that other work may begin. */
  end(): void {
    this.clear();
    this.#name = null;
  }
}

const count = (number: number): string => number.toLocaleString("en-US");
