/** Shows how far a training run has come: a bar with loss, speed and time left on a terminal, else plain lines. */

import type { EvaluationEvent, StartEvent, StepEvent, TrainingEvent } from "./events.ts";

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

/** A bar is drawn again no sooner than this, and, so that one sees the time go, no later than that. */
const REDRAW_MS = 100;
const TICK_MS = 1000;
const PLAIN_LINES = 10;
/** Between plain lines where the end of the run is not known. */
const PLAIN_SECONDS = 10;
/** Columns of a terminal that has room for a wide bar and all figures. */
const WIDE = 140;
const WIDE_BAR = 24;
const NARROW_BAR = 8;

/** One run's progress; give it each event, and call {@link end} once, also after an error. */
export class Progress {
  readonly #stream: ProgressStream;
  readonly #now: () => number;
  readonly #start: number;
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #step: { readonly event: StepEvent; readonly time: number } | null = null;
  #drawn = -Infinity;
  #shownTenths = 0;
  #shownSeconds = 0;
  #isOpen = false;

  constructor({ stream, now = () => performance.now() }: ProgressOptions) {
    this.#stream = stream;
    this.#now = now;
    this.#start = now();
    if (!stream.isTTY) return;
    this.#timer = setInterval(() => this.#draw(), TICK_MS);
    this.#timer.unref();
  }

  onEvent(event: TrainingEvent): void {
    switch (event.type) {
      case "start":
        this.#shownTenths = tenthsOf(event);
        if (event.resumedFrom !== null) this.line(`going on from ${event.resumedFrom}`);
        return;
      case "step":
        return this.#takeStep(event);
      case "evaluation":
        return this.line(evaluationLine(event));
      case "checkpoint": {
        const { step, folder, best, seconds } = event;
        return this.line(
          `step ${step}  saved ${folder}${best ? ", the best so far" : ""} (${seconds.toFixed(1)} s)`,
        );
      }
      case "warning":
        return this.line(`warning: ${event.message}`);
      case "paused":
      case "resumed":
        return this.line(`${event.type} at step ${event.step}`);
      case "end": {
        const { reason, step, skipped, padding } = event;
        if (reason === "earlyStopping")
          this.line(`stopped early after step ${step}, no longer better`);
        if (skipped > 0) this.line(`${skipped} steps were left out: something was not finite`);
        if (padding !== undefined) this.line(`${percent(padding)} of the tokens were padding`);
      }
    }
  }

  /** Writes a line of its own, above the bar. */
  line(text: string): void {
    if (this.#isOpen) this.#stream.write("\r\x1b[2K");
    this.#stream.write(`${text}\n`);
    if (this.#isOpen) this.#draw();
  }

  /** Ends the bar's line and says how long the run took. */
  end(): void {
    clearInterval(this.#timer);
    if (this.#isOpen) this.#stream.write("\n");
    this.#isOpen = false;
    this.#step = null;
    this.#stream.write(`ended after ${clock((this.#now() - this.#start) / 1000)}\n`);
  }

  #takeStep(event: StepEvent): void {
    const time = this.#now();
    this.#step = { event, time };
    if (this.#stream.isTTY) {
      if (time - this.#drawn >= REDRAW_MS || event.step === event.steps) this.#draw();
      return;
    }
    const tenths = tenthsOf(event);
    const isDue =
      event.steps === null
        ? event.seconds - this.#shownSeconds >= PLAIN_SECONDS
        : tenths > this.#shownTenths;
    if (!isDue) return;
    this.#shownTenths = tenths;
    this.#shownSeconds = event.seconds;
    this.#stream.write(`${figures(event, event.etaSeconds).join("  ")}\n`);
  }

  #draw(): void {
    if (this.#step === null) return;
    const { event, time } = this.#step;
    const { step, steps, etaSeconds } = event;
    this.#drawn = this.#now();
    const left = etaSeconds === null ? null : Math.max(0, etaSeconds - (this.#drawn - time) / 1000);
    // Zero columns: a terminal that does not know its size.
    const columns = this.#stream.columns || 80;
    const width = columns < WIDE ? NARROW_BAR : WIDE_BAR;
    const done = Math.round((width * step) / (steps ?? Infinity));
    const bar = steps === null ? "" : `${"█".repeat(done)}${"░".repeat(width - done)} `;
    const shown = figures(event, left);
    // A number cut in two would read as another one.
    while (shown.length > 1 && bar.length + shown.join("  ").length >= columns) shown.pop();
    const line = `${bar}${shown.join("  ")}`;
    this.#stream.write(`\r\x1b[2K${line.slice(0, columns - 1)}`);
    this.#isOpen = true;
  }
}

function tenthsOf({ step, steps }: StartEvent | StepEvent): number {
  return steps === null ? 0 : Math.floor((PLAIN_LINES * step) / steps);
}

/** What matters most stands first, since the last ones are left out of a narrow terminal. */
function figures(event: StepEvent, left: number | null): string[] {
  const { step, steps, epoch, loss, lr, samplesPerSecond, tokensPerSecond, memoryBytes } = event;
  return [
    `step ${step}${steps === null ? "" : `/${steps}`}`,
    `loss ${loss.toFixed(4)}`,
    ...(left === null ? [] : [`${clock(left)} left`]),
    `${rate(samplesPerSecond)} samples/s`,
    ...(tokensPerSecond === undefined ? [] : [`${rate(tokensPerSecond)} tokens/s`]),
    `lr ${lr.toPrecision(3)}`,
    `epoch ${epoch.toFixed(2)}`,
    `${Math.round(memoryBytes / 2 ** 20)} MiB`,
  ];
}

function evaluationLine({ step, metrics, best, seconds }: EvaluationEvent): string {
  const values = Object.entries(metrics).map(([name, value]) => `${name} ${value.toFixed(4)}`);
  const verdict = best ? ["the best so far"] : [];
  return [`step ${step}`, "evaluation:", ...values, ...verdict, `(${seconds.toFixed(1)} s)`].join(
    "  ",
  );
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Thousands with commas, small numbers with a digit after the point. */
const rate = (perSecond: number): string =>
  perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond).toLocaleString("en-US");

/** Seconds as `m:ss` or `h:mm:ss`. */
export function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
