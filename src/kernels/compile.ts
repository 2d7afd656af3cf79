/**
 * Formula → machine code: loops over rows of elements, eight at a time, with several passes over a row where a sum or
 * maximum of it is needed first.
 */

import type { DType } from "../graph/dtype.ts";
import {
  Assembler,
  r10,
  r11,
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
  type Address,
  type Gpr,
  type Ymm,
} from "./assembler.ts";
import { argsOf, predicates, type Formula, type Step, type Term } from "./formula.ts";
import { Registers, type Home, type Sink } from "./registers.ts";

/** How the elements of an input lie to those of the rows: each row begins at the sum of its indices' strides. */
export interface Access {
  /** Elements from one to the next along a row: 1, or 0 where all of a row are the same. */
  readonly along: 0 | 1;
  /** The rows as nested dimensions, the outermost first. */
  readonly rows: readonly { readonly size: number; readonly stride: number }[];
}

export interface KernelInput {
  readonly dtype: DType;
  readonly access: Access;
}

export interface KernelResult {
  readonly term: Term;
  readonly dtype: DType;
  /** Elements [rows, columns], one of each row [rows], or their sums over the rows of each part [parts, columns]. */
  readonly form: "elements" | "rows" | "sums";
}

export interface Loop {
  readonly rows: number;
  readonly columns: number;
  readonly formula: Formula;
  readonly inputs: readonly KernelInput[];
  readonly results: readonly KernelResult[];
  /** How many parts may run at the same time; the last ones may be smaller. */
  readonly parts: number;
}

/** Elements that kernels compute with. */
export const kernelDTypes: ReadonlySet<DType> = new Set<DType>([
  "float32",
  "int32",
  "uint32",
  "bool",
]);

const LANES = 8;
/** Steps that are computed again in a later pass rather than kept. */
const CHEAP = 3;
/** Most bytes of a row's elements that a part keeps from one pass to the next. */
const MOST_KEPT = 256 * 1024;

const bytesOf = (dtype: DType): 1 | 4 => (dtype === "bool" ? 1 : 4);

/** The machine code of a loop; see `Kernel.code`. */
export function compileLoop(loop: Loop): Uint8Array {
  return new LoopCompiler(loop).compile();
}

class LoopCompiler {
  readonly #loop: Loop;
  readonly #a = new Assembler();
  readonly #steps: readonly Step[];
  /** For each step, how many passes over a row must be done before it can be computed. */
  readonly #depth: number[] = [];
  readonly #zero;
  readonly #tail;
  /** Registers and stack places of operands' rows: inputs, then results. */
  readonly #bases: number[] = [];
  #frame = 0;
  readonly #oldStack: number;
  readonly #part: number;
  readonly #rowEnd: number;
  readonly #columnStart: number;
  readonly #columnEnd: number;
  readonly #bytes: number;
  /** Where the terms lie that are the same along a row. */
  readonly #rowSlots = new Map<Term, number>();
  /** Where the elements of a row lie that later passes need again. */
  readonly #kept = new Map<Term, number>();

  constructor(loop: Loop) {
    this.#loop = loop;
    this.#steps = loop.formula.steps;
    for (const step of this.#steps) {
      const deepest = Math.max(0, ...argsOf(step).map((arg) => this.#depth[arg]!));
      this.#depth.push(step.kind === "reduce" ? deepest + 1 : deepest);
    }
    this.#zero = this.#a.constant(new Uint32Array(LANES));
    const left = loop.columns % LANES;
    this.#tail = this.#a.constant(
      Uint32Array.from({ length: LANES }, (_, i) => (i < left ? 0xffffffff : 0)),
    );
    this.#oldStack = this.#place(8);
    this.#part = this.#place(8);
    this.#rowEnd = this.#place(8);
    this.#columnStart = this.#place(8);
    this.#columnEnd = this.#place(8);
    this.#bytes = this.#place(8);
  }

  /** Bytes of the stack frame, by their offset from rsp. */
  #place(bytes: number): number {
    const align = Math.min(bytes, 32);
    const at = Math.ceil(this.#frame / align) * align;
    this.#frame = at + bytes;
    return at;
  }

  compile(): Uint8Array {
    const a = this.#a;
    const { rows, columns, parts, inputs, results } = this.#loop;
    const passes = this.#passes();
    // The frame's size is known when the code inside is written: the prologue is a function of it.
    const saved = [rbx, rbp, r12, r13, r14, r15];
    const [enter, inner] = [a.label(), a.label()];
    a.jump(enter);
    a.bind(inner);

    const free = [rbx, rbp, r12, r13, r14, r15, rsi, r9, r10, r11];
    const elementwise = [
      ...inputs.map(({ access }) => access.along === 1),
      ...results.map(({ form }) => form !== "rows"),
    ];
    for (const element of elementwise)
      this.#bases.push((element ? free.pop() : undefined) ?? -this.#place(8) - 1);

    // rdi: operands' addresses; r8: the row; rcx: the column.
    const rowsAPart = Math.ceil(rows / parts);
    const columnsAPart =
      rows === 1 ? Math.ceil(Math.ceil(columns / parts) / LANES) * LANES : columns;
    const whole = columns - (columns % LANES);
    this.#zeroSums();
    if (rows === 1) {
      a.movImmediate(r8, 0);
    } else {
      a.mov(rax, { base: rsp, offset: this.#part });
      a.multiply(r8, rax, rowsAPart);
      a.lea(rax, { base: r8, offset: rowsAPart });
      this.#atMost(rax, rows);
      a.store({ base: rsp, offset: this.#rowEnd }, rax);
    }
    const [nextRow, end] = [a.label(), a.label()];
    a.bind(nextRow);
    if (rows > 1) {
      a.arithmetic("cmp", r8, { base: rsp, offset: this.#rowEnd });
      a.jump(end, "atLeast");
    }
    this.#startRow();
    if (rows === 1 && parts > 1) {
      a.mov(rax, { base: rsp, offset: this.#part });
      a.multiply(rax, rax, columnsAPart);
      a.store({ base: rsp, offset: this.#columnStart }, rax);
      a.lea(rax, { base: rax, offset: columnsAPart });
      this.#atMost(rax, whole);
      a.store({ base: rsp, offset: this.#columnEnd }, rax);
    }
    for (const pass of passes) this.#pass(pass, whole);
    if (rows > 1) {
      a.arithmeticImmediate("add", r8, 1);
      a.jump(nextRow);
    }
    a.bind(end);
    a.mov(rsp, { base: rsp, offset: this.#oldStack });
    for (const register of saved.toReversed()) a.pop(register);
    a.vzeroupper();
    a.ret();

    a.bind(enter);
    for (const register of saved) a.push(register);
    a.mov(rax, rsp);
    const frame = Math.ceil(this.#frame / 64) * 64;
    a.arithmeticImmediate("sub", rsp, frame);
    a.arithmeticImmediate("and", rsp, -64);
    a.store({ base: rsp, offset: this.#oldStack }, rax);
    a.store({ base: rsp, offset: this.#part }, rsi);
    a.jump(inner);
    return a.finish();
  }

  /** A register's number, limited. */
  #atMost(register: Gpr, most: number): void {
    const a = this.#a;
    const fits = a.label();
    a.arithmeticImmediate("cmp", register, most);
    a.jump(fits, "less");
    a.movImmediate(register, most);
    a.bind(fits);
  }

  // ---- what is computed when ---------------------------------------------------------------------------------------

  /** What each pass computes along a row, and before it once for the row. */
  #passes(): Pass[] {
    const { results } = this.#loop;
    const steps = this.#steps;
    const needed = new Set<Term>();
    const stack = results.map(({ term }) => term);
    for (let term = stack.pop(); term !== undefined; term = stack.pop()) {
      if (needed.has(term)) continue;
      needed.add(term);
      stack.push(...argsOf(steps[term]!));
    }
    const inOrder = [...needed].sort((x, y) => x - y);
    const reduces = inOrder.filter((term) => steps[term]!.kind === "reduce");
    const last = Math.max(
      0,
      ...reduces.map((term) => this.#depth[term]! - 1),
      ...results.map(({ term, form }) =>
        form === "rows" ? this.#depth[term]! - 1 : this.#depth[term]!,
      ),
    );

    const computedIn = new Map<Term, number>();
    const passes: Pass[] = [];
    const bytes = 4 * Math.ceil(this.#loop.columns / LANES) * LANES;
    const cost = (term: Term): number => {
      let count = 0;
      const stack = [term];
      for (let next = stack.pop(); next !== undefined && count <= CHEAP; next = stack.pop()) {
        const step = steps[next]!;
        if (step.extent === "row" || step.kind === "input" || this.#kept.has(next)) continue;
        count++;
        stack.push(...argsOf(step));
      }
      return count;
    };
    for (let depth = 0; depth <= last; depth++) {
      const found = reduces.filter((term) => this.#depth[term] === depth + 1);
      const stored = depth === last ? results.filter(({ form }) => form !== "rows") : [];
      const terms = new Set<Term>();
      const keep: Term[] = [];
      const visit = (term: Term): void => {
        const step = steps[term]!;
        if (step.extent === "row" || terms.has(term)) return;
        const before = computedIn.get(term);
        if (before !== undefined && before < depth) {
          if (this.#kept.has(term)) return;
          if (
            step.kind !== "input" &&
            cost(term) > CHEAP &&
            (this.#kept.size + 1) * bytes <= MOST_KEPT
          ) {
            this.#kept.set(term, this.#place(bytes));
            passes[before]!.keep.push(term);
            return;
          }
        }
        for (const arg of argsOf(step)) visit(arg);
        terms.add(term);
        if (before === undefined) computedIn.set(term, depth);
      };
      for (const term of found) visit(argsOf(steps[term]!)[0]!);
      for (const { term } of stored) visit(term);
      const rowTerms = inOrder.filter(
        (term) =>
          steps[term]!.extent === "row" &&
          steps[term]!.kind !== "reduce" &&
          steps[term]!.kind !== "constant" &&
          this.#depth[term] === depth,
      );
      passes.push({ elements: [...terms], keep, reduces: found, stored, rowTerms });
    }
    const beyond = inOrder.filter(
      (term) =>
        steps[term]!.extent === "row" &&
        steps[term]!.kind !== "reduce" &&
        steps[term]!.kind !== "constant" &&
        this.#depth[term]! > last,
    );
    for (const term of inOrder)
      if (steps[term]!.extent === "row" && steps[term]!.kind !== "constant")
        this.#rowSlots.set(term, this.#place(32));
    passes.push({ elements: [], keep: [], reduces: [], stored: [], rowTerms: beyond });
    return passes;
  }

  // ---- operands ----------------------------------------------------------------------------------------------------

  #input(i: number): KernelInput {
    return this.#loop.inputs[i]!;
  }

  /** Loads an operand's address of the present row. */
  #base(operand: number): Gpr {
    const base = this.#bases[operand]!;
    if (base >= 0) return base;
    this.#a.mov(rax, { base: rsp, offset: -base - 1 });
    return rax;
  }

  #element(operand: number, dtype: DType): Address {
    return { base: this.#base(operand), index: rcx, scale: bytesOf(dtype) };
  }

  /** Sums over rows begin at 0. */
  #zeroSums(): void {
    const a = this.#a;
    const { results, inputs, columns } = this.#loop;
    results.forEach(({ form }, i) => {
      if (form !== "sums") return;
      a.mov(rax, { base: rsp, offset: this.#part });
      a.multiply(rax, rax, 4 * columns);
      a.arithmetic("add", rax, { base: rdi, offset: 8 * (inputs.length + i) });
      this.#setBase(inputs.length + i, rax);
      const next = a.label();
      const zero = 0;
      a.two("vmovups", zero, this.#zero);
      a.movImmediate(rcx, 0);
      const whole = columns - (columns % LANES);
      if (whole > 0) {
        a.bind(next);
        a.vstore(this.#element(inputs.length + i, "float32"), zero);
        a.arithmeticImmediate("add", rcx, LANES);
        a.arithmeticImmediate("cmp", rcx, whole);
        a.jump(next, "less");
      }
      if (whole < columns) {
        a.two("vmovups", 1, this.#tail);
        a.vmaskStore(this.#element(inputs.length + i, "float32"), 1, zero);
      }
    });
  }

  #setBase(operand: number, from: Gpr): void {
    const base = this.#bases[operand]!;
    if (base >= 0) this.#a.mov(base, from);
    else this.#a.store({ base: rsp, offset: -base - 1 }, from);
  }

  /** The addresses of the row r8 of all operands. */
  #startRow(): void {
    const a = this.#a;
    const { inputs, results, columns, rows } = this.#loop;
    inputs.forEach(({ dtype, access }, i) => {
      const bytes = bytesOf(dtype);
      const turning = access.rows.filter(({ size }) => size > 1);
      const at = { base: rdi, offset: 8 * i };
      if (turning.every(({ stride }) => stride === 0)) {
        a.mov(rax, at);
      } else if (turning.length === 1) {
        a.multiply(rax, r8, turning[0]!.stride * bytes);
        a.arithmetic("add", rax, at);
      } else {
        // The row's index in each dimension, from the innermost.
        a.mov(rcx, at);
        a.mov(rax, r8);
        for (const { size, stride } of turning.toReversed()) {
          a.store({ base: rsp, offset: this.#bytes }, r8);
          a.movImmediate(rdx, 0);
          a.movImmediate(r8, size);
          a.divide(r8);
          a.mov(r8, { base: rsp, offset: this.#bytes });
          a.multiply(rdx, rdx, stride * bytes);
          a.arithmetic("add", rcx, rdx);
        }
        a.mov(rax, rcx);
      }
      this.#setBase(i, rax);
    });
    results.forEach(({ form, dtype }, i) => {
      const operand = inputs.length + i;
      if (form === "sums") return;
      const stride = form === "elements" ? columns : 1;
      if (rows === 1) {
        a.mov(rax, { base: rdi, offset: 8 * operand });
      } else {
        a.multiply(rax, r8, stride * bytesOf(dtype));
        a.arithmetic("add", rax, { base: rdi, offset: 8 * operand });
      }
      this.#setBase(operand, rax);
    });
  }

  // ---- passes ------------------------------------------------------------------------------------------------------

  #pass(pass: Pass, whole: number): void {
    const a = this.#a;
    this.#rowTerms(pass.rowTerms);
    if (pass.elements.length === 0 && pass.reduces.length === 0 && pass.stored.length === 0) return;
    const { rows, columns, parts } = this.#loop;
    const divided = rows === 1 && parts > 1;

    const sums = pass.reduces.map((term, i) => ({ term, register: 15 - i }));
    if (sums.length > 4) throw new RangeError("kernel: more than four sums in one pass");
    for (const { term, register } of sums)
      a.two("vmovups", register, this.#neutral(this.#steps[term]!));
    if (divided) a.mov(rcx, { base: rsp, offset: this.#columnStart });
    else a.movImmediate(rcx, 0);
    if (whole > 0) {
      const [next, done] = [a.label(), a.label()];
      if (divided) {
        a.arithmetic("cmp", rcx, { base: rsp, offset: this.#columnEnd });
        a.jump(done, "atLeast");
      }
      a.bind(next);
      this.#elements(pass, sums, undefined);
      a.arithmeticImmediate("add", rcx, LANES);
      if (divided) a.arithmetic("cmp", rcx, { base: rsp, offset: this.#columnEnd });
      else a.arithmeticImmediate("cmp", rcx, whole);
      a.jump(next, "less");
      a.bind(done);
    }
    if (whole < columns) {
      const skip = a.label();
      if (divided) {
        a.mov(rax, { base: rsp, offset: this.#part });
        a.arithmeticImmediate("cmp", rax, parts - 1);
        a.jump(skip, "notEqual");
        a.movImmediate(rcx, whole);
      }
      const mask = 15 - sums.length;
      a.two("vmovups", mask, this.#tail);
      this.#elements(pass, sums, mask);
      a.bind(skip);
    }
    for (const { term, register } of sums) this.#finishReduce(term, register);
  }

  #neutral(step: Step): ReturnType<Assembler["constant"]> {
    const largest = step.kind === "reduce" && step.by === "max";
    return largest ? this.#a.constant(new Float32Array(LANES).fill(-Infinity)) : this.#zero;
  }

  #elements(
    pass: Pass,
    sums: readonly { term: Term; register: Ymm }[],
    mask: Ymm | undefined,
  ): void {
    const a = this.#a;
    const { inputs, results } = this.#loop;
    const sinks: Sink[] = [];
    for (const term of pass.keep)
      sinks.push({ term, use: (from) => a.vstore(this.#scratch(this.#kept.get(term)!), from) });
    for (const { term, register } of sums) {
      const step = this.#steps[term]!;
      const largest = step.kind === "reduce" && step.by === "max";
      sinks.push({
        term: argsOf(step)[0]!,
        use: (from, registers) => {
          let value = from;
          if (mask !== undefined) {
            value = registers.spare();
            if (largest) {
              a.two("vmovups", value, this.#neutral(step));
              a.vblendvps(value, value, from, mask);
            } else a.three("vandps", value, from, mask);
          }
          if (largest) this.#larger(register, value, registers.spares()[1]);
          else a.three("vaddps", register, register, value);
        },
      });
    }
    for (const result of pass.stored) {
      const operand = inputs.length + results.indexOf(result);
      sinks.push({
        term: result.term,
        use: (from, registers) => this.#store(result, operand, from, registers, mask),
      });
    }
    const count = 16 - sums.length - (mask === undefined ? 0 : 1);
    const home = (term: Term): Home | undefined => {
      const step = this.#steps[term]!;
      if (step.kind === "input" && step.extent === "element")
        return this.#inputHome(step.input, mask);
      const kept = pass.elements.includes(term) ? undefined : this.#kept.get(term);
      if (kept !== undefined) return { kind: "memory", at: this.#scratch(kept) };
      return this.#rowHome(term);
    };
    const order = pass.elements.filter((term) => this.#steps[term]!.kind !== "input");
    new Registers(a, this.#steps, home, () => this.#place(32), count).run(order, sinks);
  }

  #scratch(at: number): Address {
    return { base: rsp, index: rcx, scale: 4, offset: at };
  }

  #inputHome(operand: number, mask: Ymm | undefined): Home {
    const a = this.#a;
    const { dtype } = this.#input(operand);
    if (dtype === "bool")
      return {
        kind: "load",
        load: (to) => {
          if (mask === undefined) a.two("vpmovzxbd", to, this.#element(operand, dtype));
          else {
            this.#copyBytes(operand, "load");
            a.two("vpmovzxbd", to, { base: rsp, offset: this.#bytes });
          }
          a.three("vpcmpgtd", to, to, this.#zero);
        },
      };
    if (mask !== undefined)
      return { kind: "load", load: (to) => a.vmaskLoad(to, mask, this.#element(operand, dtype)) };
    const base = this.#bases[operand]!;
    // An address that is not in a register is brought to rax, just before the instruction that reads it.
    if (base >= 0) return { kind: "memory", at: this.#element(operand, dtype) };
    return { kind: "load", load: (to) => a.two("vmovups", to, this.#element(operand, dtype)) };
  }

  /** The last, fewer than eight, bytes of a row to or from the stack. */
  #copyBytes(operand: number, direction: "load" | "store"): void {
    const a = this.#a;
    const base = this.#base(operand);
    for (let i = 0; i < this.#loop.columns % LANES; i++) {
      const there = { base, index: rcx, scale: 1, offset: i } as const;
      const here = { base: rsp, offset: this.#bytes + i };
      a.movByte(rdx, direction === "load" ? there : here);
      a.storeByte(direction === "load" ? here : there, rdx);
    }
  }

  #store(
    { dtype, form }: KernelResult,
    operand: number,
    from: Ymm,
    registers: Registers,
    mask: Ymm | undefined,
  ): void {
    const a = this.#a;
    if (form === "sums") {
      const to = registers.spare();
      const at = this.#element(operand, dtype);
      if (mask === undefined) {
        a.three("vaddps", to, from, at);
        a.vstore(at, to);
      } else {
        a.vmaskLoad(to, mask, at);
        a.three("vaddps", to, to, from);
        a.vmaskStore(at, mask, to);
      }
    } else if (dtype === "bool") {
      const [low, high] = registers.spares();
      a.shift("vpsrld", low, from, 31);
      a.vextractUpper(high, low);
      a.threeHalf("vpackssdw", low, low, high);
      a.threeHalf("vpacksswb", low, low, low);
      if (mask === undefined) a.vstoreLow(this.#element(operand, dtype), low);
      else {
        a.vstoreLow({ base: rsp, offset: this.#bytes }, low);
        this.#copyBytes(operand, "store");
      }
    } else if (mask === undefined) a.vstore(this.#element(operand, dtype), from);
    else a.vmaskStore(this.#element(operand, dtype), mask, from);
  }

  // ---- what is the same along a row --------------------------------------------------------------------------------

  #rowHome(term: Term): Home | undefined {
    const step = this.#steps[term]!;
    if (step.kind === "constant")
      return { kind: "memory", at: this.#a.constant(new Uint32Array(LANES).fill(step.bits)) };
    const slot = this.#rowSlots.get(term);
    return slot === undefined ? undefined : { kind: "memory", at: { base: rsp, offset: slot } };
  }

  /** Computes terms that are the same along a row, and stores those of them that are results. */
  #rowTerms(terms: readonly Term[]): void {
    const a = this.#a;
    if (terms.length === 0) return;
    const own = new Set(terms);
    for (const term of terms) {
      const step = this.#steps[term]!;
      if (step.kind !== "input") continue;
      this.#broadcast(step.input, 0);
      a.vstore({ base: rsp, offset: this.#rowSlots.get(term)! }, 0);
    }
    const computed = terms.filter((term) => this.#steps[term]!.kind !== "input");
    const isInput = (term: Term): boolean => this.#steps[term]!.kind === "input";
    const home = (term: Term): Home | undefined =>
      own.has(term) && !isInput(term) ? undefined : this.#rowHome(term);
    const sinks = computed.map((term) => ({
      term,
      use: (from: Ymm) => a.vstore({ base: rsp, offset: this.#rowSlots.get(term)! }, from),
    }));
    new Registers(a, this.#steps, home, () => this.#place(32), 16).run(computed, sinks);
    for (const term of terms) this.#storeRow(term, 0);
  }

  #broadcast(operand: number, to: Ymm): void {
    const a = this.#a;
    const { dtype } = this.#input(operand);
    const base = this.#base(operand);
    if (dtype !== "bool") {
      a.two("vbroadcastss", to, { base });
      return;
    }
    a.movByte(rdx, { base });
    a.store({ base: rsp, offset: this.#bytes }, rdx);
    a.two("vbroadcastss", to, { base: rsp, offset: this.#bytes });
    a.three("vpcmpgtd", to, to, this.#zero);
  }

  /** The larger of two registers, in the first; NaN where one is. */
  #larger(register: Ymm, other: Ymm, spare: Ymm): void {
    const a = this.#a;
    a.vcmpps(spare, other, other, predicates.unordered);
    // The second operand is returned where one is NaN.
    a.three("vmaxps", register, other, register);
    a.vblendvps(register, register, other, spare);
  }

  /** Puts the eight sums or maxima of a register together to one, in all places. */
  #finishReduce(term: Term, register: Ymm): void {
    const a = this.#a;
    const step = this.#steps[term]!;
    const [other, spare] = [0, 1];
    const join = (): void => {
      if (step.kind === "reduce" && step.by === "max") this.#larger(register, other, spare);
      else a.three("vaddps", register, register, other);
    };
    a.vpermHalves(other, register, register, 1, 0);
    join();
    a.vshufps(other, register, register, 0b01_00_11_10);
    join();
    a.vshufps(other, register, register, 0b10_11_00_01);
    join();
    a.vstore({ base: rsp, offset: this.#rowSlots.get(term)! }, register);
    this.#storeRow(term, register);
  }

  /** Stores a term that is a result with one element a row. */
  #storeRow(term: Term, spare: Ymm): void {
    const a = this.#a;
    const { results, inputs } = this.#loop;
    results.forEach((result, i) => {
      if (result.form !== "rows" || result.term !== term) return;
      a.two("vmovups", spare, { base: rsp, offset: this.#rowSlots.get(term)! });
      a.vstoreOne({ base: this.#base(inputs.length + i) }, spare);
    });
  }
}

interface Pass {
  /** Terms to compute along the row, each after its arguments. */
  readonly elements: readonly Term[];
  /** Those of them that later passes need again. */
  readonly keep: Term[];
  readonly reduces: readonly Term[];
  readonly stored: readonly KernelResult[];
  /** What to compute once for the row before. */
  readonly rowTerms: readonly Term[];
}
