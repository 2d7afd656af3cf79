/**
 * Replaces groups of a program's nodes by kernels. One after the other, operators on large tensors each stream through
 * memory; a kernel reads what enters a group once and writes what leaves it once.
 */

import type { TypeSpec } from "../graph/node.ts";
import { numel } from "../graph/shape.ts";
import type { LoweredProgram } from "../onnx/lower.ts";
import { attr, type ModelProto, type NodeProto, type TensorProto } from "../onnx/proto.ts";
import { inRows, stridesOf } from "./access.ts";
import {
  compileLoop,
  kernelDTypes,
  type Access,
  type KernelInput,
  type KernelResult,
} from "./compile.ts";
import { argsOf, Formula, type Term } from "./formula.ts";
import { planGroups, type Group, type Role } from "./groups.ts";
import { KERNEL_DOMAIN, type Kernel } from "./kernel.ts";
import { apply, resultDType } from "./operators.ts";
import { matmulIsFaster, matmulKernel } from "./matmul.ts";
import { productOf } from "./products.ts";
import { applyToRows, isRowOperator, rowsOf } from "./row-operators.ts";

/** Most inputs and outputs of a kernel. */
const MOST_OPERANDS = 60;
/** Processor cycles below which dividing work costs more than it saves, and what each part should take at least. */
const WORTH_DIVIDING = 40_000;
const WORTH_A_PART = 20_000;

/** The program with kernels for the groups of its nodes that run faster so, and these kernels, for so many threads. */
export function fuse(
  program: LoweredProgram,
  threads: number,
): { readonly model: ModelProto; readonly kernels: readonly Kernel[] } {
  return new Fusion(program, threads).run();
}

/** Nodes that stay together: what a group becomes, or a node alone. */
type Unit = readonly NodeProto[];

class Fusion {
  readonly #model: ModelProto;
  readonly #nodes: readonly NodeProto[];
  readonly #threads: number;
  readonly #types: Map<string, TypeSpec>;
  readonly #constants: ReadonlyMap<string, TensorProto>;
  readonly #outputs: ReadonlySet<string>;
  /** Of outputs, the inputs whose memory they are written over. */
  readonly #overwrites: ReadonlyMap<string, string>;
  readonly #added: TensorProto[] = [];
  readonly #kernels = new Map<string, Kernel>();
  readonly #producer = new Map<string, number>();
  /** Places of the nodes that need a value; −1 where the program returns it. */
  readonly #consumers = new Map<string, number[]>();
  readonly #roles: (Role | null)[];

  constructor(program: LoweredProgram, threads: number) {
    const { model, outputs } = program;
    const { nodes, initializers } = model.graph;
    this.#model = model;
    this.#nodes = nodes;
    this.#threads = threads;
    this.#types = new Map(program.types);
    for (const { name, dtype, shape } of initializers) this.#types.set(name, { dtype, shape });
    for (const { name, dtype, shape, as = shape } of outputs)
      this.#types.set(name, { dtype, shape: as });
    this.#constants = new Map(initializers.map((tensor) => [tensor.name, tensor]));
    this.#outputs = new Set(outputs.map(({ name }) => name));
    this.#overwrites = new Map(
      outputs.flatMap(({ name }, i) => {
        const over = program.overwrites[i] ?? null;
        return over === null ? [] : [[name, over]];
      }),
    );
    const consume = (name: string, by: number): void => {
      const known = this.#consumers.get(name);
      if (known === undefined) this.#consumers.set(name, [by]);
      else known.push(by);
    };
    nodes.forEach((node, i) => {
      for (const name of node.outputs) this.#producer.set(name, i);
      for (const name of node.inputs) consume(name, i);
    });
    for (const { name } of outputs) consume(name, -1);
    this.#roles = nodes.map((node) => this.#role(node));
  }

  run(): { model: ModelProto; kernels: readonly Kernel[] } {
    const nodes = this.#nodes;
    const groups = planGroups({ nodes, roles: this.#roles, types: this.#types });
    const unitOf = new Map<number, Unit>();
    for (const group of groups) {
      const kinds = group.nodes.map((i) => this.#roles[i]!.kind).filter((kind) => kind !== "alias");
      const worth = kinds.length > 1 || kinds[0] === "rows";
      const unit = worth ? this.#lower(group) : null;
      if (unit !== null) for (const i of group.nodes) unitOf.set(i, unit);
    }
    nodes.forEach((node, i) => {
      const product = unitOf.has(i) ? null : this.#product(node);
      if (product !== null) unitOf.set(i, [product]);
    });
    if (unitOf.size === 0) return { model: this.#model, kernels: [] };
    nodes.forEach((node, i) => {
      if (!unitOf.has(i)) unitOf.set(i, [node]);
    });
    const { graph, opsetImports } = this.#model;
    const model = {
      ...this.#model,
      opsetImports: [...opsetImports, { domain: KERNEL_DOMAIN, version: 1 }],
      graph: {
        ...graph,
        nodes: inOrder(nodes, unitOf),
        initializers: [...graph.initializers, ...this.#added],
      },
    };
    return { model, kernels: [...this.#kernels.values()] };
  }

  /** A matrix product as a kernel, where that is faster. */
  #product(node: NodeProto): NodeProto | null {
    const product = productOf(node, (name) => this.#types.get(name));
    if (product === null) return null;
    // ONNX Runtime copies constant matrices into panels once.
    if (this.#constants.has(product.inputs[1]!) || this.#constants.has(product.inputs[0]!))
      return null;
    const spec = { ...product.spec, threads: this.#threads };
    if (!matmulIsFaster({ ...spec, name: "" })) return null;
    const kernel = this.#kernel(JSON.stringify([spec, product.shape]), (name) => ({
      ...matmulKernel({ ...spec, name }),
      outputs: [{ dtype: "float32", shape: product.shape }],
    }));
    return {
      name: `${node.name}/${kernel.name}`,
      opType: kernel.name,
      domain: KERNEL_DOMAIN,
      inputs: product.inputs,
      outputs: node.outputs,
      attributes: {},
    };
  }

  /** The kernel made before by the same key, or a new one. */
  #kernel(key: string, make: (name: string) => Kernel): Kernel {
    const known = this.#kernels.get(key);
    if (known !== undefined) return known;
    const kernel = make(`kernel_${this.#kernels.size}`);
    this.#kernels.set(key, kernel);
    return kernel;
  }

  // ---- what nodes do -----------------------------------------------------------------------------------------------

  /** A node's part in a kernel, if it can have one; notes its result's type. */
  #role(node: NodeProto): Role | null {
    const types = this.#types;
    const product = productOf(node, (name) => types.get(name));
    if (product !== null && !types.has(node.outputs[0]!))
      types.set(node.outputs[0]!, { dtype: "float32", shape: product.shape });
    const operands = node.inputs.map((name) => types.get(name));
    const [first] = operands;
    const [result] = node.outputs;
    if (first === undefined || result === undefined || (node.domain ?? "") !== "") return null;
    if (node.opType === "Reshape") {
      const shape = this.#integers(node.inputs[1]!);
      if (shape === null || numel(first.shape) === 0) return null;
      const known = shape.reduce(
        (product, size, i) => product * (size > 0 ? size : size === 0 ? (first.shape[i] ?? 0) : 1),
        1,
      );
      const sizes = shape.map((size, i) =>
        size > 0 ? size : size === 0 ? (first.shape[i] ?? 0) : numel(first.shape) / known,
      );
      types.set(result, { dtype: first.dtype, shape: sizes });
      return kernelDTypes.has(first.dtype) ? { kind: "alias" } : null;
    }
    if (["ReduceSum", "ReduceMean", "ReduceMax"].includes(node.opType))
      return this.#reduction(node, first);
    if (isRowOperator(node)) {
      const columns = rowsOf(node, first.shape);
      const known = node.outputs.every((name) => types.has(name));
      return columns === null || first.dtype !== "float32" || !known
        ? null
        : { kind: "rows", columns };
    }
    if (operands.some((type) => type === undefined)) return null;
    const all = operands as TypeSpec[];
    if (!all.every(({ dtype }) => kernelDTypes.has(dtype))) return null;
    const dtype = resultDType(
      node,
      all.map((type) => type.dtype),
    );
    if (dtype === null) return null;
    const shape = broadcastOf(all);
    if (!types.has(result)) types.set(result, { dtype, shape });
    return { kind: "element" };
  }

  #reduction(node: NodeProto, { dtype, shape }: TypeSpec): Role | null {
    const dims = node.inputs[1] === undefined ? null : this.#integers(node.inputs[1]);
    if (dims === null || dims.length === 0) return null;
    const axes = new Set(dims.map((dim) => (dim < 0 ? dim + shape.length : dim)));
    const keep = node.attributes.keepdims;
    const keepdims = keep === undefined || (keep.kind === "int" && Number(keep.value) === 1);
    const [result] = node.outputs as [string];
    const reduced = shape.flatMap((size, i) => (!axes.has(i) ? [size] : keepdims ? [1] : []));
    this.#types.set(result, { dtype, shape: reduced });
    if (dtype !== "float32") return null;
    const place = shape.map((_, i) => axes.has(i));
    const trailing = place.lastIndexOf(false) + 1;
    const leading = place.indexOf(false);
    const columnsFrom = (from: number): number => numel(shape.slice(from));
    const by = { ReduceSum: "sum", ReduceMean: "mean", ReduceMax: "max" } as const;
    const how = by[node.opType as keyof typeof by];
    // All that is left out of a trailing sum comes first, and the other way round.
    if (!place.slice(0, trailing).includes(true))
      return { kind: "reduce", columns: columnsFrom(trailing), by: how };
    if (how === "sum" && !place.slice(leading).includes(true))
      return { kind: "sums", columns: columnsFrom(leading) };
    return null;
  }

  #integers(name: string): number[] | null {
    const tensor = this.#constants.get(name);
    return tensor === undefined
      ? null
      : Array.from(tensor.data as ArrayLike<number | bigint>, Number);
  }

  // ---- kernels -----------------------------------------------------------------------------------------------------

  #lower(group: Group): Unit | null {
    const [nodes, types] = [this.#nodes, this.#types];
    const columns = rowLength(group);
    const rows = group.size / columns;
    const own = new Set(group.nodes);
    const formula = new Formula();
    const terms = new Map<string, Term>();
    const inputs: (KernelInput & { readonly name: string; readonly strides: string })[] = [];
    let possible = true;

    const operand = (name: string, over: TypeSpec): Term => {
      const term = terms.get(name);
      if (term !== undefined) return term;
      const type = types.get(name)!;
      const constant = this.#constants.get(name);
      if (constant !== undefined && constant.data.length === 1)
        return formula.bits(bitsOfConstant(constant));
      const strides = stridesOf(type.shape, over.shape);
      const whole = numel(over.shape) === group.size;
      const access: Access | null = whole
        ? inRows(strides, columns)
        : { along: 0, rows: strides.filter(({ size }) => size > 1) };
      if (access === null) {
        possible = false;
        return formula.bits(0);
      }
      const key = JSON.stringify(access);
      let place = inputs.findIndex((input) => input.name === name && input.strides === key);
      if (place < 0) place = inputs.push({ dtype: type.dtype, access, name, strides: key }) - 1;
      return formula.input(place, access.along === 1 ? "element" : "row");
    };

    for (const i of group.nodes) {
      const node = nodes[i]!;
      const role = this.#roles[i]!;
      const [result] = node.outputs as [string];
      if (role.kind === "element") {
        const over = types.get(result)!;
        const operands = node.inputs.map((name) => operand(name, over));
        const operandTypes = node.inputs.map((name) => types.get(name)!.dtype);
        terms.set(result, apply(formula, node, operands, operandTypes));
        continue;
      }
      if (role.kind === "rows") {
        const over = types.get(node.inputs[0]!)!;
        const operands = node.inputs.map((name) => operand(name, over));
        const made = applyToRows(formula, node, operands, role.columns);
        node.outputs.forEach((name, place) => terms.set(name, made[place]!));
        continue;
      }
      const term = operand(node.inputs[0]!, types.get(node.inputs[0]!)!);
      if (role.kind === "reduce") {
        const reduced = formula.reduce(role.by === "max" ? "max" : "sum", term);
        terms.set(
          result,
          role.by === "mean" ? formula.mul(reduced, formula.constant(1 / role.columns)) : reduced,
        );
      } else terms.set(result, term);
    }

    const results: (KernelResult & { readonly name: string; readonly shape: readonly number[] })[] =
      [];
    const [early, late]: [NodeProto[], NodeProto[]] = [[], []];
    const stored = new Map<Term, string>();
    const parts = this.#parts(group.size, rows, columns, formula, inputs.length);
    const made = group.nodes.flatMap((i) => nodes[i]!.outputs.map((name) => [i, name] as const));
    for (const [i, name] of made) {
      const node = nodes[i]!;
      const needed = this.#consumers.get(name)?.some((by) => by === -1 || !own.has(by)) ?? false;
      if (!needed) continue;
      const role = this.#roles[i]!;
      const { dtype, shape } = types.get(name)!;
      const term = terms.get(name)!;
      if (role.kind === "sums") {
        const whole = parts === 1 ? name : `${name}_parts`;
        results.push({
          ...{ term, dtype, form: "sums", name: whole },
          shape: parts === 1 ? shape : [parts, ...shape],
        });
        if (parts > 1)
          late.push({
            ...{ name: `${name}_sum`, opType: "ReduceSum", outputs: [name] },
            inputs: [whole, this.#first()],
            attributes: { keepdims: attr.int(0) },
          });
        continue;
      }
      const root = role.kind === "alias" ? this.#root(name, own) : name;
      if (role.kind === "alias" && !terms.has(root)) {
        // Another shape of what comes from outside.
        early.push({ ...node, inputs: [root, node.inputs[1]!] });
        continue;
      }
      const same = stored.get(term);
      if (same !== undefined) {
        if (role.kind !== "alias" || this.#outputs.has(name)) possible = false;
        late.push({ ...node, inputs: [same, node.inputs[1]!] });
        continue;
      }
      stored.set(term, name);
      const form = numel(shape) === group.size ? "elements" : "rows";
      if (form === "rows" && dtype !== "float32") possible = false;
      results.push({ term, dtype, form, name, shape });
    }
    if (!possible || results.length === 0) return null;
    if (inputs.length + results.length > MOST_OPERANDS) return null;
    for (const { name, form } of results) {
      const over = this.#overwrites.get(name);
      if (over === undefined) continue;
      const safe = inputs.every(
        (input) =>
          this.#root(input.name, null) !== over ||
          group.size === 1 ||
          (input.access.along === 1 &&
            input.access.rows.every(
              ({ stride }, i, all) => all.length === 1 && i === 0 && stride === columns,
            )),
      );
      if (form !== "elements" || !safe) return null;
    }

    const loop = { rows, columns, formula, inputs, results, parts };
    const specOf = ({ dtype, shape }: TypeSpec): TypeSpec => ({ dtype, shape });
    const key = JSON.stringify([
      ...[
        rows,
        columns,
        parts,
        formula.steps,
        inputs.map(({ name, access }) => [types.get(name), access]),
      ],
      results.map(({ term, dtype, form, shape }) => [term, dtype, form, shape]),
    ]);
    const kernel = this.#kernel(key, (name) => ({
      name,
      inputs: inputs.map((input) => specOf(types.get(input.name)!)),
      outputs: results.map(specOf),
      parts,
      code: compileLoop(loop),
    }));
    const call: NodeProto = {
      name: `${nodes[group.nodes.at(-1)!]!.name}/${kernel.name}`,
      opType: kernel.name,
      domain: KERNEL_DOMAIN,
      inputs: inputs.map(({ name }) => name),
      outputs: results.map(({ name }) => name),
      attributes: {},
    };
    return [...early, call, ...late];
  }

  /** The name of a constant that says: over the first dimension. */
  #first(): string {
    const name = "kernel_parts";
    if (this.#added.length === 0)
      this.#added.push({ name, dtype: "int64", shape: [1], data: new BigInt64Array(1) });
    return name;
  }

  /** What a value is only another shape of, inside of a set of nodes or (null) in the whole program. */
  #root(name: string, own: ReadonlySet<number> | null): string {
    let root = name;
    for (;;) {
      const made = this.#producer.get(root);
      if (made === undefined || (own !== null && !own.has(made))) return root;
      const { opType, inputs } = this.#nodes[made]!;
      if (!["Reshape", "Identity"].includes(opType)) return root;
      root = inputs[0]!;
    }
  }

  /** Into how many parts to divide the work, from a rough count of cycles: eight elements a step, and memory. */
  #parts(size: number, rows: number, columns: number, formula: Formula, operands: number): number {
    const steps = formula.steps.filter((step) => argsOf(step).length > 0).length;
    const cycles = size * (0.08 * steps + 0.3 * (operands + 1));
    if (this.#threads === 1 || cycles < WORTH_DIVIDING) return 1;
    // A part of a row has no sum of the row.
    if (rows === 1 && formula.steps.some(({ kind }) => kind === "reduce")) return 1;
    const most = rows === 1 ? Math.ceil(columns / 64) : rows;
    return Math.max(1, Math.min(4 * this.#threads, Math.floor(cycles / WORTH_A_PART), most));
  }
}

/** The length of rows: short enough that there are enough of them for all threads. */
function rowLength({ size, columns, even }: Group): number {
  if (columns !== null) return columns;
  if (even === size) return size;
  let length = even;
  while (size / length < 16 && length % 16 === 0 && length >= 2048) length /= 2;
  return length;
}

function bitsOfConstant({ dtype, data }: TensorProto): number {
  const value = Number(data[0]);
  if (dtype === "float32") return new Uint32Array(Float32Array.of(value).buffer)[0]!;
  return dtype === "bool" ? (value === 0 ? 0 : 0xffffffff) : value >>> 0;
}

function broadcastOf(types: readonly TypeSpec[]): number[] {
  const rank = Math.max(...types.map(({ shape }) => shape.length));
  return Array.from({ length: rank }, (_, i) => {
    const sizes = types.map(({ shape }) => shape[shape.length - rank + i] ?? 1);
    return sizes.includes(0) ? 0 : Math.max(...sizes);
  });
}

/** Units in an order in which each comes after those it needs. */
function inOrder(nodes: readonly NodeProto[], unitOf: ReadonlyMap<number, Unit>): NodeProto[] {
  const maker = new Map<string, Unit>();
  for (const unit of unitOf.values())
    for (const { outputs } of unit) for (const name of outputs) maker.set(name, unit);
  const order: NodeProto[] = [];
  const done = new Set<Unit>();
  const open = new Set<Unit>();
  for (let i = 0; i < nodes.length; i++) {
    const stack: Unit[] = [unitOf.get(i)!];
    for (let unit = stack.at(-1); unit !== undefined; unit = stack.at(-1)) {
      if (done.has(unit)) {
        stack.pop();
        continue;
      }
      const current = unit;
      const waiting = open.has(current)
        ? []
        : current
            .flatMap(({ inputs }) => inputs)
            .map((name) => maker.get(name))
            .filter((other) => other !== undefined && other !== current && !done.has(other));
      open.add(unit);
      if (waiting.length > 0) {
        for (const other of waiting) stack.push(other!);
        continue;
      }
      stack.pop();
      done.add(unit);
      order.push(...unit);
    }
  }
  return order;
}
