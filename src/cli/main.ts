#!/usr/bin/env node
/** Runs the command line: what `npm start` and `loop` call. */
import { executor, setDevice } from "../device.ts";
import { loadTagger } from "../tasks/ner/load-tagger.ts";
import { trainTagger } from "../tasks/ner/train.ts";
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
  process.exitCode = await runNer(process.argv.slice(2), {
    program,
    version: programVersion(),
    stdout: process.stdout,
    stderr: process.stderr,
    train: trainTagger,
    load: loadTagger,
    useDevice: async (device) =>
      device === undefined ? (await executor()).device : await setDevice(device),
  });
}
