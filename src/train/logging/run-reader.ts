/** Reads run folders, also those of runs that go on or were cut short. */

import { DataError } from "../../data/errors.ts";
import type { TrainingEvent } from "../events.ts";
import { codeOf } from "../file-system.ts";
import { curvesOf, type Curve } from "./curves.ts";
import { RUN_FORMAT, type RunConfig } from "./run-config.ts";
import {
  CONFIG,
  METRICS,
  readIfThere,
  SUMMARY,
  type RunStatus,
  type RunSummary,
} from "./run-files.ts";

/** An event as it stands in `metrics.jsonl`. */
export type LoggedEvent = TrainingEvent & {
  /** Seconds since 1970. */
  readonly time: number;
};

/** All that a folder tells of a run. */
export interface Run {
  readonly folder: string;
  readonly name: string;
  /** Null where there is none, e.g. for a folder whose `config.json` is a model's. */
  readonly config: RunConfig | null;
  readonly summary: RunSummary | null;
  readonly status: RunStatus;
  readonly events: readonly LoggedEvent[];
  /** By name: `train/loss`, `eval/f1`, `system/memoryBytes` … */
  readonly curves: ReadonlyMap<string, Curve>;
  /** Updates made, and how many there were to be where that was known. */
  readonly step: number;
  readonly steps: number | null;
  /** Seconds in all sessions together. */
  readonly seconds: number;
  /** When it was last written to, in seconds since 1970; null where that is not known. */
  readonly lastTime: number | null;
  /** The best evaluation. */
  readonly best: {
    readonly step: number;
    readonly metrics: Readonly<Record<string, number>>;
  } | null;
  /** What is wrong with its files, though they can be read. */
  readonly problems: readonly string[];
}

/** Limits of {@link readRun} and {@link listRuns}. */
export interface ReadRunOptions {
  /** Largest `metrics.jsonl` that is read; 256 MiB unless given. */
  readonly maxBytes?: number;
}

/**
 * Reads a run folder. A last line of `metrics.jsonl` that was cut short is left out and named under `problems`.
 * @throws DataError where the folder is none of a run, or one of its files is damaged: which, where and how.
 */
export async function readRun(
  folder: string,
  { maxBytes = 256 * 2 ** 20 }: ReadRunOptions = {},
): Promise<Run> {
  const paths = await import("node:path");
  const problems: string[] = [];
  const config = await readConfig(folder);
  const summary = await readSummary(folder);
  const lines = await read(`${folder}/${METRICS}`);
  if (lines === null && config === null)
    throw new DataError(
      { file: folder },
      `is no run folder: it has no ${METRICS} and no ${CONFIG} of a run; \`runs list\` shows the runs below a folder`,
    );
  if (lines !== null && lines.length > maxBytes)
    throw new DataError(
      { file: `${folder}/${METRICS}` },
      `has ${lines.length} bytes, the limit is ${maxBytes}; raise maxBytes`,
    );
  const events = lines === null ? [] : eventsIn(`${folder}/${METRICS}`, lines, problems);
  const starts = events.filter((event) => event.type === "start");
  const bests = events.filter((event) => event.type === "evaluation").filter(({ best }) => best);
  const best = bests.at(-1);
  const step = events.reduce(
    (latest, event) => (event.type === "start" ? event.step : Math.max(latest, event.step)),
    0,
  );
  return {
    folder,
    name: config?.name ?? paths.basename(paths.resolve(folder)),
    config,
    summary,
    status: await statusOf(summary, events),
    events,
    curves: curvesOf(events),
    step: events.length > 0 ? step : (summary?.step ?? 0),
    steps: starts.at(-1)?.steps ?? null,
    seconds: secondsOf(events),
    lastTime: events.at(-1)?.time ?? timeOf(summary?.updatedAt ?? config?.startedAt),
    best: best === undefined ? null : { step: best.step, metrics: best.metrics },
    problems,
  };
}

/** A folder of {@link listRuns}: a run, or what keeps it from being read. */
export type FoundRun =
  | { readonly folder: string; readonly run: Run; readonly error: null }
  | { readonly folder: string; readonly run: null; readonly error: Error };

/** How deep runs are looked for. */
const DEPTH = 4;
const NOT_ENTERED = /^(\..*|node_modules|checkpoint-\d+)$/;

/**
 * The runs in a folder and below, or the folder itself where it is one, by path; those that cannot be read with the error.
 * @throws DataError where there is no such folder.
 */
export async function listRuns(folder: string, options: ReadRunOptions = {}): Promise<FoundRun[]> {
  const found: FoundRun[] = [];
  const visit = async (path: string, depth: number): Promise<void> => {
    const { readdir } = await import("node:fs/promises");
    const entries = await readdir(path, { withFileTypes: true });
    const names = entries.map(({ name }) => name);
    if (names.includes(METRICS) || (names.includes(CONFIG) && names.includes(SUMMARY))) {
      try {
        found.push({ folder: path, run: await readRun(path, options), error: null });
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        found.push({ folder: path, run: null, error });
      }
    }
    if (depth === 0) return;
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1)))
      if (entry.isDirectory() && !NOT_ENTERED.test(entry.name))
        await visit(`${path}/${entry.name}`, depth - 1);
  };
  try {
    await visit(folder.replace(/(?<=.)\/+$/, ""), DEPTH);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    const problem =
      code === "ENOENT" ? "no such folder; check the path" : `cannot be read (${code})`;
    throw new DataError({ file: folder }, problem, { cause: error });
  }
  return found;
}

/**
 * `config.json` of a run; null where there is none, or where it is something else's, e.g. a model's.
 * @throws DataError where it is damaged.
 */
export async function readConfig(folder: string): Promise<RunConfig | null> {
  const config = await readObject(`${folder}/${CONFIG}`);
  if (config?.["format"] !== RUN_FORMAT) return null;
  const { name, options, command, versions, resumed } = config;
  const isSound =
    typeof name === "string" &&
    isObject(options) &&
    isObject(versions) &&
    Array.isArray(command) &&
    Array.isArray(resumed);
  if (!isSound)
    throw new DataError(
      { file: `${folder}/${CONFIG}` },
      "is damaged: name, command, options, versions or resumed is missing or of another kind",
    );
  return config as unknown as RunConfig;
}

async function readSummary(folder: string): Promise<RunSummary | null> {
  const summary = await readObject(`${folder}/${SUMMARY}`);
  if (summary === null) return null;
  const { status, step, metrics } = summary;
  if (typeof status !== "string" || typeof step !== "number" || !isObject(metrics))
    throw new DataError(
      { file: `${folder}/${SUMMARY}` },
      "is damaged: status, step or metrics is missing or of another kind",
    );
  return summary as unknown as RunSummary;
}

async function readObject(file: string): Promise<Record<string, unknown> | null> {
  const bytes = await read(file);
  if (bytes === null) return null;
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new DataError({ file }, "is damaged: it is not JSON", { cause: error });
  }
  if (!isObject(parsed)) throw new DataError({ file }, "is damaged: it is no JSON object");
  return parsed;
}

async function read(file: string): Promise<Uint8Array | null> {
  try {
    return await readIfThere(file);
  } catch (error) {
    const code = codeOf(error) ?? String(error);
    if (code === "ENOTDIR") return null;
    throw new DataError({ file }, `cannot be read (${code})`, { cause: error });
  }
}

function eventsIn(file: string, bytes: Uint8Array, problems: string[]): LoggedEvent[] {
  const lines = new TextDecoder().decode(bytes).split("\n");
  const rest = lines.pop();
  if (rest !== "")
    problems.push(`${METRICS}: line ${lines.length + 1} was cut short and is left out`);
  return lines.map((line, i) => {
    let event: unknown;
    try {
      event = JSON.parse(line);
    } catch (error) {
      throw new DataError({ file, record: `line ${i + 1}` }, "is damaged: it is not JSON", {
        cause: error,
      });
    }
    const problem = problemOf(event);
    if (problem !== null)
      throw new DataError({ file, record: `line ${i + 1}` }, `is damaged: ${problem}`);
    return withNaN(event as LoggedEvent);
  });
}

/** What keeps it from being an event; null where nothing does. */
function problemOf(event: unknown): string | null {
  if (!isObject(event)) return "it is no JSON object";
  const { type, step, time, metrics } = event;
  if (typeof type !== "string") return "it has no type";
  if (typeof step !== "number") return "its step is no number";
  if (typeof time !== "number") return "its time is no number";
  if ((type === "step" || type === "evaluation") && !isNumbers(metrics))
    return "its metrics are no numbers";
  const { loss, lr } = event;
  if (type === "step" && !isNumbers({ loss, lr })) return "its loss or lr is no number";
  return null;
}

/** JSON has null for what is not finite. */
function withNaN(event: LoggedEvent): LoggedEvent {
  const mend = (metrics: Readonly<Record<string, number | null>>): Record<string, number> =>
    Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, value ?? NaN]));
  if (event.type === "step")
    return { ...event, ...mend({ loss: event.loss, lr: event.lr }), metrics: mend(event.metrics) };
  return event.type === "evaluation" ? { ...event, metrics: mend(event.metrics) } : event;
}

async function statusOf(
  summary: RunSummary | null,
  events: readonly LoggedEvent[],
): Promise<RunStatus> {
  if (summary === null) return events.at(-1)?.type === "end" ? "finished" : "interrupted";
  if (summary.status !== "running") return summary.status;
  const { hostname } = await import("node:os");
  // Of a process on another computer nothing can be known.
  return summary.host === hostname() && !isAlive(summary.pid) ? "interrupted" : "running";
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

/** Sessions count from their starts. */
function secondsOf(events: readonly LoggedEvent[]): number {
  let [before, latest] = [0, 0];
  for (const event of events)
    if (event.type === "start") [before, latest] = [before + latest, 0];
    else if (event.type === "step" || event.type === "end") latest = event.seconds;
  return before + latest;
}

const timeOf = (iso: string | undefined): number | null => {
  const time = Date.parse(iso ?? "") / 1000;
  return Number.isNaN(time) ? null : time;
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isNumbers = (value: unknown): boolean =>
  isObject(value) && Object.values(value).every((x) => typeof x === "number" || x === null);
