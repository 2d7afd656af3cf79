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
import type { Product } from "./matmul-plan.ts";

/** Variables in memory, 8 bytes each: the stack at entry; addresses; and, in panels, where the work begins, is and ends. */
const variables = [
  "stack",
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
/** Bytes that the variables take. */
export const FRAME = 256;
const PAGE = 4096;
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

  constructor(spec: Product) {
    this.spec = spec;
    const { m, n, k, transA = false, transB = false, batch = [] } = spec;
    this.batch = numel(batch);
    this.lineA = 4 * (transA ? m : k);
    this.lineB = 4 * (transB ? k : n);
    this.lineC = 4 * n;
  }

  /** Saves registers and takes memory from the stack, touching its pages in order, as growing stacks want it. */
  enter(bytes: number): void {
    const { a } = this;
    for (const register of SAVED) a.push(register);
    a.mov(rax, rsp);
    a.mov(rcx, rsp);
    a.arithmeticImmediate("sub", rsp, bytes);
    a.arithmeticImmediate("and", rsp, -64);
    a.mov(rbp, rsp);
    if (bytes > PAGE) {
      const next = a.label();
      a.movImmediate(r9, Math.floor(bytes / PAGE));
      a.bind(next);
      a.arithmeticImmediate("sub", rcx, PAGE);
      a.mov(rdx, { base: rcx });
      a.arithmeticImmediate("sub", r9, 1);
      a.jump(next, "notEqual");
    }
    a.store(at("stack"), rax);
    const [first, second] =
      this.spec.swapped === true ? (["b", "a"] as const) : (["a", "b"] as const);
    const operands: Variable[] = [first, second, ...(this.spec.bias ? ["bias" as const] : []), "c"];
    operands.forEach((name, i) => {
      a.mov(rax, { base: rdi, offset: 8 * i });
      a.store(at(name), rax);
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

  /** Bytes from matrix to matrix of the batch. */
  #strides(): readonly (readonly [Variable, number])[] {
    const { m, n, k } = this.spec;
    return [
      ["a", 4 * m * k],
      ["b", 4 * k * n],
      ["c", 4 * m * n],
    ];
  }

  /** Moves the addresses to the first matrices of the part. */
  firstMatrices(): void {
    const { a } = this;
    for (const [name, stride] of this.#strides()) {
      a.mov(rax, at("batch"));
      a.multiply(rax, rax, stride);
      a.arithmetic("add", rax, at(name));
      a.store(at(name), rax);
    }
  }

  /** Moves the addresses to the next matrices. */
  nextMatrices(): void {
    const { a } = this;
    for (const [name, stride] of this.#strides()) {
      a.mov(rax, at(name));
      a.arithmeticImmediate("add", rax, stride);
      a.store(at(name), rax);
    }
  }
}
