/** A group of nodes as one loop: what it reads, what it computes, and what of it is stored. */

import type { TypeSpec } from "../graph/node.ts";
import { numel } from "../graph/shape.ts";
import { attr, type NodeProto, type TensorProto } from "../onnx/proto.ts";
import { inRows, stridesOf } from "./access.ts";
import type { Access, LoopInput, LoopResult, Loop } from "./loop.ts";
import { argsOf, bitsOf, Formula, type Term } from "./formula.ts";
import type { Group } from "./groups.ts";
import { MOST_OPERANDS } from "./kernel.ts";
import { apply } from "./operators.ts";
import type { Program } from "./program.ts";
import { walkedOver, type Role } from "./roles.ts";
import { applyToRows } from "./row-operators.ts";

/** Processor cycles below which dividing work costs more than it saves, and what each part should take at least. */
const WORTH_DIVIDING = 40_000;
const WORTH_A_PART = 20_000;

/** A constant that programs with divided sums need: the first dimension. */
export const FIRST_DIMENSION: TensorProto = {
  ...{ name: "kernel_parts", dtype: "int64", shape: [1] },
  data: new BigInt64Array(1),
};

interface Input extends LoopInput {
  readonly name: string;
}

interface Result extends LoopResult {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A group's loop, and what has to be done besides. */
export interface GroupLoop {
  readonly loop: Loop;
  readonly inputs: readonly string[];
  readonly inputTypes: readonly TypeSpec[];
  readonly outputs: readonly string[];
  readonly outputTypes: readonly TypeSpec[];
  /** Nodes that need nothing of the kernel, and those that need its results. */
  readonly early: readonly NodeProto[];
  readonly late: readonly NodeProto[];
}

/** The loop of a group for so many threads; null where there is none, or where what it overwrites is read in another order. */
export function groupLoop(
  program: Program,
  roles: readonly (Role | null)[],
  group: Group,
  threads: number,
): GroupLoop | null {
  return new GroupBuilder(program, roles, group, threads).build();
}

class GroupBuilder {
  readonly #program: Program;
  readonly #roles: readonly (Role | null)[];
  readonly #group: Group;
  readonly #threads: number;
  readonly #columns: number;
  readonly #rows: number;
  readonly #own: ReadonlySet<number>;
  readonly #formula = new Formula();
  readonly #terms = new Map<string, Term>();
  readonly #inputs = new Map<string, Input & { readonly place: number }>();
  readonly #results: Result[] = [];
  readonly #early: NodeProto[] = [];
  readonly #late: NodeProto[] = [];
  #possible = true;

  constructor(program: Program, roles: readonly (Role | null)[], group: Group, threads: number) {
    this.#program = program;
    this.#roles = roles;
    this.#group = group;
    this.#threads = threads;
    this.#columns = rowLength(group);
    this.#rows = group.size / this.#columns;
    this.#own = new Set(group.nodes);
  }

  build(): GroupLoop | null {
    const { nodes } = this.#program;
    for (const i of this.#group.nodes) this.#compute(nodes[i]!, this.#roles[i]!);
    const parts = this.#parts();
    for (const i of this.#group.nodes)
      for (const name of nodes[i]!.outputs)
        if (this.#program.isNeededBeside(this.#own, name))
          this.#store(nodes[i]!, this.#roles[i]!, name, parts);
    const [inputs, results] = [[...this.#inputs.values()], this.#results];
    const fits = inputs.length + results.length <= MOST_OPERANDS;
    if (!this.#possible || results.length === 0 || !fits || !this.#overwritesSafely()) return null;
    const [rows, columns, formula] = [this.#rows, this.#columns, this.#formula];
    return {
      loop: {
        ...{ rows, columns, formula, parts },
        inputs: inputs.map(({ dtype, access }) => ({ dtype, access })),
        results: results.map(({ term, dtype, form }) => ({ term, dtype, form })),
      },
      inputs: inputs.map(({ name }) => name),
      inputTypes: inputs.map(({ name }) => this.#program.type(name)),
      outputs: results.map(({ name }) => name),
      outputTypes: results.map(({ dtype, shape }) => ({ dtype, shape })),
      early: this.#early,
      late: this.#late,
    };
  }

  #compute(node: NodeProto, role: Role): void {
    const [formula, terms] = [this.#formula, this.#terms];
    const over = this.#program.type(walkedOver(node, role));
    const operands = (): Term[] => node.inputs.map((name) => this.#operand(name, over));
    const [result] = node.outputs as [string];
    switch (role.kind) {
      case "element": {
        const dtypes = node.inputs.map((name) => this.#program.type(name).dtype);
        terms.set(result, apply(formula, node, operands(), dtypes));
        return;
      }
      case "rows": {
        const made = applyToRows(formula, node, operands(), role.columns);
        node.outputs.forEach((name, i) => terms.set(name, made[i]!));
        return;
      }
      case "reduce": {
        const x = this.#operand(node.inputs[0]!, over);
        const reduced = formula.reduce(role.by === "max" ? "max" : "sum", x);
        const share = formula.constant(1 / role.columns);
        terms.set(result, role.by === "mean" ? formula.mul(reduced, share) : reduced);
        return;
      }
      case "alias":
      case "sums":
        terms.set(result, this.#operand(node.inputs[0]!, over));
    }
  }

  /** A value as it meets the elements of `over`, all of the group's or one of each row. */
  #operand(name: string, over: TypeSpec): Term {
    const known = this.#terms.get(name);
    if (known !== undefined) return known;
    const constant = this.#program.constants.get(name);
    if (constant !== undefined && constant.data.length === 1)
      return this.#formula.bits(bitsOfConstant(constant));
    const { dtype, shape } = this.#program.type(name);
    const strides = stridesOf(shape, over.shape);
    const access: Access | null =
      numel(over.shape) === this.#group.size
        ? inRows(strides, this.#columns)
        : { along: 0, rows: strides.filter(({ size }) => size > 1) };
    if (access === null) {
      this.#possible = false;
      return this.#formula.bits(0);
    }
    const key = JSON.stringify([name, access]);
    let input = this.#inputs.get(key);
    if (input === undefined) {
      input = { dtype, access, name, place: this.#inputs.size };
      this.#inputs.set(key, input);
    }
    return this.#formula.input(input.place, access.along === 1 ? "element" : "row");
  }

  /** Has a value stored that others need. */
  #store(node: NodeProto, role: Role, name: string, parts: number): void {
    const { dtype, shape } = this.#program.type(name);
    const term = this.#terms.get(name)!;
    if (role.kind === "sums") {
      if (parts === 1) {
        this.#results.push({ term, dtype, form: "sums", name, shape });
        return;
      }
      const each = `${name}_parts`;
      this.#results.push({ term, dtype, form: "sums", name: each, shape: [parts, ...shape] });
      this.#late.push({
        ...{ name: `${name}_sum`, opType: "ReduceSum", inputs: [each, FIRST_DIMENSION.name] },
        ...{ outputs: [name], attributes: { keepdims: attr.int(0) } },
      });
      return;
    }
    const root = role.kind === "alias" ? this.#program.root(name, this.#own) : name;
    if (!this.#terms.has(root)) {
      // Another shape of what comes from outside.
      this.#early.push({ ...node, inputs: [root, node.inputs[1]!] });
      return;
    }
    const same = this.#results.find((result) => result.term === term && result.form !== "sums");
    if (same !== undefined && role.kind === "alias") {
      this.#late.push({ ...node, inputs: [same.name, node.inputs[1]!] });
      return;
    }
    const form = numel(shape) === this.#group.size ? "elements" : "rows";
    if (form === "rows" && dtype !== "float32") this.#possible = false;
    this.#results.push({ term, dtype, form, name, shape });
  }

  /** Whether each element of what is overwritten is read only where it is written, before. */
  #overwritesSafely(): boolean {
    const columns = this.#columns;
    const inOrder = ({ along, rows }: Access): boolean =>
      along === 1 && rows.length <= 1 && rows.every(({ stride }) => stride === columns);
    return this.#results.every(({ name, form }) => {
      const over = this.#program.overwrites.get(name);
      if (over === undefined) return true;
      const reads = [...this.#inputs.values()].filter(
        (input) => this.#program.root(input.name) === over,
      );
      return (
        form === "elements" &&
        (this.#group.size === 1 || reads.every(({ access }) => inOrder(access)))
      );
    });
  }

  /** Into how many parts to divide the work, from a rough count of cycles: eight elements a step, and memory. */
  #parts(): number {
    const { steps } = this.#formula;
    const computed = steps.filter((step) => argsOf(step).length > 0).length;
    const cycles = this.#group.size * (0.08 * computed + 0.3 * (this.#inputs.size + 1));
    if (this.#threads === 1 || cycles < WORTH_DIVIDING) return 1;
    // A part of a row has no sum of the row.
    if (this.#rows === 1 && steps.some(({ kind }) => kind === "reduce")) return 1;
    const most = this.#rows === 1 ? Math.ceil(this.#columns / 64) : this.#rows;
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

/** The 32 bits by which registers hold a constant's one element. */
function bitsOfConstant({ dtype, data }: TensorProto): number {
  const value = Number(data[0]);
  if (dtype === "float32") return bitsOf(value);
  return dtype === "bool" ? (value === 0 ? 0 : 0xffffffff) : value >>> 0;
}
