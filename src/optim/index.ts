/** Optimizers, schedules and clipping: torch.optim. */

export { Adam, AdamW, type AdamOptions } from "./adam.ts";
export { clipGradNorm } from "./clip.ts";
export { Optimizer, ParamGroup, type OptimizerState, type ParamGroupInput } from "./optimizer.ts";
export { LambdaLR, linearWarmup, type ScheduleState } from "./schedule.ts";
export { SGD, type SGDOptions } from "./sgd.ts";
