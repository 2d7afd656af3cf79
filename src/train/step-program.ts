/** Training steps as programs: from a loss alone, from an update that the user records, or from any function. */

import { compile } from "../compile.ts";
import type { AveragedModel } from "../optim/averaging.ts";
import { clipGradNorm, clipGradValue } from "../optim/clip.ts";
import { Tensor } from "../tensor.ts";
import { listOf } from "./checkpoint.ts";
import { allFinite, assignOnlyIf, finiteness, type Named } from "./safety.ts";
import type { TrainerOptions } from "./trainer-options.ts";

/** What a step gives: the loss, a tensor of one element, alone or with more numbers to log. */
export type StepOutput = Tensor | LossAndMetrics;

export interface LossAndMetrics {
  readonly loss: Tensor;
  readonly metrics?: Readonly<Record<string, Tensor>>;
}

/** One micro-batch's results, 0-d tensors that nobody has waited for yet. */
export interface MicroResult {
  readonly loss: Tensor;
  readonly metrics: Readonly<Record<string, Tensor>>;
}

/** What one update has given. */
export interface StepResult {
  readonly micro: readonly MicroResult[];
  /** For each parameter finite where its gradient is, or, of a step that the user records, its new value: float32 [parameters]. */
  readonly sums: Tensor | null;
}

/** One update from the data of one or more micro-batches. */
export type StepProgram<B> = (group: readonly B[]) => Promise<StepResult>;

/** What the Trainer does with an optimizer. */
export interface Stepping {
  step(): void;
  zeroGrad(): void;
}

export interface LossStepOptions {
  readonly optimizers: readonly Stepping[];
  /** Watched, and clipped. */
  readonly parameters: Named;
  readonly clipNorm?: number;
  readonly clipValue?: number;
  readonly averages?: readonly AveragedModel[];
  /** Leave out updates whose loss or gradients are not finite. */
  readonly skipNonFinite?: boolean;
}

/**
 * The update that lowers a loss, as one program: forward, backward, clipping, optimizers, averages. Of a group of
 * micro-batches, gradients of the mean of their losses are collected first, by a program of their own.
 */
export function lossStep<B>(
  lossOf: (data: B) => StepOutput,
  options: LossStepOptions,
): StepProgram<B> {
  const { optimizers, parameters, clipNorm, clipValue, averages = [], skipNonFinite } = options;
  const tensors = parameters.map(([, p]) => p);
  const backward = (data: B, count: number): MicroResult => {
    const { loss, metrics } = checked(lossOf(data));
    (count === 1 ? loss : loss.div(count)).backward();
    return scalars(loss, metrics);
  };
  const collect = compile((data: B, count: number) => {
    const result = backward(data, count);
    if (skipNonFinite) assignOnlyIf(allFinite([result.loss]));
    return result;
  });
  const update = compile((data: B, count: number, earlier: readonly Tensor[]) => {
    const { loss, metrics } = backward(data, count);
    const sums = finiteness(tensors.map((p) => p.grad));
    if (clipValue !== undefined) clipGradValue(tensors, clipValue);
    const norm = clipNorm === undefined ? {} : { gradNorm: clipGradNorm(tensors, clipNorm) };
    for (const optimizer of optimizers) optimizer.step();
    for (const optimizer of optimizers) optimizer.zeroGrad();
    for (const average of averages) average.update();
    if (skipNonFinite) assignOnlyIf(allFinite([...earlier, loss, sums]));
    return { loss, metrics: { ...metrics, ...norm }, sums };
  });
  return async (group) => {
    const micro: MicroResult[] = [];
    for (const data of group.slice(0, -1)) micro.push(await collect(data, group.length));
    const earlier = skipNonFinite ? micro.map(({ loss }) => loss) : [];
    const { sums, ...last } = await update(group.at(-1)!, group.length, earlier);
    return { micro: [...micro, last], sums };
  };
}

export interface UpdateStepOptions {
  /** Watched. */
  readonly parameters: Named;
  readonly averages?: readonly AveragedModel[];
  readonly skipNonFinite?: boolean;
}

/** An update that the user records whole, backward passes and steps of any number of optimizers included, as one program. */
export function updateStep<B>(
  record: (data: B) => StepOutput,
  { parameters, averages = [], skipNonFinite }: UpdateStepOptions,
): StepProgram<B> {
  const tensors = parameters.map(([, p]) => p);
  const update = compile((data: B) => {
    const { loss, metrics } = checked(record(data));
    const sums = finiteness(tensors);
    for (const average of averages) average.update();
    if (skipNonFinite) assignOnlyIf(allFinite([loss, sums]));
    return { ...scalars(loss, metrics), sums };
  });
  return async (group) => {
    const { sums, ...last } = await update(group[0]!);
    return { micro: [last], sums };
  };
}

/** An update by a function that runs what it likes, e.g. several compiled functions, and says what came of it. */
export function freeStep<B>(run: (data: B) => Promise<StepOutput>): StepProgram<B> {
  return async (group) => {
    const { loss, metrics } = checked(await run(group[0]!));
    return { micro: [scalars(loss, metrics)], sums: null };
  };
}

function checked(output: StepOutput): LossAndMetrics {
  const { loss, metrics = {} } = output instanceof Tensor ? { loss: output } : output;
  if (!(loss instanceof Tensor))
    throw new Error(
      `Trainer: the step must return its loss, a tensor, or { loss, metrics }, got ${String(loss)}`,
    );
  for (const [name, t] of Object.entries({ loss, ...metrics }))
    if (t.size !== 1)
      throw new Error(
        `Trainer: ${name} must have one element, got shape [${t.shape.join()}]; take its mean()`,
      );
  return { loss, metrics };
}

const scalars = (loss: Tensor, metrics: LossAndMetrics["metrics"] = {}): MicroResult => ({
  loss: loss.detach().reshape([]),
  metrics: Object.fromEntries(
    Object.entries(metrics).map(([name, t]) => [name, t.detach().reshape([])]),
  ),
});

/** The step that a Trainer's options describe. */
export function programOf<B>(options: TrainerOptions<B>, parameters: Named): StepProgram<B> {
  const { loss, update, run, clipNorm, clipValue } = options;
  if (run !== undefined) return freeStep(run);
  const common = {
    parameters,
    averages: listOf(options.average),
    skipNonFinite: options.onNonFinite === "skip",
  };
  if (update !== undefined) return updateStep(update, common);
  return lossStep(loss!, {
    ...common,
    optimizers: listOf(options.optimizer),
    ...(clipNorm === undefined ? {} : { clipNorm }),
    ...(clipValue === undefined ? {} : { clipValue }),
  });
}
