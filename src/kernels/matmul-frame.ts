/** What the code of every matrix product begins and ends with: registers, memory on the stack, and which part to do. */

import { numel } from "../graph/shape.ts";
import {
  type Address,
  Assembler,
  type Gpr,
  r12,
  r13,
  r14,
  r15,
  r8,
  r9,
  rax,
  rbp,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
  rsp,
} from "./assembler.ts";
import { layoutsOf } from "./matmul-layout.ts";
import type { Product } from "./matmul-plan.ts";
import { takeStack } from "./stack-frame.ts";
import { evenRuns } from "./view.ts";

/**
 * Variables in memory, 8 bytes each: the stack at entry; addresses of operands, and of the matrices at work; and, in panels,
 * where the work begins, is and ends.
 */
const variables = [
  "stack",
  "firstA",
  "firstB",
  "firstC",
  "a",
  "b",
  "c",
  "bias",
  "batch",
  "batchEnd",
  "rowFirst",
  "row",
  "rowEnd",
  "rowStop",
  "height",
  "columnFirst",
  "column",
  "columnEnd",
  "width",
  "over",
  "panelBias",
] as const;
type Variable = (typeof variables)[number];
const MATRICES = ["a", "b", "c"] as const;
const FIRST = { a: "firstA", b: "firstB", c: "firstC" } as const;
/** Bytes that the variables take. */
export const FRAME = 256;
const SAVED: readonly Gpr[] = [rbx, rbp, r12, r13, r14, r15];

/** Where a variable is. */
export const at = (name: Variable): Address => ({ base: rbp, offset: 8 * variables.indexOf(name) });

/** Emits what products have in common. */
export class MatmulFrame {
  readonly a = new Assembler();
  readonly spec: Product;
  /** How many matrices. */
  readonly batch: number;
  /** Bytes from line to line of the matrices as they are stored. */
  readonly lineA: number;
  readonly lineB: number;
  readonly lineC: number;
  readonly #layouts: ReturnType<typeof layoutsOf>;

  constructor(spec: Product) {
    this.spec = spec;
    this.#layouts = layoutsOf(spec);
    const { a, b, c } = this.#layouts;
    this.batch = numel(spec.batch ?? []);
    this.lineA = 4 * a.line;
    this.lineB = 4 * b.line;
    this.lineC = 4 * c.line;
  }

  /** Saves registers and takes memory from the stack. */
  enter(bytes: number): void {
    const { a } = this;
    for (const register of SAVED) a.push(register);
    takeStack(a, bytes);
    a.mov(rbp, rsp);
    a.store(at("stack"), rax);
    const { spec } = this;
    const operands = ["a", "b", ...(spec.bias ? (["bias"] as const) : []), "c"] as const;
    operands.forEach((name, i) => {
      a.mov(rax, { base: rdi, offset: 8 * (spec.places?.[i] ?? i) });
      if (name !== "bias" && this.#layouts[name].offset > 0)
        a.arithmeticImmediate("add", rax, 4 * this.#layouts[name].offset);
      a.store(at(name === "bias" ? name : FIRST[name]), rax);
    });
    a.mov(r8, rsi);
  }

  /** Gives the stack and the registers back, and returns. */
  leave(): void {
    const { a } = this;
    a.mov(rsp, at("stack"));
    for (const register of SAVED.toReversed()) a.pop(register);
    a.vzeroupper();
    a.ret();
  }

  copy(to: Variable, from: Variable): void {
    this.a.mov(rax, at(from));
    this.a.store(at(to), rax);
  }

  /** Which of `units` belong to the part: of its number, in r8, the remainder by `parts`; the quotient stays. */
  range(first: Variable, end: Variable, units: number, parts: number): void {
    const { a } = this;
    if (parts === 1) {
      a.movImmediate(rax, 0);
      a.store(at(first), rax);
      a.movImmediate(rax, units);
      a.store(at(end), rax);
      return;
    }
    a.movImmediate(rcx, parts);
    a.mov(rax, r8);
    a.movImmediate(rdx, 0);
    a.divide(rcx);
    a.mov(r8, rax);
    a.mov(r9, rdx);
    for (const [name, add] of [
      [first, 0],
      [end, 1],
    ] as const) {
      a.lea(rax, { base: r9, offset: add });
      a.multiply(rax, rax, units);
      a.movImmediate(rdx, 0);
      a.divide(rcx);
      a.store(at(name), rax);
    }
  }

  /** Runs a body for `name` from where it is to `end`, `by` at a time, `size` being how many there are this time. */
  blocks(
    name: Variable,
    end: Variable,
    by: number,
    size: Variable | undefined,
    body: () => void,
  ): void {
    const { a } = this;
    const next = a.label();
    a.bind(next);
    if (size !== undefined) {
      const fewer = a.label();
      a.mov(rax, at(end));
      a.arithmetic("sub", rax, at(name));
      a.arithmeticImmediate("cmp", rax, by);
      a.jump(fewer, "less");
      a.movImmediate(rax, by);
      a.bind(fewer);
      a.store(at(size), rax);
    }
    body();
    a.mov(rax, at(name));
    a.arithmeticImmediate("add", rax, by);
    a.store(at(name), rax);
    a.arithmetic("cmp", rax, at(end));
    a.jump(next, "less");
  }

  /** Moves the addresses to the batch's matrices at work. */
  matrices(): void {
    const { a } = this;
    for (const name of MATRICES) this.copy(name, FIRST[name]);
    const strides = MATRICES.map((name) => this.#layouts[name].matrices);
    const runs = evenRuns(this.spec.batch ?? [], strides);
    if (runs.length > 0) a.mov(rax, at("batch"));
    for (const run of runs.toReversed()) {
      // rdx is the place along this run, rax what the runs around it have still to share.
      if (run === runs[0]) a.mov(rdx, rax);
      else {
        a.movImmediate(rcx, run.size);
        a.movImmediate(rdx, 0);
        a.divide(rcx);
      }
      MATRICES.forEach((name, i) => {
        a.multiply(rcx, rdx, 4 * run.strides[i]!);
        a.arithmetic("add", rcx, at(name));
        a.store(at(name), rcx);
      });
    }
  }
}
