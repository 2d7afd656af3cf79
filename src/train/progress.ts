/** Shows how far a training run has come: a bar with loss, speed and time left on a terminal, else plain lines. */

/** Where progress is shown; Node's `process.stderr` is one. */
export interface ProgressStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface ProgressOptions {
  readonly stream: ProgressStream;
  /** Milliseconds since any fixed moment. */
  readonly now?: () => number;
}

const REDRAW_MS = 100;
const PLAIN_LINES = 10;
const BAR_WIDTH = 24;

/** One run's progress; call {@link update} after every step and {@link end} once, also after an error. */
export class Progress {
  readonly #stream: ProgressStream;
  readonly #now: () => number;
  readonly #start: number;
  #firstStep: { step: number; time: number } | undefined;
  #loss: number | undefined;
  #drawn = -Infinity;
  #shownTenths = 0;
  #isOpen = false;

  constructor({ stream, now = () => performance.now() }: ProgressOptions) {
    this.#stream = stream;
    this.#now = now;
    this.#start = now();
  }

  /** @param step steps done, of `steps`; the loss is shown as a running mean over about twenty steps. */
  update({ step, steps, loss }: { step: number; steps: number; loss: number }): void {
    const time = this.#now();
    this.#loss = this.#loss === undefined ? loss : 0.95 * this.#loss + 0.05 * loss;
    // The first step includes compilation, so speed is measured from its end.
    this.#firstStep ??= { step, time };
    const rate = (1000 * (step - this.#firstStep.step)) / (time - this.#firstStep.time);
    const isKnown = Number.isFinite(rate) && rate > 0;
    const figures = [
      `step ${step}/${steps}`,
      `loss ${this.#loss.toFixed(4)}`,
      ...(isKnown ? [`${rate.toFixed(1)} steps/s`, `${clock((steps - step) / rate)} left`] : []),
    ].join("  ");
    if (this.#stream.isTTY) {
      if (time - this.#drawn < REDRAW_MS && step < steps) return;
      this.#drawn = time;
      const done = Math.round((BAR_WIDTH * step) / steps);
      const line = `${"█".repeat(done)}${"░".repeat(BAR_WIDTH - done)} ${figures}`;
      this.#stream.write(`\r\x1b[2K${line.slice(0, (this.#stream.columns ?? 80) - 1)}`);
      this.#isOpen = true;
    } else {
      const tenths = Math.floor((PLAIN_LINES * step) / steps);
      if (tenths === this.#shownTenths) return;
      this.#shownTenths = tenths;
      this.#stream.write(`${figures}\n`);
    }
  }

  /** Ends the bar's line and says how long the run took. */
  end(): void {
    if (this.#isOpen) this.#stream.write("\n");
    this.#isOpen = false;
    this.#stream.write(`ended after ${clock((this.#now() - this.#start) / 1000)}\n`);
  }
}

/** Seconds as `m:ss` or `h:mm:ss`. */
function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
