/** Writes a training run into a folder: how to repeat it, every event as a line of JSON, and how it ended. */

import { json } from "../checkpoint-folder.ts";
import type { EndReason, Logger, TrainingEvent } from "../events.ts";
import { nodeFileSystem } from "../file-system.ts";
import { AppendFile } from "./append-file.ts";
import { resumedConfig, runConfig, type RunConfig, type RunDescription } from "./run-config.ts";
import { CONFIG, cutMetrics, METRICS, replaceFile, SUMMARY, type RunSummary } from "./run-files.ts";
import { readConfig } from "./run-reader.ts";
import { scalarsOf } from "./scalars.ts";

const STATUS: Readonly<Record<EndReason, RunSummary["status"]>> = {
  finished: "finished",
  earlyStopping: "finished",
  stopped: "stopped",
  aborted: "aborted",
};

type Ending = Pick<
  RunSummary,
  "status" | "reason" | "error" | "bestMetric" | "bestCheckpoint" | "lastCheckpoint"
>;

const RUNNING: Ending = {
  status: "running",
  reason: null,
  error: null,
  bestMetric: null,
  bestCheckpoint: null,
  lastCheckpoint: null,
};

/**
 * A logger into `config.json`, `metrics.jsonl` and `summary.json` of a folder. A run that goes on from a checkpoint
 * goes on in `metrics.jsonl` after the checkpoint's step; one that begins replaces what is there. Node only.
 */
export class RunFolderLogger implements Logger {
  readonly folder: string;
  readonly #described: RunDescription;
  #file: AppendFile | null = null;
  #last: Promise<void> = Promise.resolve();
  #ending: Ending = RUNNING;
  #step = 0;
  readonly #metrics: Record<string, number> = {};

  constructor(folder: string, described: RunDescription = {}) {
    this.folder = folder;
    this.#described = described;
  }

  /** Events are written one after the other, also where nobody waits. */
  onEvent(event: TrainingEvent): Promise<void> {
    const written = this.#last.then(() => this.#write(event));
    this.#last = written.catch(() => undefined);
    return written;
  }

  async #write(event: TrainingEvent): Promise<void> {
    const file = await this.#opened(event);
    this.#step = event.step;
    Object.assign(this.#metrics, scalarsOf(event));
    if (event.type === "end") {
      const { reason, bestMetric, bestCheckpoint, lastCheckpoint } = event;
      this.#ending = {
        status: STATUS[reason],
        ...{ reason, error: null, bestMetric, bestCheckpoint, lastCheckpoint },
      };
    }
    const line = `${JSON.stringify({ ...event, time: Date.now() / 1000 })}\n`;
    await file.append(new TextEncoder().encode(line));
    // What a checkpoint has behind it is as safe as the checkpoint.
    if (event.type === "checkpoint") await file.sync();
    if (event.type === "end") await this.#writeSummary();
  }

  /** Notes why a run ends that ends by an error; to be called before {@link close}. */
  fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#ending = { ...this.#ending, status: "failed", error: message };
  }

  async close(): Promise<void> {
    await this.#last;
    const file = this.#file;
    this.#file = null;
    if (file === null) return;
    if (this.#ending.status === "running") this.#ending = { ...RUNNING, status: "failed" };
    try {
      await this.#writeSummary();
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async #opened(event: TrainingEvent): Promise<AppendFile> {
    if (this.#file !== null && event.type !== "start") return this.#file;
    const metrics = `${this.folder}/${METRICS}`;
    await this.#file?.close();
    this.#file = null;
    await nodeFileSystem.makeFolder(this.folder);
    const isNew = event.type !== "start" || (event.step === 0 && event.resumedFrom === null);
    await this.#writeConfig(isNew ? null : event.step);
    if (isNew) await replaceFile(metrics, "");
    else await cutMetrics(metrics, event.step);
    this.#file = await AppendFile.open(metrics);
    this.#step = event.step;
    this.#ending = RUNNING;
    await this.#writeSummary();
    return this.#file;
  }

  /** @param step where it goes on from; null where it begins. */
  async #writeConfig(step: number | null): Promise<void> {
    const now = await runConfig(this.folder, this.#described);
    const before = step === null ? null : await configOf(this.folder);
    const config = before === null ? now : resumedConfig(before, now, step ?? 0);
    await replaceFile(`${this.folder}/${CONFIG}`, json(config));
  }

  async #writeSummary(): Promise<void> {
    const { hostname } = await import("node:os");
    const summary: RunSummary = {
      ...this.#ending,
      pid: process.pid,
      host: hostname(),
      updatedAt: new Date().toISOString(),
      step: this.#step,
      metrics: this.#metrics,
    };
    await replaceFile(`${this.folder}/${SUMMARY}`, json(summary));
  }
}

/** The configuration of the session before; null where there is none that can be read. */
const configOf = (folder: string): Promise<RunConfig | null> =>
  readConfig(folder).catch(() => null);
