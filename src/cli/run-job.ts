/** Follows a command's job in its worker: events, progress, notes, Ctrl-C, and the result at its end. */
import { Progress, type ProgressStream } from "../train/progress.ts";
import type { WorkerRun } from "../train/worker.ts";
import { InterruptedError, onInterrupt } from "./interrupt.ts";
import { interruptedLine, type JobEvent, type Outcome } from "./job.ts";
import { WorkProgress } from "./work-progress.ts";

/** What a command needs of the world around it. */
export interface Surroundings {
  /** How the user calls the program, for its help. */
  readonly program: string;
  readonly version: string;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: ProgressStream;
}

/** A job in its worker. */
export type JobRun<Result> = WorkerRun<JobEvent, Outcome<Result>>;

/** How a command tells of itself. */
export interface Telling {
  readonly output?: string;
  readonly json?: true;
  readonly quiet?: true;
}

/**
 * Waits for a job, shows what it tells, and gives its result.
 * @param report prints the result; after it comes what was written.
 * @throws InterruptedError where a signal stopped it.
 */
export async function followJob<Result>(
  run: JobRun<Result>,
  { output, json, quiet }: Telling,
  { stdout, stderr }: Pick<Surroundings, "stdout" | "stderr">,
  report: (result: Result) => void,
): Promise<void> {
  let progress: Progress | undefined;
  const work = new WorkProgress({ stream: stderr });
  const say = (line: string) => {
    if (quiet) return;
    work.clear();
    if (progress) progress.line(line);
    else stderr.write(`${line}\n`);
  };
  const endProgress = () => {
    work.end();
    progress?.end();
    progress = undefined;
  };
  const outcome = await onInterrupt({ say, stop: () => run.stop() }, async (interruption) => {
    try {
      for await (const event of run) {
        if (event.type === "note") {
          say(event.text);
          continue;
        }
        if (event.type === "work") {
          if (!quiet) work.onEvent(event);
          continue;
        }
        work.end();
        if (json) stdout.write(`${JSON.stringify(event)}\n`);
        if (event.type === "warning" && quiet) stderr.write(`warning: ${event.message}\n`);
        if (event.type === "start" && !quiet) progress = new Progress({ stream: stderr });
        progress?.onEvent(event);
        if (event.type === "end") endProgress();
      }
    } finally {
      endProgress();
    }
    const ended = await run.result;
    if (ended.type === "result") return ended;
    const { extent, device, wrote } = ended;
    const signal = interruption.signal ?? "SIGINT";
    if (extent === undefined && output !== undefined)
      throw new InterruptedError(signal, "before the first step; no model was written");
    if (extent === undefined || wrote === null) throw new InterruptedError(signal);
    if (json) stdout.write(`${interruptedLine(extent, device)}\n`);
    throw new InterruptedError(
      signal,
      `saved unmeasured after ${extent.steps} of ${extent.plannedSteps} steps: wrote ${wrote} to ${output}; --resume goes on`,
    );
  });
  report(outcome.result);
  if (outcome.wrote !== null) say(`wrote ${outcome.wrote} to ${output}`);
}

/** Prints a result: for people on stdout, or there as JSON, and then for people on stderr. */
export function printResult(
  { readable, line }: { readonly readable: string; readonly line: string },
  { json, quiet }: Telling,
  { stdout, stderr }: Pick<Surroundings, "stdout" | "stderr">,
): void {
  if (!json) stdout.write(readable);
  else {
    if (!quiet) stderr.write(readable);
    stdout.write(`${line}\n`);
  }
}
