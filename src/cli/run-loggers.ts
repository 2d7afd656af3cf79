/** Where a training command logs to, as its options say. */
import type { Logger } from "../train/events.ts";
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

export function runLoggers({ options, command, device, data, say }: LoggedRun): Logger[] {
  const { output, seed, tensorboard, mlflow } = options;
  const described = { command, options: { ...options }, seed, device, data };
  return [
    ...(output === undefined ? [] : [new RunFolderLogger(output, described)]),
    ...(output === undefined || !tensorboard ? [] : [new TensorBoardLogger(output)]),
    ...(mlflow === undefined
      ? []
      : [new MlflowLogger({ trackingUri: mlflow, params: { ...options }, onWarning: say })]),
  ];
}
