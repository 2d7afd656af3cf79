/** Safety nets of training steps: what is not finite is found and left out on the device, and errors say what to do. */

import { tensor } from "../creation.ts";
import { stack } from "../joining.ts";
import { where } from "../ops/compare.ts";
import type { Tensor } from "../tensor.ts";
import { activeTrace, noGrad } from "../trace.ts";
import { Module } from "../nn/module.ts";

/** Parameters by name. */
export type Named = readonly (readonly [name: string, parameter: Tensor])[];

/** Parameters that are learned, by name, each once; those of several models as `<model>.<name>`. */
export function namedParameters(models: Module | Readonly<Record<string, Module>>): Named {
  const list: (readonly [string, Tensor])[] =
    models instanceof Module
      ? [...models.namedParameters()]
      : Object.entries(models).flatMap(([model, of]) =>
          Array.from(of.namedParameters(), ([name, p]) => [`${model}.${name}`, p] as const),
        );
  const first = new Map<Tensor, string>();
  for (const [name, p] of list) if (p.requiresGrad && !first.has(p)) first.set(p, name);
  return Array.from(first, ([p, name]) => [name, p] as const);
}

/**
 * For each tensor a float32 number that is finite where all its elements are, save for sums beyond float32; 0 for null.
 * `squares`: sum squares, which cost nothing where they are computed anyway.
 */
export const finitenessOf = (tensors: readonly (Tensor | null)[], squares = false): Tensor[] =>
  noGrad(() =>
    tensors.map((t) => {
      if (t === null) return tensor(0);
      const sum = (squares ? t.mul(t) : t).sum();
      // 0 or NaN: sums of wider types may leave float32's range.
      return sum.dtype === "float32" ? sum : sum.sub(sum).cast("float32");
    }),
  );

/** The same as one tensor, [tensors]. */
export const finiteness = (tensors: readonly (Tensor | null)[]): Tensor =>
  stack(finitenessOf(tensors));

/** Whether all elements of tensors are finite, bool []; for use inside `compile`. */
export const allFinite = (tensors: readonly (Tensor | null)[]): Tensor =>
  finiteness(tensors).isfinite().all();

/**
 * Keeps what the compiled function being recorded has assigned so far only where `holds` (bool []) is true, at every run:
 * parameters, moments, counts and statistics are otherwise as they were. Random states go on. Costs two more passes over
 * what is assigned, on the device.
 */
export function assignOnlyIf(holds: Tensor): void {
  const trace = activeTrace();
  if (trace === null)
    throw new Error("assignOnlyIf: works inside a compiled function only; use an if outside of it");
  const condition = holds.value;
  for (const [tensor, entry] of trace.captured)
    if (entry.current !== entry.placeholder && tensor.dtype !== "uint32")
      entry.current = where(condition, entry.current, entry.placeholder);
}

/** What broke first: the loss, a gradient, or a parameter by its update. */
export type Broken = "loss" | "gradient" | "value";

/** A number that is not finite, and where it was found. */
export interface NonFinite {
  /** The update that broke, counted from 1. */
  readonly step: number;
  readonly epoch: number;
  readonly broken: Broken;
  /** Null where none was computed: the parameters were looked at between steps. */
  readonly loss: number | null;
  /** Places in the data set of the samples of that update, batch by batch. */
  readonly indices: readonly (readonly number[])[];
  /** All parameters whose gradients, or values, are not finite, in the model's order. */
  readonly parameters: readonly string[];
}

/** A loss, a gradient or a parameter is infinite or NaN. */
export class NonFiniteError extends Error implements NonFinite {
  override readonly name = "NonFiniteError";
  readonly step: number;
  readonly epoch: number;
  readonly broken: Broken;
  readonly loss: number | null;
  readonly indices: readonly (readonly number[])[];
  readonly parameters: readonly string[];
  /** The first of them; null where only the loss is not finite. */
  readonly parameter: string | null;

  constructor(found: NonFinite) {
    super(
      `${describeNonFinite(found)}; lower the learning rate, clip gradients (clipNorm), or leave such updates out (onNonFinite: "skip")`,
    );
    this.step = found.step;
    this.epoch = found.epoch;
    this.broken = found.broken;
    this.loss = found.loss;
    this.indices = found.indices;
    this.parameters = found.parameters;
    this.parameter = found.parameters[0] ?? null;
  }
}

/** One sentence on what broke where. */
export function describeNonFinite({ step, loss, broken, indices, parameters }: NonFinite): string {
  const [first, ...more] = parameters;
  const others = more.length === 0 ? "" : ` (and of ${more.length} more)`;
  const kind = broken === "value" ? "value" : "gradient";
  const parts = [
    ...(loss === null ? [] : [`the loss is ${loss}`]),
    ...(first === undefined ? [] : [`the ${kind} of ${first}${others} is not finite`]),
  ];
  const shown = indices.map((list) => {
    const head = list.slice(0, 16).join(", ");
    return `[${head}${list.length > 16 ? `, … ${list.length - 16} more` : ""}]`;
  });
  const when = indices.length === 0 ? `after step ${step}` : `in step ${step}`;
  const which = indices.length === 0 ? "" : `; its samples are ${shown.join(" and ")}`;
  return `train: ${when} ${parts.join(" and ")}${which}`;
}

/**
 * Throws a NonFiniteError where a parameter is infinite or NaN, as one must neither be trained on nor saved. `at`: where
 * the run stands.
 */
export async function checkFinite(
  parameters: Named,
  { step, epoch }: { readonly step: number; readonly epoch: number },
): Promise<void> {
  if (parameters.length === 0) return;
  const sums = await finiteness(parameters.map(([, p]) => p)).data();
  const bad = parameters.filter((_, i) => !Number.isFinite(Number(sums[i])));
  if (bad.length === 0) return;
  const names = bad.map(([name]) => name);
  throw new NonFiniteError({
    ...{ step, epoch, broken: "value", loss: null, indices: [], parameters: names },
  });
}

/** The device has no memory left. */
export class OutOfMemoryError extends Error {
  override readonly name = "OutOfMemoryError";
}

/** How ONNX Runtime on its devices, V8 and native allocators say that there is no memory. */
const NO_MEMORY =
  /failed to allocate memory|bad.?alloc|out of memory|allocation failed|allocation failure|cannot allocate|could not allocate|not enough memory|ENOMEM|Invalid (typed )?array (buffer )?length/i;

/** The error in words that help, where it says that memory is used up; otherwise the same. `where`: e.g. "in step 3". */
export function explainMemory(error: unknown, where: string): unknown {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof OutOfMemoryError || !NO_MEMORY.test(message)) return error;
  return new OutOfMemoryError(
    `train: out of memory ${where}: lower batchSize (accumulate: 2 with half of it trains the same), shorten the longest samples, or take a smaller model`,
    { cause: error },
  );
}
