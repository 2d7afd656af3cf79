/** Evaluates pending graphs: collects what is needed, compiles it once per structure, runs it, stores the results. */

import { hostArray, type DType, type TypedArray } from "./graph/dtype.ts";
import { forgetInterned, type Storage, type Value } from "./graph/node.ts";
import { executor as currentExecutor, targetOf } from "./device.ts";
import { lowerProgram } from "./onnx/lower.ts";
import { encodeModel } from "./onnx/proto.ts";
import { constantData, isConstant } from "./ops/leaf.ts";
import { collect, type Pending, type Structure } from "./pending.ts";
import type { DeviceBuffer, Executor, Program } from "./runtime/executor.ts";

/** Elements known on the host and not yet on a device. */
export interface HostStorage extends Storage {
  readonly host: TypedArray;
}

export const isHost = (storage: Storage): storage is HostStorage => "host" in storage;
export const isBuffer = (storage: Storage): storage is DeviceBuffer => "executor" in storage;

export const hostStorage = (
  host: TypedArray,
  dtype: DType,
  shape: readonly number[],
): HostStorage => ({
  host,
  dtype,
  shape,
  byteLength: host.byteLength,
});

// ---- one evaluation at a time ------------------------------------------------------------------------------------

let tail: Promise<unknown> = Promise.resolve();
let lastYield = performance.now();
/** Longest the event loop is kept busy by evaluations in a row, in milliseconds. */
const MAX_BUSY_MS = 50;

/** Runs tasks strictly one after another, in the order they were asked for. */
export function exclusively<T>(task: () => Promise<T>): Promise<T> {
  const result = tail.then(task);
  tail = result.catch(() => undefined);
  return result;
}

/** Lets timers, I/O and the finalizers that free buffers run, when they have waited long enough. */
export async function breathe(): Promise<void> {
  if (performance.now() - lastYield < MAX_BUSY_MS) return;
  await new Promise<void>((resolve) =>
    typeof setImmediate === "function" ? setImmediate(resolve) : setTimeout(resolve, 0),
  );
  lastYield = performance.now();
}

// ---- storage -----------------------------------------------------------------------------------------------------

/** The buffer of a value with storage on the given executor; moves it there if it is elsewhere. */
export async function bufferOf(value: Value, on: Executor): Promise<DeviceBuffer> {
  const storage = value.storage;
  if (storage === null)
    throw new Error("engine: a value without elements was asked for its buffer");
  if (isBuffer(storage) && storage.executor === on) return storage;
  const host = await hostOf(storage);
  const buffer = await on.upload(host, value.dtype, value.shape);
  value.storage = buffer;
  return buffer;
}

async function hostOf(storage: Storage): Promise<TypedArray> {
  if (isHost(storage)) return storage.host;
  if (isBuffer(storage)) return storage.executor.read(storage);
  throw new Error("engine: unknown storage");
}

/** A copy of a value's elements, evaluating it first where they are not known. */
export async function readValue(value: Value): Promise<TypedArray> {
  // An update whose turn comes before must neither overwrite nor release what was asked for.
  value.holders++;
  try {
    return await exclusively(() => readNow(value));
  } finally {
    value.holders--;
  }
}

async function readNow(value: Value): Promise<TypedArray> {
  let known = value;
  while (known.storage === null && known.node.op.identity) known = known.node.inputs[0]!;
  if (known.storage === null && isConstant(known)) return constantData(known).slice();
  if (known.storage === null) {
    await evaluateNow([value]);
    known = value;
  }
  const storage = known.storage!;
  const data = await hostOf(storage);
  return isHost(storage) ? data.slice() : data;
}

// ---- programs ----------------------------------------------------------------------------------------------------

/** A program with what the engine must know to run it. */
export interface Loaded {
  readonly program: Program;
  /** For each output, whether it may be written over the input it updates. */
  readonly inPlace: readonly boolean[];
}

/** Lowers and loads a program on an executor. */
export async function load(
  on: Executor,
  spec: Omit<Parameters<typeof lowerProgram>[0], "target">,
): Promise<Loaded> {
  const lowered = lowerProgram({ ...spec, target: targetOf(on) });
  const { inputs, outputs } = lowered;
  const { model, kernels } = on.fuse?.(lowered) ?? { model: lowered.model, kernels: [] };
  const program = await on.load(encodeModel(model), inputs, outputs, kernels);
  return { program, inPlace: lowered.inPlace };
}

interface Cached extends Loaded {
  readonly executor: Executor;
  readonly structure: Structure;
  /** The number baked in for each scalar constant, or null where it is an input. */
  readonly baked: readonly (number | bigint | null)[];
}

/** Programs of uncompiled evaluations by their structure's hash, least recently used first. */
const cache = new Map<number, Cached>();
const MAX_PROGRAMS = 128;

const scalarOf = (value: Value): number | bigint => constantData(value)[0]!;

async function programFor(
  pending: Pending,
  targets: readonly Value[],
  on: Executor,
): Promise<Cached> {
  const { structure, scalars, leaves } = pending;
  const known = cache.get(structure.hash);
  const numbers = scalars.map(scalarOf);
  const same = known?.executor === on && known.structure.equals(structure) ? known : undefined;
  if (known !== undefined) {
    cache.delete(structure.hash);
    if (same?.baked.every((n, i) => n === null || Object.is(n, numbers[i])) === true) {
      cache.set(structure.hash, known);
      return known;
    }
    known.program.release();
  }
  const baked = numbers.map((n, i) =>
    same === undefined || Object.is(same.baked[i], n) ? n : null,
  );
  const inputs = [...leaves, ...scalars.filter((_, i) => baked[i] === null)];
  const loaded = await load(on, { inputs, outputs: targets });
  const fresh: Cached = { ...loaded, executor: on, structure, baked };
  cache.set(structure.hash, fresh);
  for (const [oldest, entry] of cache) {
    if (cache.size <= MAX_PROGRAMS) break;
    cache.delete(oldest);
    entry.program.release();
  }
  return fresh;
}

/** How many programs have been compiled for uncompiled evaluations and are held now. */
export const cachedPrograms = (): number => cache.size;

// ---- evaluation --------------------------------------------------------------------------------------------------

/** Something that gets its elements at the next evaluation, whether or not they are read. */
export interface Assigned {
  /** The value to compute. */
  pendingValue(): Value;
  /** Called when it has storage. */
  settle(): void;
  /** Called when it cannot be computed: the tensor is what it was. */
  undo(): void;
}

/** Tensors assigned since the last evaluation. */
let assigned = new Set<Assigned>();

/** Has a tensor's new value computed with the next evaluation, so that graphs do not grow from step to step. */
export const computeSoon = (tensor: Assigned): void => void assigned.add(tensor);

/** Takes that back: the tensor is no longer needed by itself. */
export const computeWhenRead = (tensor: Assigned): void => void assigned.delete(tensor);

/**
 * Computes the given values and all pending assignments in one program; the caller holds the turn. When that fails the
 * assignments are undone.
 */
export async function evaluateNow(values: readonly Value[]): Promise<void> {
  const tensors = [...assigned];
  // Not cleared: V8 links the old table of a Set to the next, and through old garbage everything recorded would stay.
  assigned = new Set();
  const wanted = new Set(values);
  for (const tensor of tensors) wanted.add(tensor.pendingValue());
  const targets = [...wanted].filter((value) => value.storage === null);
  try {
    if (targets.length > 0) await compute(targets);
  } catch (error) {
    // Assignments that cannot be computed would fail every later evaluation too.
    for (const tensor of tensors) tensor.undo();
    throw error;
  } finally {
    forgetInterned();
  }
  for (const tensor of tensors) tensor.settle();
  await breathe();
}

async function compute(targets: readonly Value[]): Promise<void> {
  const on = await currentExecutor();
  const pending = collect(targets);
  const program = await programFor(pending, targets, on);
  const inputs: DeviceBuffer[] = [];
  for (const leaf of pending.leaves) {
    const { storage } = leaf;
    inputs.push(
      storage !== null && isBuffer(storage) && storage.executor === on
        ? storage
        : await bufferOf(leaf, on),
    );
  }
  for (let i = 0; i < pending.scalars.length; i++) {
    const scalar = pending.scalars[i]!;
    if (program.baked[i] === null)
      inputs.push(await on.upload(offHeap(constantData(scalar), scalar.dtype), scalar.dtype, []));
  }
  const outputs = await on.run(program.program, inputs);
  targets.forEach((target, i) => (target.storage = outputs[i]!));
}

function offHeap(data: TypedArray, dtype: DType): TypedArray {
  const copy = hostArray(dtype, data.length);
  for (let i = 0; i < data.length; i++) copy[i] = data[i]!;
  return copy;
}
