/**
 * Optimizers, schedules, clipping and averages of weights: torch.optim.
 * @module learning-loop/optim
 */

export { Adafactor, type AdafactorOptions } from "./adafactor.ts";
export { Adagrad, type AdagradOptions } from "./adagrad.ts";
export { Adam, AdamW, type AdamOptions } from "./adam.ts";
export {
  AveragedModel,
  ExponentialMovingAverage,
  type AveragingOptions,
  type EMAOptions,
} from "./averaging.ts";
export { clipGradNorm, clipGradValue, type ClipNormOptions } from "./clip.ts";
export {
  ConstantLR,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  ExponentialLR,
  LinearLR,
  MultiStepLR,
  PolynomialLR,
  StepLR,
} from "./decay-schedules.ts";
export { Lion, type LionOptions } from "./lion.ts";
export {
  LRScheduler,
  type Moment,
  type Scheduled,
  type ScheduledGroup,
  type ScheduleRule,
  type ScheduleState,
} from "./lr-scheduler.ts";
export { OneCycleLR, type OneCycleOptions } from "./one-cycle.ts";
export { Optimizer } from "./optimizer.ts";
export {
  ParamGroup,
  type CommonOptions,
  type OptimizerParams,
  type ParamGroupInput,
  type Parameters,
} from "./param-group.ts";
export { ReduceLROnPlateau, type PlateauOptions, type PlateauState } from "./plateau.ts";
export { RMSprop, type RMSpropOptions } from "./rmsprop.ts";
export {
  cosineWarmup,
  LambdaLR,
  linearWarmup,
  MultiplicativeLR,
  noam,
  type Factors,
  type WarmupOptions,
} from "./schedule.ts";
export { ChainedScheduler, SequentialLR, type CompositeState } from "./sequential.ts";
export { SGD, type SGDOptions } from "./sgd.ts";
export {
  toTorchNames,
  toTorchState,
  type OptimizerState,
  type ParameterState,
  type TorchOptimizerState,
} from "./state-dict.ts";
