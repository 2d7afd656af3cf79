/** Records one call of a function as a graph: what `compile` and the export of models start from. */

import { isolated, type Value } from "./graph/node.ts";
import { source } from "./ops/leaf.ts";
import { Tensor } from "./tensor.ts";
import { Trace, withTrace } from "./trace.ts";

/** Arguments and results of compiled functions: tensors in arrays and plain objects; other values are part of the signature. */
export type Tree = unknown;

export function isPlainObject(tree: Tree): tree is Record<string, Tree> {
  if (typeof tree !== "object" || tree === null) return false;
  const prototype: unknown = Object.getPrototypeOf(tree);
  return prototype === Object.prototype || prototype === null;
}

/** The same tree with its tensors replaced, in the order of its arrays and entries. */
export function mapTensors(tree: Tree, replace: (tensor: Tensor) => Tensor): Tree {
  if (tree instanceof Tensor) return replace(tree);
  if (Array.isArray(tree)) return tree.map((item) => mapTensors(item, replace));
  if (isPlainObject(tree))
    return Object.fromEntries(
      Object.entries(tree).map(([key, item]) => [key, mapTensors(item, replace)]),
    );
  return tree;
}

/** A function's recording, before it is lowered. */
export interface Recording {
  readonly trace: Trace<Tensor>;
  /** Placeholders of the tensors among the arguments, as values and as the tensors the function was given. */
  readonly inputs: readonly Value[];
  readonly given: readonly Tensor[];
  readonly result: Tree;
}

/** Records one call of a function with placeholders in place of the tensors among its arguments. */
export function record<A extends readonly Tree[]>(fn: (...args: A) => Tree, args: A): Recording {
  const trace = new Trace<Tensor>();
  const inputs: Value[] = [];
  const given: Tensor[] = [];
  const result = isolated(() =>
    withTrace(trace, () => {
      const placeholders = mapTensors(args, (tensor) => {
        const value = source({ dtype: tensor.dtype, shape: tensor.shape });
        inputs.push(value);
        const placeholder = new Tensor(value, tensor.requiresGrad, true);
        given.push(placeholder);
        return placeholder;
      });
      return fn(...(placeholders as A));
    }),
  );
  if (result instanceof Promise) {
    // Nobody else will see how it ends; this error is the one to report.
    result.catch(() => undefined);
    throw new Error(
      "compile: the function must not be async; it records operations, and values are read outside",
    );
  }
  return { trace, inputs, given, result };
}

/** Tensors in a traced function's result, and their values. */
export function resultsOf(recording: Recording): { tensors: Tensor[]; values: Value[] } {
  const tensors: Tensor[] = [];
  mapTensors(recording.result, (tensor) => (tensors.push(tensor), tensor));
  const values = withTrace(recording.trace, () => tensors.map((tensor) => tensor.value));
  return { tensors, values };
}
