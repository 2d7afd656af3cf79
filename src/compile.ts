/** `compile`: traces a function once per input signature into one program, and then only runs it. */

import { executor as currentExecutor } from "./device.ts";
import {
  breathe,
  bufferOf,
  evaluateNow,
  exclusively,
  isBuffer,
  load,
  type Loaded,
} from "./engine.ts";
import { forgetInterned, type Value } from "./graph/node.ts";
import { formatShape } from "./graph/shape.ts";
import { source } from "./ops/leaf.ts";
import { isPlainObject, mapTensors, record, resultsOf, type Tree } from "./record.ts";
import type { DeviceBuffer, Executor } from "./runtime/executor.ts";
import { Tensor } from "./tensor.ts";
import { activeTrace, withTrace } from "./trace.ts";

interface Traced {
  readonly executor: Executor;
  readonly loaded: Loaded;
  /** Tensors from outside that the function reads, in input order behind the arguments. */
  readonly captured: readonly Tensor[];
  readonly tracked: readonly boolean[];
  readonly guards: readonly (() => boolean)[];
  readonly returned: readonly Value[];
  /** Captured tensors that get new elements: their place among `captured`. */
  readonly updates: readonly number[];
  readonly grads: readonly GradUpdate[];
  /** Arguments that are assigned, and those that collect gradients, by their place; computed behind all others. */
  readonly assignedArgs: readonly number[];
  readonly gradArgs: readonly number[];
  readonly rebuild: (tensors: readonly Tensor[]) => Tree;
}

interface GradUpdate {
  readonly owner: Tensor;
  /** What `.grad` must be for the trace to hold. */
  readonly before: Tensor | null;
  /** The tensor that carries the gradient afterwards; null: it is cleared; `before`: accumulated through `updates`. */
  readonly carrier: Tensor | null;
  /** Whether the program computes elements for the carrier. */
  readonly computed: boolean;
}

/** A compiled function. */
export interface Compiled<A extends readonly Tree[], R> {
  /** Runs the program for these arguments, tracing it first where there is none. */
  (...args: A): Promise<R>;
  /** How many programs have been traced so far. */
  readonly traces: number;
}

/** Traces kept for one function; the least recently used is dropped beyond that. */
const MAX_TRACES = 32;

/**
 * Makes a function whose whole computation, with all assignments to tensors from outside (parameters, optimizer state,
 * gradients, random state), runs as one program. `fn` is called once for each combination of argument shapes, dtypes
 * and plain values; afterwards only the program runs. `fn` must not be async and must not read values.
 *
 * Tensors from outside are read anew at every call; arguments that `fn` assigns to or collects gradients in are changed
 * like them, but history does not reach back through an argument. A `.grad` that runs set stays one tensor, which each
 * run gives new elements: clone it to keep them. What else the function looks at (numbers, flags) is
 * fixed when it is traced; a module's training mode is watched.
 *
 * A call that fails while the program runs, such as by an index out of range, may leave some of the tensors that `fn` assigns
 * with their new elements and others with their old ones.
 */
export function compile<A extends readonly Tree[], R>(fn: (...args: A) => R): Compiled<A, R> {
  /** Least recently used first. */
  const kept: { readonly signature: string; readonly traced: Traced }[] = [];
  let traces = 0;

  const enqueue = async (args: A): Promise<R> => {
    const tensors: Tensor[] = [];
    const signature = describe(args, tensors);
    return exclusively(async () => {
      const on = await currentExecutor();
      const at = kept.findLastIndex(
        ({ signature: known, traced }) =>
          known === signature && traced.executor === on && holds(traced),
      );
      let entry = kept[at];
      if (entry === undefined) {
        entry = { signature, traced: await trace(fn, args, on) };
        traces++;
        kept.push(entry);
        if (kept.length > MAX_TRACES) kept.shift()!.traced.loaded.program.release();
      } else if (at < kept.length - 1) {
        kept.splice(at, 1);
        kept.push(entry);
      }
      return (await run(entry.traced, tensors, on)) as R;
    });
  };
  const call = (...args: A): Promise<R> => {
    // At once: nobody would wait there for a promise that is rejected.
    if (activeTrace() !== null)
      throw new Error(
        "compile: a compiled function was called inside another; call the plain function there",
      );
    return enqueue(args);
  };
  return Object.defineProperty(call, "traces", { get: () => traces }) as Compiled<A, R>;
}

const holds = ({ guards, grads, captured, tracked }: Traced): boolean =>
  guards.every((guard) => guard()) &&
  grads.every(({ owner, before }) => owner.gradOutside() === before) &&
  captured.every((tensor, i) => tensor.requiresGrad === tracked[i]);

/** The signature of arguments; their tensors are appended to `tensors`. */
function describe(tree: Tree, tensors: Tensor[]): string {
  if (tree instanceof Tensor) {
    tensors.push(tree);
    return `${tree.dtype}${formatShape(tree.shape)}${tree.requiresGrad ? "g" : ""}`;
  }
  if (Array.isArray(tree)) return `[${tree.map((item) => describe(item, tensors)).join()}]`;
  if (isPlainObject(tree)) {
    const entries = Object.entries(tree).map(
      ([key, item]) => `${JSON.stringify(key)}:${describe(item, tensors)}`,
    );
    return `{${entries.join()}}`;
  }
  if (typeof tree === "string") return JSON.stringify(tree);
  if (typeof tree === "number") return Object.is(tree, -0) ? "-0" : String(tree);
  if (typeof tree === "bigint") return `${tree}n`;
  if (tree === null || tree === undefined || typeof tree === "boolean") return String(tree);
  const got = typeof tree === "object" ? tree.constructor.name : `a ${typeof tree}`;
  throw new Error(
    `compile: arguments must be tensors, plain values, arrays or plain objects, got ${got}; refer to other objects from the function's body`,
  );
}

async function trace<A extends readonly Tree[]>(
  fn: (...args: A) => Tree,
  args: A,
  on: Executor,
): Promise<Traced> {
  const recording = record(fn, args);
  const { trace, inputs, given } = recording;
  const { tensors, values: returned } = resultsOf(recording);

  const grads: GradUpdate[] = [];
  const gradValues: Value[] = [];
  for (const [owner, slot] of trace.grads) {
    const now = slot.now;
    if (now !== null && now !== slot.before) {
      gradValues.push(withTrace(trace, () => now.detach().value));
      const carrier = slot.before ?? new Tensor(source({ dtype: owner.dtype, shape: owner.shape }));
      grads.push({ owner, before: slot.before, carrier, computed: true });
    } else grads.push({ owner, before: slot.before, carrier: now, computed: false });
  }

  const entries = [...trace.captured];
  const updates = entries.flatMap(([, entry], i) =>
    entry.current === entry.placeholder ? [] : [i],
  );
  const places = given.map((_, i) => i);
  const [assignedArgs, gradArgs, argValues] = withTrace(trace, () => {
    const assigned = places.filter((i) => given[i]!.value !== inputs[i]);
    const collecting = places.filter((i) => given[i]!.grad !== null);
    const values = [
      ...assigned.map((i) => given[i]!.value),
      ...collecting.map((i) => given[i]!.grad!.detach().value),
    ];
    return [assigned, collecting, values] as const;
  });
  const allInputs = [...inputs, ...entries.map(([, { placeholder }]) => placeholder)];
  const outputs = [
    ...returned,
    ...updates.map((i) => entries[i]![1].current),
    ...gradValues,
    ...argValues,
  ];
  if (outputs.length === 0)
    throw new Error(
      "compile: the function returns no tensor and assigns none, so there is nothing to run",
    );
  const overwrites = outputs.map((_, i) => {
    const update = updates[i - returned.length];
    return update === undefined ? null : entries[update]![1].placeholder;
  });
  const loaded = await load(on, {
    inputs: allInputs,
    outputs,
    updates: on.inPlace ? overwrites : [],
  });

  const result = recording.result;
  const positions = new Map(tensors.map((tensor, i) => [tensor, i]));
  return {
    executor: on,
    loaded,
    captured: entries.map(([tensor]) => tensor),
    tracked: entries.map(([tensor]) => tensor.requiresGrad),
    guards: trace.guards,
    returned,
    updates,
    grads,
    assignedArgs,
    gradArgs,
    rebuild: (fresh) => mapTensors(result, (tensor) => fresh[positions.get(tensor)!]!),
  };
}

async function run(traced: Traced, args: readonly Tensor[], on: Executor): Promise<Tree> {
  const { captured, loaded, returned, updates, grads, assignedArgs, gradArgs } = traced;
  if (!assignedArgs.every((i) => args[i]!.isLeaf))
    throw new Error(
      "compile: an argument that the function assigns to is the result of an operation; detach() it first",
    );
  const all = args.length === 0 ? captured : [...args, ...captured];
  await settleAll(all);
  const inputs: DeviceBuffer[] = [];
  for (const tensor of all) {
    const { value } = tensor;
    const storage = value.storage as DeviceBuffer | null;
    inputs.push(storage !== null && storage.executor === on ? storage : await bufferOf(value, on));
  }

  const isArgument = (buffer: DeviceBuffer): boolean => args.some((_, i) => inputs[i] === buffer);
  const targets: (DeviceBuffer | undefined)[] = new Array<undefined>(loaded.inPlace.length).fill(
    undefined,
  );
  updates.forEach((place, i) => {
    const at = returned.length + i;
    const own = inputs[args.length + place]!;
    // A variable given as an argument too is read through another input, which no update waits for.
    const alone = captured[place]!.value.holders <= 1 && !isArgument(own);
    if (on.inPlace && loaded.inPlace[at] && alone) targets[at] = own;
  });
  const maybe = on.run(loaded.program, inputs, targets);
  const results = maybe instanceof Promise ? await maybe : maybe;

  updates.forEach((place, i) => {
    const at = returned.length + i;
    const old = inputs[args.length + place]!;
    const buffer = results[at]!;
    const tensor = captured[place]!;
    if (buffer === old) {
      tensor.value.writes++;
      return;
    }
    const exclusive = tensor.value.holders <= 1;
    tensor.hold(source(buffer, buffer));
    if (exclusive) on.release(old);
  });
  let next = returned.length + updates.length;
  for (const { owner, carrier, computed } of grads) {
    if (computed) {
      const buffer = results[next++]!;
      const { storage, holders } = carrier!.value;
      carrier!.hold(source(buffer, buffer));
      if (storage !== null && isBuffer(storage) && storage.executor === on && holders <= 1)
        on.release(storage);
    }
    owner.setGradOutside(carrier);
  }
  for (const i of assignedArgs) {
    const buffer = results[next++]!;
    args[i]!.hold(source(buffer, buffer));
  }
  for (const i of gradArgs) {
    const buffer = results[next++]!;
    const found = new Tensor(source(buffer, buffer));
    const arg = args[i]!;
    arg.grad = arg.grad === null ? found : arg.grad.add(found);
  }
  const fresh = returned.map((_, i) => new Tensor(source(results[i]!, results[i])));
  forgetInterned();
  await breathe();
  return traced.rebuild(fresh);
}

/** Computes the tensors that are still pending, in one program. */
async function settleAll(tensors: readonly Tensor[]): Promise<void> {
  const pending = tensors.filter((tensor) => tensor.value.storage === null);
  if (pending.length === 0) return;
  await evaluateNow(pending.map((tensor) => tensor.value));
  for (const tensor of pending) if (tensor.isLeaf) tensor.settle();
}
