/** What a training run tells those who follow it: plain events that can be sent as JSON, and the interface of loggers. */

/** A run begins, or goes on from a checkpoint. */
export interface StartEvent {
  readonly type: "start";
  /** Updates made before: 0, or where the checkpoint stood. */
  readonly step: number;
  /** Updates there will be in all; null where the data's length is not known. */
  readonly steps: number | null;
  /** Epochs in all; null where only steps count. */
  readonly epochs: number | null;
  /** Fractional epoch at which it begins. */
  readonly epoch: number;
  /** Folder of the checkpoint it goes on from. */
  readonly resumedFrom: string | null;
  readonly seed: number | null;
  /** Numbers that are learned. */
  readonly parameters: number;
}

/** Updates were made: one event for every `loggingSteps` of them. */
export interface StepEvent {
  readonly type: "step";
  /** Updates made so far. */
  readonly step: number;
  readonly steps: number | null;
  /** Epochs so far, as a fraction. */
  readonly epoch: number;
  /** Mean loss of the updates since the last step event; NaN (null in JSON) where all of them were skipped. */
  readonly loss: number;
  /** Learning rate of the first optimizer's first group in the last update. */
  readonly lr: number;
  /** Means since the last step event of what else the step returned; also `gradNorm` where gradients are clipped by norm. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly samplesPerSecond: number;
  /** Where the batches tell their tokens. */
  readonly tokensPerSecond?: number;
  /** Memory of the process. */
  readonly memoryBytes: number;
  /** Seconds since the run began here. */
  readonly seconds: number;
  /** Seconds until its end at the present speed; null where the end is not known. */
  readonly etaSeconds: number | null;
}

/** The evaluation was run. */
export interface EvaluationEvent {
  readonly type: "evaluation";
  readonly step: number;
  readonly epoch: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Whether the watched metric is the best so far. */
  readonly best: boolean;
  readonly seconds: number;
}

/** A checkpoint has been written. */
export interface CheckpointEvent {
  readonly type: "checkpoint";
  readonly step: number;
  readonly epoch: number;
  /** Folder of the checkpoint. */
  readonly folder: string;
  /** Whether it is the best so far. */
  readonly best: boolean;
  /** Folders of older ones that were removed. */
  readonly removed: readonly string[];
  readonly seconds: number;
}

/** Something went wrong that does not end the run. */
export interface WarningEvent {
  readonly type: "warning";
  readonly step: number;
  /** What kind: an update skipped since something was not finite, a checkpoint that cannot be read, a logger that failed. */
  readonly kind: "nonFinite" | "checkpoint" | "logger";
  readonly message: string;
}

/** The run waits. */
export interface PausedEvent {
  readonly type: "paused";
  readonly step: number;
}

/** The run goes on. */
export interface ResumedEvent {
  readonly type: "resumed";
  readonly step: number;
}

/** Why a run ended: all steps made, `stop()`, its AbortSignal, or no better result for too long. */
export type EndReason = "finished" | "stopped" | "aborted" | "earlyStopping";

/** A run ended well; one that fails throws instead. */
export interface EndEvent {
  readonly type: "end";
  readonly reason: EndReason;
  readonly step: number;
  readonly epoch: number;
  readonly seconds: number;
  /** Updates left out because something was not finite. */
  readonly skipped: number;
  /** Share of padding in the tokens of all batches so far, from 0 to 1, where the data tells. */
  readonly padding?: number;
  /** Best value of the watched metric, where one is watched. */
  readonly bestMetric: number | null;
  /** Folder of the best checkpoint. */
  readonly bestCheckpoint: string | null;
  /** Folder of the last checkpoint. */
  readonly lastCheckpoint: string | null;
}

/** Everything a training run tells, told apart by `type`. */
export type TrainingEvent =
  | StartEvent
  | StepEvent
  | EvaluationEvent
  | CheckpointEvent
  | WarningEvent
  | PausedEvent
  | ResumedEvent
  | EndEvent;

/** An image to log: rows from the top, [height, width, channels], bytes from 0 to 255. */
export interface LoggedImage {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  /** 1: grey, 3: RGB, 4: RGBA. */
  readonly channels: 1 | 3 | 4;
}

/** Writes down what a run tells: a file, a terminal, a server. What it cannot write it leaves out. */
export interface Logger {
  /** Told of everything that happens in a run, in order. */
  onEvent(event: TrainingEvent): void | Promise<void>;
  /** Distribution of values at a step, e.g. weights. */
  histogram?(step: number, name: string, values: ArrayLike<number>): void | Promise<void>;
  /** Takes an image. */
  image?(step: number, name: string, image: LoggedImage): void | Promise<void>;
  /** Takes a text. */
  text?(step: number, name: string, text: string): void | Promise<void>;
  /** Called before `close` where the run ends by an error. */
  fail?(error: unknown): void | Promise<void>;
  /** Called once at the end of a run, also of one that failed; waits until all is written. */
  close(): Promise<void>;
}
