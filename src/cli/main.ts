#!/usr/bin/env node
/** Runs the command line: what `npm start` and `loop` call. */
import { runInWorker } from "../train/worker.ts";
import { runNer } from "./ner-command.ts";
import { programName, programVersion } from "./program.ts";
import { runRuns } from "./runs-command.ts";

// A reader that closes the pipe early (`| head`) wants no more output; that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

const program = programName(process.argv[1]);
const [command, ...rest] = process.argv.slice(2);

if (command === "runs") {
  process.exitCode = await runRuns(rest, {
    program,
    stdout: process.stdout,
    stderr: process.stderr,
  });
} else {
  // Beside this file, in sources and builds alike.
  const worker = new URL(import.meta.url.replace(/main(\.\w+)$/, "ner-job$1"));
  process.exitCode = await runNer(command === "ner" ? rest : process.argv.slice(2), {
    program,
    version: programVersion(),
    stdout: process.stdout,
    stderr: process.stderr,
    run: (name, job) => runInWorker(worker, name, job),
  });
}
