/**
 * Which variables a program may update in place, and what each update must wait for.
 *
 * ONNX Runtime writes an output that shares memory with an input as soon as the node that makes it runs, and does not
 * order that after other readers of the old elements. Every such reader therefore becomes a dependency of the update:
 * a zero made from the reader's result (a token) is added to a small operand on the update's way.
 */

import { isFloat, type DType } from "../graph/dtype.ts";
import type { Node, Value } from "../graph/node.ts";
import { numel, sameShape } from "../graph/shape.ts";
import { type Consumers, Precedence } from "./precedence.ts";

/** What must have run before a node may. */
export interface Wait {
  readonly readers: Node[];
  /** The input to which the token is added; null: it is added to the node's result. */
  readonly operand: number | null;
  readonly dtype: DType;
}

export interface UpdatePlan {
  /** For each output, whether it may be written over the input it updates. */
  readonly inPlace: readonly boolean[];
  readonly waits: ReadonlyMap<Node, Wait>;
}

/**
 * Plans `outputs[i]` being written over the memory of `updates[i]`. An update that reads the old elements in another
 * order than it writes them, that an old reader depends on, or whose old elements are an output too, is refused
 * (`inPlace` false).
 */
export function planUpdates(
  outputs: readonly Value[],
  updates: readonly (Value | null)[],
  known: ReadonlySet<Value>,
): UpdatePlan {
  const waits = new Map<Node, Wait>();
  if (!updates.some((update) => update !== null))
    return { inPlace: outputs.map(() => false), waits };

  const { consumers, nodes } = consumersOf(outputs, known);
  const returned = new Set(outputs);
  const written = new Set<Value>();
  const readersByUpdate = updates.map((old) =>
    old === null ? null : readersOf(old, consumers, returned),
  );
  const readersOfAll = readersByUpdate.flatMap((readers) => [...(readers ?? [])]);
  const precedence = new Precedence(nodes, consumers, known, readersOfAll);
  const inPlace = outputs.map((output, i) => {
    const old = updates[i] ?? null;
    if (old === null) return false;
    const result = throughIdentities(output, known);
    // Untouched, or two variables sharing one result: a copy is made, nothing can be overwritten too early by it.
    if (known.has(result) || written.has(result) || !sameShape(old.shape, result.shape))
      return false;
    const writer = result.node;
    const readers = readersByUpdate[i]!;
    if (readers === null) return false;
    const safe = readsElementwise(writer, old) || onlyOverwrites(writer, old);
    if (readers.has(writer) && !safe) return false;

    const late = [...readers].filter((reader) => !precedence.isBefore(reader, writer));
    if (late.length > 0 && !delay(result, late, { consumers, waits, known, precedence }))
      return false;
    written.add(result);
    return true;
  });
  return { inPlace, waits };
}

/** All nodes of the program, and which of them take each value. */
function consumersOf(
  outputs: readonly Value[],
  known: ReadonlySet<Value>,
): { readonly consumers: Consumers; readonly nodes: readonly Node[] } {
  const consumers = new Map<Value, Node[]>();
  const seen = new Set<Node>();
  const stack = outputs.filter((value) => !known.has(value)).map((value) => value.node);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (const input of node.inputs) {
      const list = consumers.get(input);
      if (list === undefined) consumers.set(input, [node]);
      else list.push(node);
      if (!known.has(input)) stack.push(input.node);
    }
  }
  return { consumers, nodes: [...seen] };
}

function throughIdentities(value: Value, known: ReadonlySet<Value>): Value {
  let result = value;
  while (!known.has(result) && result.node.op.identity) result = result.node.inputs[0]!;
  return result;
}

/** Nodes that read the memory of a value, also through views of it; null where that is an output, copied who knows when. */
function readersOf(
  value: Value,
  consumers: Consumers,
  outputs: ReadonlySet<Value>,
): Set<Node> | null {
  const readers = new Set<Node>();
  const stack = [value];
  for (let view = stack.pop(); view !== undefined; view = stack.pop()) {
    if (outputs.has(view)) return null;
    for (const node of consumers.get(view) ?? []) {
      if (node.op.view) stack.push(node.outputs[0]!);
      else readers.add(node);
    }
  }
  return readers;
}

/** Whether a node writes each element only after it has read that element of `old`, and reads no other later. */
const readsElementwise = (node: Node, old: Value): boolean =>
  node.op.elementwise &&
  node.inputs.every((input) => input === old || throughViews(input) !== old) &&
  sameShape(node.outputs[0]!.shape, old.shape);

/** Whether a node leaves what it does not replace of `old` where it is, and reads it through no other input. */
const onlyOverwrites = (node: Node, old: Value): boolean =>
  node.op.overwrites &&
  node.inputs[0] === old &&
  node.inputs.slice(1).every((input) => throughViews(input) !== old);

function throughViews(value: Value): Value {
  let inner = value;
  while (inner.node.op.view) inner = inner.node.inputs[0]!;
  return inner;
}

/** The program whose updates are planned. */
interface Planned {
  readonly consumers: Consumers;
  readonly waits: Map<Node, Wait>;
  readonly known: ReadonlySet<Value>;
  readonly precedence: Precedence;
}

/**
 * Makes a result wait for `readers`: at a one-element operand of an elementwise node, its own or one that only it needs,
 * so that adding the token costs nothing; else by adding it to the result. False where a reader needs the result.
 */
function delay(
  result: Value,
  readers: Node[],
  { consumers, waits, known, precedence }: Planned,
): boolean {
  if (precedence.isBeforeAny(result.node, readers)) return false;
  const queue: Value[] = [result];
  for (let depth = 0; depth < queue.length && depth < 12; depth++) {
    const { node } = queue[depth]!;
    // A reader needs this node, e.g. through another of its outputs.
    if (precedence.isBeforeAny(node, readers)) continue;
    const waiting = waits.get(node);
    if (waiting !== undefined) {
      waiting.readers.push(...readers.filter((reader) => !waiting.readers.includes(reader)));
      precedence.wait(node, readers);
      return true;
    }
    const operand = !node.op.elementwise
      ? -1
      : node.inputs.findIndex((input) => numel(input.shape) === 1 && isFloat(input.dtype));
    if (operand >= 0) {
      waits.set(node, { readers: [...readers], operand, dtype: node.inputs[operand]!.dtype });
      precedence.wait(node, readers);
      return true;
    }
    for (const input of node.inputs) {
      if (!known.has(input) && consumers.get(input)?.length === 1) queue.push(input);
    }
  }
  if (!isFloat(result.dtype) || result.node.outputs.length > 1) return false;
  waits.set(result.node, { readers, operand: null, dtype: result.dtype });
  precedence.wait(result.node, readers);
  return true;
}
