/** The worker's end of the protocol: a library trains one workload and answers on standard output, one JSON a line. */
import { createInterface } from "node:readline";
import type { Workload } from "./workloads.ts";

/** Does one training step and gives its loss (or the value read, for workloads that train nothing). */
export type Step = () => Promise<number>;

export type Options = Readonly<Record<string, string | number | boolean>>;

/** Some elements of each tensor that the last step left behind, the same for every library (`sampled`). */
export type Sample = () => Promise<readonly (readonly number[])[]>;

/** A workload ready to run. */
export interface Prepared {
  readonly step: Step;
  /** For workloads whose value read says little about what was computed. */
  readonly sample?: Sample;
}

/** A library that is measured. */
export interface Side {
  readonly version: string;
  /** Builds the workload; throws with the reason where the library cannot run it. */
  readonly prepare: (workload: Workload, options: Options) => Promise<Prepared>;
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

async function answer(
  side: Side,
  request: Request,
  prepared: Prepared | undefined,
): Promise<object> {
  if (request.op === "hello") return { version: side.version };
  if (!prepared) throw new Error(`${request.op}: no workload was set up`);
  const { step, sample } = prepared;
  if (request.op === "setup") {
    const called = performance.now();
    const losses = [await step()];
    const firstMs = performance.now() - called;
    while (losses.length < request.steps) losses.push(await step());
    return { version: side.version, losses, firstMs, sample: (await sample?.()) ?? [] };
  }
  const start = performance.now();
  let loss = Number.NaN;
  for (let i = 0; i < request.steps; i++) loss = await step();
  return { ms: (performance.now() - start) / request.steps, loss };
}

/** About a thousand elements, evenly spread. */
export function sampled(values: ArrayLike<number>): number[] {
  const stride = Math.ceil(values.length / 1000);
  return Array.from({ length: Math.ceil(values.length / stride) }, (_, i) => values[i * stride]!);
}

/** Sends what a library says on the console to standard error; standard output carries the protocol only. */
export function divertConsole(): void {
  const divert = (...words: unknown[]) => process.stderr.write(`${words.join(" ")}\n`);
  console.log = console.warn = console.info = divert;
}

/** Answers requests until standard input ends. */
export async function serve(side: Side): Promise<void> {
  let prepared: Prepared | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line) as Request;
    let reply: object;
    try {
      if (request.op === "setup") prepared = await side.prepare(request.workload, request.options);
      reply = await answer(side, request, prepared);
    } catch (error) {
      reply = { error: error instanceof Error ? error.message : String(error) };
    }
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  }
  process.exit(0);
}
