/** The process that takes up a training run: `FILE STEPS SAVED` loads one checkpoint, prints the losses and writes another. */
import { Run } from "./checkpoint.ts";

const [file, steps, saved] = process.argv.slice(2) as [string, string, string];
const run = new Run();
run.load(file);
process.stdout.write(JSON.stringify(await run.train(Number(steps))));
await run.save(saved);
