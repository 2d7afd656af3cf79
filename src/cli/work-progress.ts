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
const BAR = 24;

/** Progress of one work after the other. */
export class WorkProgress {
  readonly #stream: ProgressStream;
  readonly #now: () => number;
  #name: string | null = null;
  #start = 0;
  #drawn = -Infinity;
  #shownTenths = 0;
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
      this.#shownTenths = 0;
      this.#drawn = -Infinity;
    }
    const seconds = (now - this.#start) / 1000;
    if (seconds * 1000 < PATIENCE_MS) return;
    const share = total > 0 ? done / total : 1;
    const left = share > 0 ? [`${clock((seconds * (1 - share)) / share)} left`] : [];
    const text = [`${name} ${count(done)}/${count(total)}`, ...left].join("  ");
    if (this.#stream.isTTY) {
      if (now - this.#drawn < REDRAW_MS && done < total) return;
      this.#drawn = now;
      const filled = Math.round(BAR * share);
      const line = `${"█".repeat(filled)}${"░".repeat(BAR - filled)} ${text}`;
      this.#stream.write(`\r\x1b[2K${line.slice(0, (this.#stream.columns || 80) - 1)}`);
      this.#isOpen = true;
      return;
    }
    const tenths = Math.floor(PLAIN_LINES * share);
    if (tenths <= this.#shownTenths) return;
    this.#shownTenths = tenths;
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
