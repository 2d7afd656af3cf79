/** What a model is made of: shapes, parameters and floating-point operations of its modules, as a table. */

import { dtypes } from "../graph/dtype.ts";
import type { Node, Value } from "../graph/node.ts";
import { formatShape, type Shape } from "../graph/shape.ts";
import { zeros } from "../creation.ts";
import { source } from "../ops/leaf.ts";
import { mapTensors, record, resultsOf } from "../record.ts";
import type { Tensor } from "../tensor.ts";
import type { HookHandle } from "./hooks.ts";
import type { Module } from "./module.ts";

/** One module; numbers include what is below it. */
export interface SummaryRow {
  /** Dotted name; "" is the model. */
  readonly name: string;
  readonly type: string;
  /** How many modules it is in. */
  readonly depth: number;
  /** Shapes of the tensors it returned when it was last called; empty if it was not. */
  readonly outputShapes: readonly Shape[];
  readonly calls: number;
  /** Numbers it learns, or could: those of shared parameters count once. */
  readonly parameters: number;
  readonly trainable: number;
  /** Multiplications and additions of its matrix products and convolutions in all calls. */
  readonly flops: number;
}

/** What {@link summary} finds: a row a module, and totals. */
export interface Summary {
  readonly rows: readonly SummaryRow[];
  readonly parameters: number;
  readonly trainable: number;
  /** Bytes of all parameters and buffers. */
  readonly parameterBytes: number;
  readonly bufferBytes: number;
  /** As torch.utils.flop_counter counts a forward pass: two for each multiplication with its addition. */
  readonly flops: number;
  /** The table. */
  toString(): string;
}

/** What was recorded between two numbers is a call's. */
interface Call {
  readonly from: number;
  readonly to: number;
}

/** Numbers of nodes grow: this one lies between what was recorded before and what comes. */
const now = (): number => source({ dtype: "float32", shape: [] }).node.id;

/** Nodes that values are computed from, oldest first. */
function nodesBelow(values: readonly Value[]): Node[] {
  const seen = new Set<Node>();
  const stack = values.map(({ node }) => node);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    stack.push(...node.inputs.map((input) => input.node));
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

const flopsOf = ({ op, inputs, outputs, attrs }: Node): number =>
  op.flops?.(inputs, outputs, attrs) ?? 0;

const count = (tensors: readonly Tensor[]): number => tensors.reduce((sum, t) => sum + t.size, 0);
const bytes = (tensors: readonly Tensor[]): number =>
  tensors.reduce((sum, t) => sum + t.size * dtypes[t.dtype].bytes, 0);

const isShape = (input: unknown): input is Shape =>
  Array.isArray(input) && input.length > 0 && input.every((size) => typeof size === "number");

/**
 * Shapes, parameters and floating-point operations of a model and its modules for one call of `forward` with these inputs,
 * where a list of numbers stands for a float32 tensor of that shape. Nothing is computed, and nothing changes.
 */
export function summary(model: Module, ...inputs: readonly unknown[]): Summary {
  const given = inputs.map((input) => (isShape(input) ? zeros(input) : input));
  const calls = new Map<Module, Call[]>();
  const outputs = new Map<Module, Shape[]>();
  const values: Value[] = [];
  const handles: HookHandle[] = [];
  try {
    const recording = record((...placed: unknown[]) => {
      for (const module of model.modules()) {
        const open: number[] = [];
        calls.set(module, []);
        handles.push(
          module.registerForwardPreHook(() => void open.push(now())),
          module.registerForwardHook((_module, _inputs, output) => {
            calls.get(module)!.push({ from: open.pop()!, to: now() });
            outputs.set(module, []);
            mapTensors(output, (tensor) => {
              outputs.get(module)!.push(tensor.shape);
              values.push(tensor.value);
              return tensor;
            });
          }),
        );
      }
      return model.forward(...(placed as never[]));
    }, given);
    values.push(...resultsOf(recording).values);
  } finally {
    for (const handle of handles) handle.remove();
  }
  const nodes = nodesBelow(values).filter(({ op }) => op.flops !== null);
  const rows = Array.from(model.namedModules(), ([name, module]): SummaryRow => {
    const own = calls.get(module)!;
    const parameters = module.parameters();
    const inside = nodes.filter(({ id }) => own.some(({ from, to }) => id > from && id < to));
    return {
      name,
      type: module.constructor.name,
      depth: depthOf(model, name),
      outputShapes: outputs.get(module) ?? [],
      calls: own.length,
      parameters: count(parameters),
      trainable: count(parameters.filter(({ requiresGrad }) => requiresGrad)),
      flops: inside.reduce((sum, node) => sum + flopsOf(node), 0),
    };
  });
  const { parameters, trainable, flops } = rows[0]!;
  const result = {
    rows,
    parameters,
    trainable,
    parameterBytes: bytes(model.parameters()),
    bufferBytes: bytes(model.buffers()),
    flops,
  };
  return { ...result, toString: () => table(result) };
}

/** How many modules a dotted name's module is in. */
function depthOf(model: Module, name: string): number {
  if (name === "") return 0;
  let depth = 1;
  for (const [other] of model.namedModules())
    if (other !== "" && name.startsWith(`${other}.`)) depth++;
  return depth;
}

const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

/** A number of bytes or operations with a unit. */
function scaled(n: number, unit: string): string {
  const prefixes = ["", "k", "M", "G", "T"];
  const at = Math.min(prefixes.length - 1, n < 1000 ? 0 : Math.floor(Math.log10(n) / 3));
  const value = n / 1000 ** at;
  return `${at === 0 ? n : value.toFixed(2)} ${prefixes[at]}${unit}`;
}

/** Columns as wide as their longest cell, the first two to the left. */
function table({
  rows,
  parameters,
  trainable,
  parameterBytes,
  bufferBytes,
  flops,
}: Omit<Summary, "toString">): string {
  const header = ["Layer (type)", "Output shape", "Parameters", "Trainable", "FLOPs"];
  const cells = rows.map(({ name, type, depth, outputShapes, calls, ...numbers }) => {
    const local = name
      .split(".")
      .slice(-(/\.\d+$/.test(name) ? 2 : 1))
      .join(".");
    const times = calls > 1 ? ` × ${calls}` : "";
    return [
      `${"  ".repeat(depth)}${name === "" ? type : `${local} (${type})`}${times}`,
      outputShapes.length === 0 ? "–" : outputShapes.map(formatShape).join(" "),
      numbers.parameters === 0 ? "–" : grouped(numbers.parameters),
      numbers.parameters === 0
        ? "–"
        : numbers.trainable === numbers.parameters
          ? "yes"
          : numbers.trainable === 0
            ? "no"
            : grouped(numbers.trainable),
      numbers.flops === 0 ? "–" : grouped(numbers.flops),
    ];
  });
  const widths = header.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => row[column]!.length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join("  ")
      .trimEnd();
  const rule = "─".repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  return [
    line(header),
    rule,
    ...cells.map(line),
    rule,
    `Parameters: ${grouped(parameters)} (${scaled(parameterBytes, "B")}), trainable: ${grouped(trainable)}`,
    ...(bufferBytes === 0 ? [] : [`Buffers: ${scaled(bufferBytes, "B")}`]),
    `FLOPs of one forward pass: ${grouped(flops)} (${scaled(flops, "FLOP")})`,
  ].join("\n");
}
