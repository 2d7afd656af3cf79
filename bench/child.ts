/** The main process's end of the protocol: one library in one child process. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Options, Request } from "./serve.ts";
import type { Workload } from "./workloads.ts";

/** How to start a library's process. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** What a library answers to having set up a workload. */
export interface Ready {
  readonly version: string;
  readonly losses: readonly number[];
  readonly firstMs: number;
  /** Elements of what those steps left behind, tensor by tensor, where a workload gives them. */
  readonly sample: readonly (readonly number[])[];
}

/** Settings of the shell that would slow a library down, and are therefore not passed on. */
const unset = ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OMP_NUM_THREADS", "MKL_NUM_THREADS"];

function environment(extra: Launch["env"]): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, ...extra };
  for (const name of unset) delete env[name];
  return env;
}

/** A running library, asked one thing at a time. */
export class Child {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #exited: Promise<void>;
  #complaints = "";

  constructor(launch: Launch) {
    this.#process = spawn(launch.command, launch.args, {
      cwd: import.meta.dirname,
      env: environment(launch.env),
      stdio: "pipe",
    });
    this.#exited = new Promise((resolve) => {
      this.#process.once("error", (error) => {
        this.#complaints += error.message;
        resolve();
      });
      this.#process.once("close", () => resolve());
    });
    this.#process.stdin.on("error", (error) => (this.#complaints += error.message));
    this.#process.stderr.on("data", (chunk: Buffer) => {
      this.#complaints = (this.#complaints + chunk.toString()).slice(-2000);
    });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  async #ask(request: Request | { op: "probe"; workload: Workload; options: Options }) {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    const line = await this.#lines.next();
    if (line.done) {
      await this.#exited;
      throw new Error(`${request.op}: the process ended: ${lastLine(this.#complaints)}`);
    }
    const reply = JSON.parse(line.value) as Record<string, unknown>;
    if (typeof reply.error === "string") throw new Error(`${request.op}: ${reply.error}`);
    return reply;
  }

  async version(): Promise<string> {
    return String((await this.#ask({ op: "hello" })).version);
  }

  /** The quickest settings the library finds among its own, and their milliseconds per step. */
  async probe(workload: Workload, options: Options): Promise<{ options: Options; ms: number }> {
    const reply = await this.#ask({ op: "probe", workload, options });
    return reply as { options: Options; ms: number };
  }

  /** Builds the workload and does `steps` first steps. */
  async setup(workload: Workload, options: Options, steps: number): Promise<Ready> {
    const reply = await this.#ask({ op: "setup", workload, options, steps });
    return reply as unknown as Ready;
  }

  /** Milliseconds per step over `steps` more steps. */
  async run(steps: number): Promise<number> {
    const { ms, loss } = await this.#ask({ op: "run", steps });
    if (typeof ms !== "number") throw new Error("run: the answer carries no time");
    if (typeof loss !== "number" || !Number.isFinite(loss))
      throw new Error(`run: the value read after ${steps} steps is ${String(loss)}, not finite`);
    return ms;
  }

  /** Memory held now or at most so far, in MB (10⁶ bytes), mapped files included; Linux only. */
  memoryMb(which: "VmHWM" | "VmRSS"): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, "utf8");
    const kib = new RegExp(`^${which}:\\s+(\\d+) kB`, "m").exec(status)?.[1];
    if (kib === undefined) throw new Error(`${which} is not in /proc/${this.#process.pid}/status`);
    return (Number(kib) * 1024) / 1e6;
  }

  async close(): Promise<void> {
    this.#process.stdin.end();
    await this.#exited;
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
