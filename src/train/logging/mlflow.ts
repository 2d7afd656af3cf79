/** Sends what a training run tells to an MLflow tracking server, without ever making the training wait or fail. */

import { json } from "../checkpoint-folder.ts";
import type { EndReason, Logger, TrainingEvent } from "../events.ts";
import { MlflowClient, MlflowError, type MlflowServer } from "./mlflow-client.ts";
import {
  createRun,
  ensureExperiment,
  lastSteps,
  logTags,
  type MlflowMetric,
} from "./mlflow-api.ts";
import { readIfThere, replaceFile } from "./run-files.ts";
import { scalarsOf } from "./scalars.ts";

export interface MlflowOptions extends MlflowServer {
  /** Made where it is missing; "Default" unless given. */
  readonly experiment?: string;
  readonly runName?: string;
  /** A run that goes on: steps that it has are not sent again. */
  readonly runId?: string;
  /** A file that keeps the run's id, so that training which goes on from a checkpoint goes on in the same run. Node only. */
  readonly runFile?: string;
  /** Options of the run. */
  readonly params?: Readonly<Record<string, unknown>>;
  readonly tags?: Readonly<Record<string, string>>;
  /** Most numbers that wait for a server that cannot be reached; later ones replace the oldest. 100,000 unless given. */
  readonly maxQueued?: number;
  /** Seconds for which numbers are collected before they are sent; 2 unless given. */
  readonly flushSeconds?: number;
  /** Longest time, in seconds, that the end of a run waits for the server; 20 unless given. */
  readonly closeSeconds?: number;
  /** Told once that the server gives trouble, and at the end what it has not got; a warning of the process unless given. */
  readonly onWarning?: (message: string) => void;
}

const STATUS: Readonly<Record<EndReason, "FINISHED" | "KILLED">> = {
  finished: "FINISHED",
  earlyStopping: "FINISHED",
  stopped: "KILLED",
  aborted: "KILLED",
};

interface KnownRun {
  readonly id: string;
  /** Last step that the server has of each metric. */
  readonly has: ReadonlyMap<string, number>;
}

/** Most metrics that MLflow takes in one request. */
const BATCH = 1000;

/**
 * A logger to an MLflow tracking server over its REST API (https://mlflow.org/docs/latest/rest-api.html), 2.0. Numbers
 * are sent in the background; trouble is told by one warning. Errors of usage are thrown by the constructor.
 */
export class MlflowLogger implements Logger {
  readonly #client: MlflowClient;
  readonly #options: MlflowOptions;
  readonly #closing = new AbortController();
  #queue: MlflowMetric[] = [];
  #dropped = 0;
  #hasWarned = false;
  #isClosed = false;
  #isResumed = false;
  #status: "FINISHED" | "KILLED" | "FAILED" = "FAILED";
  /** The run, once the server knows it. */
  #run: KnownRun | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sending: Promise<void> | null = null;
  /** No more is sent after the server has refused the run itself. */
  #isRefused = false;

  constructor(options: MlflowOptions) {
    this.#client = new MlflowClient(options);
    this.#options = options;
  }

  /** The run's id; null while the server has not given one. */
  get runId(): string | null {
    return this.#run?.id ?? null;
  }

  onEvent(event: TrainingEvent): void {
    if (event.type === "start") this.#isResumed = event.resumedFrom !== null;
    if (event.type === "end") this.#status = STATUS[event.reason];
    this.log(event.step, scalarsOf(event));
    if (event.type === "start" && this.#run === null) this.#send();
  }

  /** Logs numbers by name at a step, for loops written by hand. */
  log(step: number, values: Readonly<Record<string, number>>): void {
    if (this.#isClosed || this.#isRefused) return;
    const timestamp = Date.now();
    for (const [key, value] of Object.entries(values))
      this.#queue.push({ key: nameOf(key), value, timestamp, step });
    const { maxQueued = 100_000, flushSeconds = 2 } = this.#options;
    const excess = this.#queue.length - maxQueued;
    if (excess > 0) {
      this.#queue.splice(0, excess);
      this.#dropped += excess;
    }
    if (this.#queue.length >= BATCH) this.#send();
    else if (this.#timer === undefined && this.#queue.length > 0) {
      this.#timer = setTimeout(() => this.#send(), 1000 * flushSeconds);
      // A program may end without waiting for this; `close` sends what is left.
      if (typeof this.#timer === "object") this.#timer.unref();
    }
  }

  /** Sends what is left and tells the server how the run ended; gives up after `closeSeconds`. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { closeSeconds = 20 } = this.#options;
    const deadline = setTimeout(() => this.#closing.abort(), 1000 * closeSeconds);
    try {
      await this.#sending;
      await this.#deliver();
      if (this.#run !== null) {
        const body = { run_id: this.#run.id, status: this.#status, end_time: Date.now() };
        await this.#client.post("runs/update", body, this.#closing.signal);
      }
    } catch (error) {
      this.#warn(error);
    } finally {
      clearTimeout(deadline);
    }
    const lost = this.#dropped + this.#queue.length;
    if (lost > 0) this.#say(`MLflow: ${lost} numbers have not been sent`);
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sending ??= this.#deliver()
      .catch((error: unknown) => this.#warn(error))
      .finally(() => (this.#sending = null));
  }

  /** Sends all that waits, a batch after the other. */
  async #deliver(): Promise<void> {
    const { signal } = this.#closing;
    if (this.#isRefused) return;
    try {
      this.#run ??= await this.#begin(signal);
    } catch (error) {
      this.#isRefused = error instanceof MlflowError && !error.isPassing;
      throw error;
    }
    const { id, has } = this.#run;
    while (this.#queue.length > 0) {
      const batch = this.#queue.slice(0, BATCH);
      const metrics = batch.filter(({ key, step }) => step > (has.get(key) ?? -Infinity));
      try {
        if (metrics.length > 0)
          await this.#client.post(
            "runs/log-batch",
            { run_id: id, metrics: metrics.map(wire) },
            signal,
          );
      } catch (error) {
        // What is refused now would be refused again.
        if (error instanceof MlflowError && !error.isPassing) this.#forget(batch, true);
        throw error;
      }
      this.#forget(batch, false);
    }
  }

  /** Takes a batch from the queue, of which the oldest may have been dropped meanwhile. */
  #forget(batch: readonly MlflowMetric[], isLost: boolean): void {
    const left = this.#queue.indexOf(batch.at(-1)!) + 1;
    this.#queue.splice(0, left);
    if (isLost) this.#dropped += left;
  }

  async #begin(signal: AbortSignal): Promise<KnownRun> {
    const { experiment = "Default", runName, runFile, params = {}, tags = {} } = this.#options;
    const client = this.#client;
    const runId = this.#options.runId ?? (this.#isResumed ? await idIn(runFile) : undefined);
    if (runId !== undefined) {
      const has = await lastSteps(client, runId, signal);
      await client.post("runs/update", { run_id: runId, status: "RUNNING" }, signal);
      await logTags(client, runId, { tags, params: {} }, signal);
      return { id: runId, has };
    }
    const experimentId = await ensureExperiment(client, experiment, signal);
    const id = await createRun(client, { experimentId, runName }, signal);
    await logTags(client, id, { tags, params }, signal);
    if (runFile !== undefined)
      await replaceFile(runFile, json({ runId: id })).catch((error: unknown) => {
        this.#say(
          `MLflow: ${runFile} cannot be written (${String(error)}); it will not be gone on with`,
        );
      });
    return { id, has: new Map() };
  }

  #warn(error: unknown): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const message = error instanceof Error ? error.message : String(error);
    const next = this.#isRefused ? "nothing is sent" : "training goes on, and numbers wait";
    this.#say(`MLflow: ${message}; ${next}`);
  }

  #say(message: string): void {
    const { onWarning } = this.#options;
    if (onWarning !== undefined) onWarning(message);
    else if (typeof process === "undefined") console.warn(message);
    else process.emitWarning(message);
  }
}

/** Undefined where there is no such file. @throws Error where it is something else's. */
async function idIn(runFile: string | undefined): Promise<string | undefined> {
  const bytes = runFile === undefined ? null : await readIfThere(runFile);
  if (bytes === null) return undefined;
  const { runId } = JSON.parse(new TextDecoder().decode(bytes)) as { runId?: unknown };
  if (typeof runId !== "string") throw new Error(`${runFile}: has no runId`);
  return runId;
}

/** JSON has no numbers that are not finite; MLflow reads their names. */
const wire = ({ value, ...metric }: MlflowMetric) => ({
  ...metric,
  value: Number.isFinite(value) ? value : String(value),
});

/** MLflow's names have letters, digits, and `_-. /:` only, at most 250. */
const nameOf = (key: string): string => key.replace(/[^\p{L}\p{N}_\-. /:]/gu, "_").slice(0, 250);
