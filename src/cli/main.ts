#!/usr/bin/env node
/** Runs the command line: what `npm start` and `loop` call. */
import { runInWorker } from "../train/worker.ts";
import { COMMANDS, programName, programVersion } from "./program.ts";

// A reader that closes the pipe early (`| head`) wants no more output; that is no failure.
const closed = new AbortController();
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  closed.abort();
});

const surroundings = {
  program: programName(process.argv[1]),
  version: programVersion(),
  stdout: process.stdout,
  stderr: process.stderr,
};
// Beside this file, in sources and builds alike.
const worker = (job: string) => new URL(import.meta.url.replace(/main(\.\w+)$/, `${job}$1`));

const [first = "", ...rest] = process.argv.slice(2);
const isNamed = first !== "" && !first.startsWith("-");
const command = isNamed ? first : "ner";
const argv = isNamed ? rest : process.argv.slice(2);

// Each brings only what it needs.
switch (command) {
  case "ner": {
    const { runNer } = await import("./ner-command.ts");
    process.exitCode = await runNer(argv, {
      ...surroundings,
      run: (name, job) => runInWorker(worker("ner-job"), name, job),
    });
    break;
  }
  case "translate": {
    const { runTranslate } = await import("./translate-command.ts");
    const { BACKEND } = await import("./translate-job.ts");
    process.exitCode = await runTranslate(argv, {
      ...surroundings,
      ...{ stdin: process.stdin, closed: closed.signal, backend: BACKEND },
      train: (job) => runInWorker(worker("translate-job"), "train", job),
      evaluate: (job) => runInWorker(worker("translate-job"), "evaluate", job),
    });
    break;
  }
  case "tokenizer": {
    const { runTokenizer } = await import("./tokenizer-command.ts");
    process.exitCode = await runTokenizer(argv, { ...surroundings, stdin: process.stdin });
    break;
  }
  case "runs": {
    const { runRuns } = await import("./runs-command.ts");
    process.exitCode = await runRuns(argv, surroundings);
    break;
  }
  default: {
    const names = COMMANDS.map(([name]) => name).join(", ");
    process.stderr.write(
      `error: unknown command '${command}'; there are ${names}, each with --help\n`,
    );
    process.exitCode = 2;
  }
}
