/** The worker's end of the protocol: a library trains one workload and answers on standard output, one JSON a line. */
import { createInterface } from "node:readline";
import type { Workload } from "./workloads.ts";

/** Does one training step and gives its loss (or the value read, for workloads that train nothing). */
export type Step = () => Promise<number>;

export type Options = Readonly<Record<string, string | number | boolean>>;

/** A library that is measured. */
export interface Side {
  readonly version: string;
  /** Builds the workload; throws with the reason where the library cannot run it. */
  readonly prepare: (workload: Workload, options: Options) => Promise<Step>;
}

export type Request =
  | { readonly op: "hello" }
  | {
      readonly op: "setup";
      readonly workload: Workload;
      readonly options: Options;
      readonly steps: number;
    }
  | { readonly op: "run"; readonly steps: number };

async function answer(side: Side, request: Request, step: Step | undefined): Promise<object> {
  if (request.op === "hello") return { version: side.version };
  if (!step) throw new Error(`${request.op}: no workload was set up`);
  if (request.op === "setup") {
    const called = performance.now();
    const losses = [await step()];
    const firstMs = performance.now() - called;
    while (losses.length < request.steps) losses.push(await step());
    return { version: side.version, losses, firstMs };
  }
  const start = performance.now();
  let loss = Number.NaN;
  for (let i = 0; i < request.steps; i++) loss = await step();
  return { ms: (performance.now() - start) / request.steps, loss };
}

/** Sends what a library says on the console to standard error; standard output carries the protocol only. */
export function divertConsole(): void {
  const divert = (...words: unknown[]) => process.stderr.write(`${words.join(" ")}\n`);
  console.log = console.warn = console.info = divert;
}

/** Answers requests until standard input ends. */
export async function serve(side: Side): Promise<void> {
  let step: Step | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line) as Request;
    let reply: object;
    try {
      if (request.op === "setup") step = await side.prepare(request.workload, request.options);
      reply = await answer(side, request, step);
    } catch (error) {
      reply = { error: error instanceof Error ? error.message : String(error) };
    }
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  }
  process.exit(0);
}
