/** Models as `.onnx` files that onnxruntime, transformers.js and Netron open. */

import { readValue } from "../engine.ts";
import { withScope, type Value } from "../graph/node.ts";
import { lowerProgram, programBytes } from "../onnx/lower.ts";
import type { TensorProto } from "../onnx/proto.ts";
import type { Module } from "../nn/module.ts";
import { record, resultsOf } from "../record.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions } from "../tensor/arguments.ts";
import { withTrace } from "../trace.ts";

/** Options of {@link exportOnnx}. */
export interface ExportOptions {
  /** Where to write the file; it appears whole or not at all. Without it only the bytes are returned. */
  readonly path?: string;
  /** Names of the tensors among the inputs, in order; `x0`, `x1`, … unless given. */
  readonly inputNames?: readonly string[];
  /** Names of the tensors in the result, in order; `y0`, `y1`, … unless given. */
  readonly outputNames?: readonly string[];
}

/** What can be exported: a module, or a function of tensors. */
export type Exportable = Module | ((...inputs: never[]) => unknown);

/**
 * Writes what a module (in evaluation mode) or a function computes as an ONNX model, opset 18, weights inside. Shapes are
 * those of the example `inputs`. Parameters keep their state-dict names, nodes the path of the module that recorded them.
 * Throws if the function assigns to tensors or draws random numbers, which ONNX has no place for.
 */
export async function exportOnnx(
  model: Exportable,
  inputs: readonly unknown[],
  options: ExportOptions = {},
): Promise<Uint8Array> {
  const known = ["path", "inputNames", "outputNames"];
  const { path, inputNames, outputNames } = checkOptions("exportOnnx", options, known);
  const list: unknown = inputs;
  if (!Array.isArray(list))
    throw new TypeError("exportOnnx: inputs must be a list, e.g. exportOnnx(model, [x])");
  const named = new Map<Tensor, string>();
  const isFunction = typeof model === "function";
  if (!isFunction) {
    for (const [name, tensor] of model.namedBuffers()) named.set(tensor, name);
    for (const [name, parameter] of model.namedParameters()) named.set(parameter, name);
  }
  const recording = isFunction
    ? record(model as (...inputs: unknown[]) => unknown, [...inputs])
    : inEvaluation(model, () =>
        scoped(model, () =>
          record((...given: unknown[]) => model.forward(...(given as never[])), [...inputs]),
        ),
      );
  const { trace, inputs: placeholders, given } = recording;
  const { values: outputs } = resultsOf(recording);
  if (outputs.length === 0) throw new Error("exportOnnx: the function returns no tensor");
  if (withTrace(trace, () => given.some((tensor, i) => tensor.value !== placeholders[i])))
    throw new Error(
      "exportOnnx: the function assigns to an argument; export a function without side effects",
    );
  for (const [tensor, entry] of trace.captured) {
    if (entry.current !== entry.placeholder) {
      throw new Error(
        `exportOnnx: the function assigns to ${named.get(tensor) ?? "a tensor from outside"}, or draws random numbers; export a function without side effects`,
      );
    }
  }

  const names = [
    ...checkNames("inputNames", inputNames, placeholders.length, "x"),
    ...checkNames("outputNames", outputNames, outputs.length, "y"),
  ];
  const initializers = new Map<Value, TensorProto>();
  for (const [tensor, { placeholder }] of trace.captured) {
    const name = named.get(tensor) ?? `captured_${initializers.size}`;
    const data = await readValue(tensor.value);
    initializers.set(placeholder, { name, dtype: tensor.dtype, shape: tensor.shape, data });
  }
  const lowered = lowerProgram({
    inputs: placeholders,
    outputs,
    initializers,
    inputNames: names.slice(0, placeholders.length),
    outputNames: names.slice(placeholders.length),
    target: { gpu: false, contrib: false },
  });
  const { graph } = lowered.model;
  const used = [...graph.inputs, ...graph.initializers].map(({ name }) => name);
  used.push(...graph.nodes.flatMap((node) => node.outputs));
  const clash = names.find((name) => used.indexOf(name) !== used.lastIndexOf(name));
  if (clash !== undefined)
    throw new Error(
      `exportOnnx: the name "${clash}" is used twice; choose other inputNames or outputNames`,
    );
  const bytes = programBytes(lowered);
  if (path !== undefined) {
    // Only Node has files; a browser takes the bytes.
    const { writeFileAtomic } = await import("../data/atomic-write.ts");
    await writeFileAtomic(path, bytes);
  }
  return bytes;
}

function checkNames(
  option: string,
  given: readonly string[] | undefined,
  count: number,
  prefix: string,
): readonly string[] {
  if (given === undefined) return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
  if (given.length !== count)
    throw new Error(`exportOnnx: ${option} must name ${count} tensor(s), got ${given.length}`);
  if (new Set(given).size !== count)
    throw new Error(`exportOnnx: ${option} must differ, got ${given.join(", ")}`);
  return given;
}

/** Runs `use` with a module in evaluation mode, and restores the mode of each of its parts. */
function inEvaluation<T>(model: Module, use: () => T): T {
  const modes = Array.from(
    model.namedModules(),
    ([, module]) => [module, module.training] as const,
  );
  model.eval();
  try {
    return use();
  } finally {
    // A module's mode is set after its parents', which set it too.
    for (const [module, training] of modes) module.train(training);
  }
}

/** Runs `use` with every module's `forward` adding its name to the scope of the nodes it records. */
function scoped<T>(model: Module, use: () => T): T {
  // `forward` may be a field of the module itself.
  const wrapped = new Map<Module, PropertyDescriptor | undefined>();
  for (const [name, module] of model.namedModules()) {
    if (name === "" || wrapped.has(module)) continue;
    const local = localName(model, name);
    wrapped.set(module, Object.getOwnPropertyDescriptor(module, "forward"));
    const forward: (...inputs: never[]) => unknown = module.forward.bind(module);
    Object.defineProperty(module, "forward", {
      configurable: true,
      value: (...inputs: never[]) => withScope(local, () => forward(...inputs)),
    });
  }
  try {
    return use();
  } finally {
    for (const [module, own] of wrapped) {
      delete (module as { forward?: unknown }).forward;
      if (own !== undefined) Object.defineProperty(module, "forward", own);
    }
  }
}

/** The part of a module's dotted name that its nearest ancestor module does not have. */
function localName(model: Module, name: string): string {
  let parent = "";
  for (const [other] of model.namedModules())
    if (other !== "" && name.startsWith(`${other}.`) && other.length > parent.length)
      parent = other;
  return parent === "" ? name : name.slice(parent.length + 1);
}
