/** Where a training command logs to, as its options say. */
import { writeFileAtomic } from "../data/atomic-write.ts";
import type { Logger } from "../train/events.ts";
import { readIfThere } from "../train/logging/run-files.ts";
import { MlflowLogger } from "../train/logging/mlflow.ts";
import { RunFolderLogger } from "../train/logging/run-folder.ts";
import { TensorBoardLogger } from "../train/logging/tensorboard.ts";
import type { TrainingOptions } from "./training-options.ts";

export interface LoggedRun {
  readonly options: TrainingOptions;
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly device: string;
  readonly data: unknown;
  /** Told when a logger gives trouble. */
  readonly say: (line: string) => void;
}

export async function runLoggers(run: LoggedRun): Promise<Logger[]> {
  const { options, command, device, data } = run;
  const { output, seed, tensorboard, mlflow } = options;
  const described = { command, options: settings(options), seed, device, data };
  return [
    ...(output === undefined ? [] : [new RunFolderLogger(output, described)]),
    ...(output === undefined || !tensorboard ? [] : [new TensorBoardLogger(output)]),
    ...(mlflow === undefined ? [] : [await mlflowLogger(mlflow, run)]),
  ];
}

/** How a command was called and how it tells of itself, which a file for `--config` that repeats the run has not. */
const OF_THE_CALL = ["config", "resume", "overwrite", "json", "quiet"];

const settings = (options: TrainingOptions): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(options).filter(([name]) => !OF_THE_CALL.includes(name)));

/** Which run of the server a run folder belongs to. */
const MLFLOW = "mlflow.json";

interface MlflowRun {
  readonly trackingUri: string;
  readonly runId: string;
}

/** A logger to a tracking server that goes on with the server's run where the training goes on. */
async function mlflowLogger(trackingUri: string, { options, say }: LoggedRun): Promise<Logger> {
  const { output, resume } = options;
  const file = output === undefined ? null : `${output}/${MLFLOW}`;
  const known = file === null || resume === undefined ? null : await readMlflowRun(file);
  const runId = (known?.trackingUri === trackingUri && known.runId) || null;
  const logger = new MlflowLogger({
    ...{ trackingUri, params: settings(options), onWarning: say },
    ...(runId !== null && { runId }),
  });
  let saved = runId;
  const save = async (): Promise<void> => {
    if (file === null || logger.runId === null || logger.runId === saved) return;
    saved = logger.runId;
    const run: MlflowRun = { trackingUri, runId: saved };
    await writeFileAtomic(file, `${JSON.stringify(run)}\n`);
  };
  return {
    onEvent: async (event) => {
      logger.onEvent(event);
      await save();
    },
    close: async () => {
      await logger.close();
      await save();
    },
  };
}

async function readMlflowRun(file: string): Promise<Partial<MlflowRun> | null> {
  const bytes = await readIfThere(file);
  if (bytes === null) return null;
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Partial<MlflowRun> | null;
  } catch {
    // Then the server gets another run.
    return null;
  }
}
