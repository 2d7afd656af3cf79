/** A training run with everything that must survive a crash; as a script, `resume-run.ts FOLDER` takes it up and ends it. */
import { pathToFileURL } from "node:url";
import { ArrayDataset, DataLoader } from "../../src/data/index.ts";
import { AdamW, ExponentialMovingAverage, linearWarmup } from "../../src/optim/index.ts";
import {
  nodeFileSystem,
  Trainer,
  type FileSystem,
  type WritableFile,
} from "../../src/train/index.ts";
import { batchOf, evaluate, lossOf, makeNet, type Points } from "./tiny.ts";

export const STEPS = 200;

export function makeRun(
  output: string,
  { maxSteps = STEPS, fileSystem = nodeFileSystem } = {},
): Trainer<Points> {
  const model = makeNet();
  const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
  const samples = new ArrayDataset(Array.from({ length: 90 }, (_, i) => i));
  return new Trainer({
    ...{ model, optimizer, output },
    loss: lossOf(model),
    schedule: linearWarmup(optimizer, { warmup: 20, total: STEPS + 20 }),
    data: new DataLoader(samples, { batchSize: 8, shuffle: true, seed: 4, collate: batchOf }),
    average: new ExponentialMovingAverage(model, { decay: 0.95 }),
    accumulate: 2,
    clipNorm: 1,
    maxSteps,
    fileSystem,
    loggingSteps: 3,
    saveSteps: 5,
    evalSteps: 25,
    evaluate: () => evaluate(model),
    watch: { metric: "loss" },
    keep: 2,
    files: { "config.json": "{}\n" },
    resume: true,
    seed: 9,
  });
}

/** Node's file system, until that many calls were made: the next one does half of its work, and the process is gone. */
function deadlyFiles(calls: number): FileSystem {
  const count = (): boolean => --calls < 0;
  const die = (): never => {
    process.kill(process.pid, "SIGKILL");
    throw new Error("killed");
  };
  const counted = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => (count() ? die() : call(...args));
  };
  const fs = nodeFileSystem;
  return {
    makeFolder: counted((path: string) => fs.makeFolder(path)),
    list: (path) => fs.list(path),
    read: (path) => fs.read(path),
    syncFolder: counted((path: string) => fs.syncFolder(path)),
    rename: counted((from: string, to: string) => fs.rename(from, to)),
    remove: counted((path: string) => fs.remove(path)),
    create: counted(async (path: string): Promise<WritableFile> => {
      const file = await fs.create(path);
      return {
        async write(bytes) {
          if (!count()) return file.write(bytes);
          await file.write(bytes.subarray(0, bytes.length / 2));
          return die();
        },
        sync: counted(() => file.sync()),
        close: counted(() => file.close()),
      };
    }),
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [folder, calls] = process.argv.slice(2) as [string, string?];
  const trainer = makeRun(folder, {
    ...(calls === undefined ? {} : { fileSystem: deadlyFiles(Number(calls)) }),
  });
  // Whoever is to kill this process counts the lines.
  for await (const { type } of trainer.run()) if (type === "step") process.stdout.write("step\n");
}
