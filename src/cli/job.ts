/** What a command's worker and the command itself tell each other: events under way, and how it ended. */
import type { TrainingExtent } from "../tasks/training-extent.ts";
import type { TrainingEvent } from "../train/events.ts";

/** Work that takes a while has come so far. */
export interface WorkEvent {
  readonly type: "work";
  /** What is being done, e.g. `reading`. */
  readonly name: string;
  readonly done: number;
  /** Null where it is not known. */
  readonly total: number | null;
}

/** What a command tells while it is under way. */
export type JobEvent = TrainingEvent | WorkEvent | { readonly type: "note"; readonly text: string };

export type JobEvents<R> = AsyncGenerator<JobEvent, R, void>;

export type Tell = (event: JobEvent) => void;

/** A run that was stopped before its result. */
export interface Stopped {
  readonly type: "stopped";
  /** Undefined before the first step. */
  readonly extent: TrainingExtent | undefined;
  readonly device: string;
  /** What was written into the output folder. */
  readonly wrote: string | null;
}

/** How a job ended; `wrote` tells what was written into the output folder. */
export type Outcome<Result> =
  { readonly type: "result"; readonly result: Result; readonly wrote: string | null } | Stopped;

/** The events that `work` tells, while it goes on. */
export async function* during<T>(work: (tell: Tell) => Promise<T>): JobEvents<T> {
  const told: JobEvent[] = [];
  let wake: (() => void) | undefined;
  let isDone = false;
  const tell: Tell = (event) => {
    told.push(event);
    wake?.();
  };
  // Its error waits until what was told before has been heard.
  const settled = work(tell)
    .then(
      (value) => () => value,
      (error: unknown) => () => {
        throw error;
      },
    )
    .finally(() => {
      isDone = true;
      wake?.();
    });
  for (;;) {
    yield* told.splice(0);
    if (isDone && told.length === 0) return (await settled)();
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (isDone || told.length > 0) resolve();
    });
  }
}

/** What `work` gives; null where `stopping` ended it. */
export async function unlessStopped<T>(
  stopping: AbortSignal,
  work: () => Promise<T>,
): Promise<T | null> {
  try {
    const value = await work();
    stopping.throwIfAborted();
    return value;
  } catch (error) {
    if (!stopping.aborted) throw error;
    return null;
  }
}

/** In place of the result of a run that was stopped: how far training came, as one line of JSON. */
export function interruptedLine({ steps, plannedSteps }: TrainingExtent, device: string): string {
  return JSON.stringify({ interrupted: true, steps, plannedSteps, device });
}

/** Words for a model whose training was stopped early; none for others. */
export function stoppedEarly(training: TrainingExtent | undefined): string {
  const { steps, plannedSteps } = training ?? { steps: 0, plannedSteps: 0 };
  return steps < plannedSteps
    ? `, whose training was stopped after ${steps} of ${plannedSteps} steps`
    : "";
}
