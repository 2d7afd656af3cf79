/** Finds and runs the Python that some tests take as an oracle. */
import { spawnSync } from "node:child_process";

const found = new Map<string, string | null>();

/**
 * The command of a Python that imports all `modules`: `LEARNING_LOOP_PYTHON` if that is set and does, else `python3`; null
 * when neither does.
 */
export function findPython(modules: string[]): string | null {
  const key = modules.join(", ");
  let python = found.get(key);
  if (python === undefined) {
    const candidates = [process.env["LEARNING_LOOP_PYTHON"], "python3"].filter(
      (command) => !!command,
    ) as string[];
    const imports = key ? `import ${key}` : "";
    python =
      candidates.find(
        (command) => spawnSync(command, ["-c", imports], { stdio: "ignore" }).status === 0,
      ) ?? null;
    found.set(key, python);
  }
  return python;
}

/** What the Python source `script` prints; throws with its error output when it fails. */
export function runPython(python: string, script: string, stdin: string | Uint8Array = ""): string {
  const run = spawnSync(python, ["-c", script], {
    input: stdin,
    encoding: "utf8",
    maxBuffer: 2 ** 30,
  });
  if (run.error) throw run.error;
  if (run.status !== 0)
    throw new Error(`${python} exited with ${run.status ?? run.signal}:\n${run.stderr}`);
  return run.stdout;
}
