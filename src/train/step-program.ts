/** Training steps as programs: from a loss alone, from an update that the user records, or from any function. */

import { compile } from "../compile.ts";
import type { AveragedModel } from "../optim/averaging.ts";
import { clipGradNorm, clipGradValue } from "../optim/clip.ts";
import { cat, stack } from "../joining.ts";
import { Tensor } from "../tensor.ts";
import { noGrad } from "../trace.ts";
import { listOf } from "./checkpoint.ts";
import { readRows } from "./meters.ts";
import { assignOnlyIf, finitenessOf, type Named } from "./safety.ts";
import type { TrainerOptions } from "./trainer-options.ts";

/** What a step gives: the loss, a tensor of one element, alone or with more numbers to log. */
export type StepOutput = Tensor | LossAndMetrics;

/** A loss, and what else a step reports. */
export interface LossAndMetrics {
  readonly loss: Tensor;
  readonly metrics?: Readonly<Record<string, Tensor>>;
}

/** What a batch has given, in one tensor, which nobody has waited for yet; `readSteps` reads many at a time. */
export interface BatchResult {
  /** The loss, the sums of an update, the metrics: [1 + sums + metrics]. */
  readonly values: Tensor;
  /** How many sums there are: none, or one for each parameter. */
  readonly sums: number;
  readonly metrics: readonly string[];
}

/** What one update has given, batch by batch; only the last has sums. */
export type StepResult = readonly BatchResult[];

/** What a batch has given, read. */
export interface BatchNumbers {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** For each parameter finite where its gradient is, or, of a step that the user records, its new value. */
  readonly sums: readonly number[];
}

/** One update from the data of one or more micro-batches. */
export type StepProgram<B> = (group: readonly B[]) => Promise<StepResult>;

/** What the Trainer does with an optimizer. */
export interface Stepping {
  /** Updates the parameters. */
  step(): void;
  /** Clears the gradients. */
  zeroGrad(): void;
}

/** Options of {@link lossStep}. */
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
  const backward = (data: B, count: number): LossAndMetrics => {
    const output = checked(lossOf(data));
    (count === 1 ? output.loss : output.loss.div(count)).backward();
    return output;
  };
  const collect = compile((data: B, count: number) => {
    const result = packed(backward(data, count));
    if (skipNonFinite) assignOnlyIf(isFinite([result]));
    return result;
  });
  const update = compile((data: B, count: number, earlier: readonly BatchResult[]) => {
    const { loss, metrics } = backward(data, count);
    const gradients = tensors.map((p) => p.grad);
    // The norm sums their squares anyway.
    const sums = finitenessOf(gradients, clipNorm !== undefined);
    if (clipValue !== undefined) clipGradValue(tensors, clipValue);
    const norm = clipNorm === undefined ? {} : { gradNorm: clipGradNorm(tensors, clipNorm) };
    for (const optimizer of optimizers) optimizer.step();
    for (const optimizer of optimizers) optimizer.zeroGrad();
    for (const average of averages) average.update();
    const result = packed({ loss, metrics: { ...metrics, ...norm } }, sums);
    if (skipNonFinite) assignOnlyIf(isFinite([...earlier, result]));
    return result;
  });
  return async (group) => {
    checkData(group);
    const results: BatchResult[] = [];
    for (const data of group.slice(0, -1)) results.push(await collect(data, group.length));
    const earlier = skipNonFinite ? results : [];
    results.push(await update(group.at(-1)!, group.length, earlier));
    return results;
  };
}

/** Options of {@link updateStep}. */
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
    const output = checked(record(data));
    const result = packed(output, finitenessOf(tensors));
    for (const average of averages) average.update();
    if (skipNonFinite) assignOnlyIf(isFinite([result]));
    return result;
  });
  return async (group) => {
    checkData(group);
    return [await update(group[0]!)];
  };
}

/** An update by a function that runs what it likes, e.g. several compiled functions, and says what came of it. */
function freeStep<B>(run: (data: B) => Promise<StepOutput>): StepProgram<B> {
  return async (group) => [packed(checked(await run(group[0]!)))];
}

/** Waits for what updates have given, with one transfer for all results of a size. */
export async function readSteps(results: readonly StepResult[]): Promise<BatchNumbers[][]> {
  const all = results.flat();
  const rows = await readRows(all.map(({ values }) => values));
  let at = 0;
  return results.map((batches) =>
    batches.map(({ sums, metrics }) => {
      const row = rows[at++]!;
      const named = metrics.map((name, i) => [name, row[1 + sums + i]!] as const);
      const metricsRead = Object.fromEntries(named);
      return { loss: row[0]!, sums: row.slice(1, 1 + sums), metrics: metricsRead };
    }),
  );
}

/** Refuses lists of strings, which `collate` makes of texts: they would make a program of each batch. */
function checkData(data: unknown, path: readonly string[] = []): void {
  if (typeof data !== "object" || data === null || data instanceof Tensor) return;
  if (Array.isArray(data) && typeof data[0] === "string")
    throw new Error(
      `Trainer: the batch has strings (${path.slice(1).join(".") || "all of it"}), with which each batch would be compiled anew; leave them out in the DataLoader's collate`,
    );
  for (const [key, item] of Object.entries(data)) checkData(item, [...path, key]);
}

function checked(output: unknown): LossAndMetrics {
  const given: Partial<LossAndMetrics> =
    output instanceof Tensor ? { loss: output } : (Object(output) as Partial<LossAndMetrics>);
  const { loss, metrics = {} } = given;
  if (!(loss instanceof Tensor))
    throw new Error(
      `Trainer: the step must return its loss, a tensor, or { loss, metrics }, got ${"loss" in given ? `{ loss: ${String(loss)} }` : String(output)}`,
    );
  if ("loss" in metrics)
    throw new Error('Trainer: a metric cannot be named "loss", which is the loss itself');
  for (const [name, t] of Object.entries({ loss, ...metrics }))
    if (t.size !== 1)
      throw new Error(
        `Trainer: ${name} must have one element, got shape [${t.shape.join()}]; take its mean()`,
      );
  return { loss, metrics };
}

function packed({ loss, metrics = {} }: LossAndMetrics, sums: readonly Tensor[] = []): BatchResult {
  const dtype = loss.dtype === "float64" ? "float64" : "float32";
  const numbers = [loss, ...sums, ...Object.values(metrics)];
  const values = noGrad(() => stack(numbers.map((t) => t.detach().reshape([]).cast(dtype))));
  return { values, sums: sums.length, metrics: Object.keys(metrics) };
}

/** Whether losses and sums are finite, bool []; metrics may be what they like. */
const isFinite = (results: readonly BatchResult[]): Tensor =>
  cat(results.map(({ values, sums }) => values.slice(0, 0, 1 + sums).cast("float32")))
    .isfinite()
    .all();

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
