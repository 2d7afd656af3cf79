/** Starts the program as users do. */
import { spawn } from "node:child_process";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Watch = (text: string, kill: (signal: NodeJS.Signals) => void) => void;

export interface StartOptions {
  readonly env?: Record<string, string>;
  /** What it reads; nothing unless given. */
  readonly stdin?: string;
  /** These see the output so far and may send signals. */
  readonly onStderr?: Watch;
  readonly onStdout?: Watch;
}

/** Runs the program to its end. */
export async function start(
  args: readonly string[],
  { env = {}, stdin, onStderr, onStdout }: StartOptions = {},
): Promise<Ended> {
  const child = spawn(process.execPath, ["--import", "tsx", "src/cli/main.ts", ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
  });
  if (stdin !== undefined) child.stdin.end(stdin);
  const kill = (signal: NodeJS.Signals) => void child.kill(signal);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    onStdout?.(stdout, kill);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    onStderr?.(stderr, kill);
  });
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
