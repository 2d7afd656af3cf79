/**
 * Training runs: the Trainer, and the pieces it is made of, for loops written by hand.
 * @module learning-loop/train
 */

export {
  loadCheckpoint,
  saveCheckpoint,
  type CheckpointParts,
  type OneOrMore,
  type Positioned,
  type Stateful,
  type StatefulOptimizer,
} from "./checkpoint.ts";
export {
  CheckpointError,
  cleanCheckpoints,
  latestCheckpoint,
  listCheckpoints,
  pruneCheckpoints,
  readCheckpoint,
  writeCheckpoint,
  type CheckpointFiles,
  type FolderOptions,
  type FoundCheckpoint,
  type LatestCheckpoint,
  type PruneOptions,
} from "./checkpoint-folder.ts";
export type {
  CheckpointEvent,
  EndEvent,
  EndReason,
  EvaluationEvent,
  LoggedImage,
  Logger,
  PausedEvent,
  ResumedEvent,
  StartEvent,
  StepEvent,
  TrainingEvent,
  WarningEvent,
} from "./events.ts";
export { nodeFileSystem, type FileSystem, type WritableFile } from "./file-system.ts";
export { Meters, readRows, readScalars } from "./meters.ts";
export {
  allFinite,
  assignOnlyIf,
  checkFinite,
  finiteness,
  namedParameters,
  NonFiniteError,
  OutOfMemoryError,
  type Broken,
  type Named,
  type NonFinite,
} from "./safety.ts";
export {
  lossStep,
  readSteps,
  updateStep,
  type BatchNumbers,
  type BatchResult,
  type LossAndMetrics,
  type LossStepOptions,
  type StepOutput,
  type Stepping,
  type StepProgram,
  type StepResult,
  type UpdateStepOptions,
} from "./step-program.ts";
export type { Curve } from "./logging/curves.ts";
export type { EventFileOptions } from "./logging/event-file.ts";
export { MlflowLogger, type MlflowOptions } from "./logging/mlflow.ts";
export type { MlflowServer } from "./logging/mlflow-client.ts";
export {
  describeFile,
  type RunConfig,
  type RunDescription,
  type RunSession,
} from "./logging/run-config.ts";
export type { RunStatus, RunSummary } from "./logging/run-files.ts";
export { RunFolderLogger } from "./logging/run-folder.ts";
export {
  listRuns,
  readRun,
  type FoundRun,
  type LoggedEvent,
  type ReadRunOptions,
  type Run,
} from "./logging/run-reader.ts";
export type { DataFormat } from "./logging/image-of.ts";
export {
  SummaryWriter,
  type AddImageOptions,
  type AddOptions,
  type SummaryWriterOptions,
} from "./logging/summary-writer.ts";
export { TensorBoardLogger, type TensorBoardOptions } from "./logging/tensorboard.ts";
export { Trainer, type Events } from "./trainer.ts";
export type {
  Callback,
  Every,
  Progress,
  TrainedOptimizer,
  TrainedSchedule,
  TrainerOptions,
  TrainingBatch,
  TrainingData,
} from "./trainer-options.ts";
export { ownState, type LogEntry, type OwnState, type TrainerState } from "./trainer-state.ts";
export { Watch, type Judgement, type WatchOptions } from "./watch.ts";
export { runHere, runInWorker, WorkerRun, type RunInWorkerOptions } from "./worker.ts";
export {
  serveRuns,
  type RunControl,
  type RunFunction,
  type RunFunctions,
  type Steered,
} from "./worker-serve.ts";
export type { AnyWorker, BrowserWorker, ThreadWorker } from "./worker-thread.ts";
