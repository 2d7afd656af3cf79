/** Loop → machine code: rows of elements, eight at a time, in several passes where a sum or maximum is needed first. */

import {
  Assembler,
  r12,
  r13,
  r14,
  r15,
  r8,
  rax,
  rbp,
  rbx,
  rcx,
  rsi,
  rsp,
  type Address,
  type Constant,
  type Gpr,
  type Label,
  type Ymm,
} from "./assembler.ts";
import { argsOf, type Step, type Term } from "./formula.ts";
import { LANES, laneMask } from "./lanes.ts";
import type { Loop } from "./loop.ts";
import { Operands } from "./operands.ts";
import { bytesOfRow, planPasses, type Pass, type Plan } from "./passes.ts";
import { finishReduce, neutral, reduce, type Reduction } from "./reductions.ts";
import { Registers, type Home, type Sink } from "./registers.ts";
import { StackFrame } from "./stack-frame.ts";

/** Registers that callers want back as they were. */
const SAVED: readonly Gpr[] = [rbx, rbp, r12, r13, r14, r15];
const VECTORS = 16;
/** Registers that hold sums or maxima while a pass runs, at most. */
const MOST_REDUCES = 4;
/** Registers that passes have for what they compute, at least. */
const FEWEST_FREE = 4;

/** A sum or maximum, and the register that has eight parts of it. */
interface Running {
  readonly term: Term;
  /** What it is reduced from. */
  readonly of: Term;
  readonly by: Reduction;
  readonly register: Ymm;
}

/** Registers for what is computed, and those behind them that hold what is the same along a row. */
interface Room {
  readonly count: number;
  readonly residents: ReadonlyMap<Term, Ymm>;
}

/** The machine code of a loop; see `Kernel.code`. */
export function compileLoop(loop: Loop): Uint8Array {
  const trial = new LoopCompiler(loop);
  const code = trial.compile();
  if (!loop.formula.steps.some(({ extent }) => extent === "row")) return code;
  // How many registers each pass leaves for what is the same along a row is known only now.
  return new LoopCompiler(loop, trial.peaks).compile();
}

/** Emits the code. Throughout, r8 is the row and rcx the column; `Operands` says what else is where. */
class LoopCompiler {
  readonly #loop: Loop;
  readonly #steps: readonly Step[];
  readonly #plan: Plan;
  readonly #a = new Assembler();
  readonly #tail: Constant;
  readonly #frame = new StackFrame();
  readonly #oldStack = this.#frame.place(8);
  /** The number of the part; the end of its rows, or the columns that it has of a single row. */
  readonly #part = this.#frame.place(8);
  readonly #rowEnd = this.#frame.place(8);
  readonly #columnStart = this.#frame.place(8);
  readonly #columnEnd = this.#frame.place(8);
  readonly #operands: Operands;
  /** Where the terms lie that are the same along a row. */
  readonly #rowSlots = new Map<Term, Address>();
  /** Where the elements of a row lie that later passes need again. */
  readonly #kept = new Map<Term, Address>();
  /** Columns in whole vectors. */
  readonly #whole: number;
  /** Whether parts share the columns of a single row. */
  readonly #dividesColumns: boolean;
  /** How many registers each pass needs for what it computes, as an earlier compilation found. */
  readonly #needed: readonly number[];
  /** The same as this compilation finds. */
  readonly peaks: number[] = [];

  constructor(loop: Loop, needed: readonly number[] = []) {
    this.#needed = needed;
    const { columns, rows, parts, formula } = loop;
    this.#loop = loop;
    this.#steps = formula.steps;
    this.#whole = columns - (columns % LANES);
    this.#dividesColumns = rows === 1 && parts > 1;
    this.#plan = planPasses(loop);
    const spare = this.#frame.place(8);
    for (const term of this.#plan.kept)
      this.#kept.set(term, this.#frame.place(bytesOfRow(columns)));
    for (const term of this.#plan.rowTerms) this.#rowSlots.set(term, this.#frame.place(32));
    this.#operands = new Operands(this.#a, loop, this.#frame, this.#part, spare);
    this.#tail = this.#a.constant(laneMask(columns % LANES));
  }

  compile(): Uint8Array {
    const a = this.#a;
    const [enter, body] = [a.label(), a.label()];
    a.jump(enter);
    a.bind(body);
    this.#operands.startSums();
    this.#rows();
    this.#leave();
    // How much of the stack the body takes is known after it.
    a.bind(enter);
    this.#enter(body);
    return a.finish();
  }

  #enter(body: Label): void {
    const a = this.#a;
    for (const register of SAVED) a.push(register);
    a.mov(rax, rsp);
    a.arithmeticImmediate("sub", rsp, this.#frame.bytes);
    a.arithmeticImmediate("and", rsp, -64);
    a.store(this.#oldStack, rax);
    a.store(this.#part, rsi);
    a.jump(body);
  }

  #leave(): void {
    const a = this.#a;
    a.mov(rsp, this.#oldStack);
    for (const register of SAVED.toReversed()) a.pop(register);
    a.vzeroupper();
    a.ret();
  }

  /** The passes over each row of the part. */
  #rows(): void {
    const a = this.#a;
    const { rows, parts } = this.#loop;
    if (rows === 1) {
      a.movImmediate(r8, 0);
      this.#operands.startRow();
      if (this.#dividesColumns) this.#startColumns();
      this.#passes();
      return;
    }
    const [nextRow, end] = [a.label(), a.label()];
    const rowsAPart = Math.ceil(rows / parts);
    a.mov(rax, this.#part);
    a.multiply(r8, rax, rowsAPart);
    a.lea(rax, { base: r8, offset: rowsAPart });
    this.#limit(rax, rows);
    a.store(this.#rowEnd, rax);
    a.bind(nextRow);
    a.arithmetic("cmp", r8, this.#rowEnd);
    a.jump(end, "atLeast");
    this.#operands.startRow();
    this.#passes();
    a.arithmeticImmediate("add", r8, 1);
    a.jump(nextRow);
    a.bind(end);
  }

  /** Which whole vectors of a single row belong to the part; what is left over belongs to the last part. */
  #startColumns(): void {
    const a = this.#a;
    const { columns, parts } = this.#loop;
    const columnsAPart = Math.ceil(Math.ceil(columns / parts) / LANES) * LANES;
    a.mov(rax, this.#part);
    a.multiply(rax, rax, columnsAPart);
    a.store(this.#columnStart, rax);
    a.lea(rax, { base: rax, offset: columnsAPart });
    this.#limit(rax, this.#whole);
    a.store(this.#columnEnd, rax);
  }

  /** Makes a register's number at most `most`. */
  #limit(register: Gpr, most: number): void {
    const a = this.#a;
    const fits = a.label();
    a.arithmeticImmediate("cmp", register, most);
    a.jump(fits, "less");
    a.movImmediate(register, most);
    a.bind(fits);
  }

  // ---- passes ------------------------------------------------------------------------------------------------------

  #passes(): void {
    this.#plan.passes.forEach((pass, i) => this.#pass(pass, i));
  }

  #pass(pass: Pass, place: number): void {
    const a = this.#a;
    this.#rowTerms(pass.rowTerms);
    if (pass.elements.length === 0 && pass.reduces.length === 0 && pass.stored.length === 0) return;
    const { columns, parts } = this.#loop;
    const whole = this.#whole;

    const running = pass.reduces.map((term, i): Running => {
      const step = this.#steps[term] as Extract<Step, { kind: "reduce" }>;
      return { term, of: step.args[0], by: step.by, register: VECTORS - 1 - i };
    });
    if (running.length > MOST_REDUCES)
      throw new RangeError(`kernel: more than ${MOST_REDUCES} sums in one pass`);
    for (const { by, register } of running) a.two("vmovups", register, neutral(a, by));
    // The registers behind those for what is computed: constants, a mask, sums.
    const mask = whole < columns ? VECTORS - 1 - running.length : undefined;
    const top = mask ?? VECTORS - running.length;
    const residents = this.#residents(pass, place, top);
    for (const [term, register] of residents) a.two("vmovups", register, this.#rowHome(term)!.at);
    const elements = (valid: Ymm | undefined): void => {
      const peak = this.#elements(pass, running, {
        mask: valid,
        residents,
        count: top - residents.size,
      });
      this.peaks[place] = Math.max(this.peaks[place] ?? 0, peak);
    };
    if (this.#dividesColumns) a.mov(rcx, this.#columnStart);
    else a.movImmediate(rcx, 0);
    if (whole > 0) {
      const [next, done] = [a.label(), a.label()];
      if (this.#dividesColumns) {
        a.arithmetic("cmp", rcx, this.#columnEnd);
        a.jump(done, "atLeast");
      }
      a.bind(next);
      elements(undefined);
      a.arithmeticImmediate("add", rcx, LANES);
      if (this.#dividesColumns) a.arithmetic("cmp", rcx, this.#columnEnd);
      else a.arithmeticImmediate("cmp", rcx, whole);
      a.jump(next, "less");
      a.bind(done);
    }
    if (mask !== undefined) {
      const skip = a.label();
      if (this.#dividesColumns) {
        a.mov(rax, this.#part);
        a.arithmeticImmediate("cmp", rax, parts - 1);
        a.jump(skip, "notEqual");
        a.movImmediate(rcx, whole);
      }
      a.two("vmovups", mask, this.#tail);
      elements(mask);
      a.bind(skip);
    }
    for (const each of running) this.#finishReduce(each);
  }

  /** What is the same along a row and has a register during a pass: what is read most often, as far as there is room. */
  #residents(pass: Pass, place: number, top: number): ReadonlyMap<Term, Ymm> {
    const needed = this.#needed[place];
    if (needed === undefined) return new Map();
    const reads = new Map<Term, number>();
    for (const term of pass.elements)
      for (const arg of argsOf(this.#steps[term]!))
        if (this.#steps[arg]!.extent === "row") reads.set(arg, (reads.get(arg) ?? 0) + 1);
    const room = Math.max(0, top - Math.max(needed + 1, FEWEST_FREE));
    const chosen = [...reads].sort(([, a], [, b]) => b - a).slice(0, room);
    return new Map(chosen.map(([term], i) => [term, top - 1 - i]));
  }

  /** Eight elements of a pass, at the end of a row those that `mask` has; returns how many registers that took. */
  #elements(
    pass: Pass,
    running: readonly Running[],
    { mask, ...room }: Room & { readonly mask: Ymm | undefined },
  ): number {
    const a = this.#a;
    const sinks: Sink[] = [
      ...pass.keep.map((term) => ({
        term,
        use: (from: Ymm) => a.vstore(this.#keptElements(this.#kept.get(term)!), from),
      })),
      ...running.map(({ of, by, register }) => ({
        term: of,
        use: (from: Ymm, registers: Registers) => reduce(a, by, register, from, registers, mask),
      })),
      ...pass.stored.map((result) => ({
        term: result.term,
        use: (from: Ymm, registers: Registers) =>
          this.#operands.store(this.#loop.results.indexOf(result), from, registers, mask),
      })),
    ];
    const home = (term: Term): Home | undefined => {
      const step = this.#steps[term]!;
      if (step.kind === "input" && step.extent === "element")
        return this.#operands.elements(step.input, mask);
      const kept = pass.elements.includes(term) ? undefined : this.#kept.get(term);
      if (kept !== undefined) return { kind: "memory", at: this.#keptElements(kept) };
      return this.#rowHome(term);
    };
    return this.#compute(pass.elements, sinks, home, room);
  }

  #keptElements(row: Address): Address {
    return { ...row, index: rcx, scale: 4 };
  }

  /** Computes terms, but inputs, in the first vector registers; returns how many it took. */
  #compute(
    terms: readonly Term[],
    sinks: readonly Sink[],
    home: (term: Term) => Home | undefined,
    room: Room,
  ): number {
    const computed = terms.filter((term) => this.#steps[term]!.kind !== "input");
    const newSlot = (): Address => this.#frame.place(32);
    const registers = new Registers(this.#a, this.#steps, { home, newSlot, ...room });
    registers.run(computed, sinks);
    return registers.peak;
  }

  // ---- sums and maxima ---------------------------------------------------------------------------------------------

  /** Puts the parts of a sum or maximum together, and stores it. */
  #finishReduce({ term, by, register }: Running): void {
    finishReduce(this.#a, by, register);
    this.#a.vstore(this.#rowSlots.get(term)!, register);
    this.#storeOne(term, register);
  }

  // ---- what is the same along a row --------------------------------------------------------------------------------

  #rowHome(term: Term): (Home & { readonly kind: "memory" }) | undefined {
    const step = this.#steps[term]!;
    if (step.kind === "constant")
      return { kind: "memory", at: this.#a.constant(new Uint32Array(LANES).fill(step.bits)) };
    const slot = this.#rowSlots.get(term);
    return slot === undefined ? undefined : { kind: "memory", at: slot };
  }

  /** Computes terms that are the same along a row, and stores those of them that are results. */
  #rowTerms(terms: readonly Term[]): void {
    const a = this.#a;
    if (terms.length === 0) return;
    for (const term of terms) {
      const step = this.#steps[term]!;
      if (step.kind !== "input") continue;
      this.#operands.broadcast(step.input, 0);
      a.vstore(this.#rowSlots.get(term)!, 0);
    }
    const computed = new Set(terms.filter((term) => this.#steps[term]!.kind !== "input"));
    const sinks = [...computed].map((term) => ({
      term,
      use: (from: Ymm) => a.vstore(this.#rowSlots.get(term)!, from),
    }));
    const home = (term: Term): Home | undefined =>
      computed.has(term) ? undefined : this.#rowHome(term);
    this.#compute(terms, sinks, home, { count: VECTORS, residents: new Map() });
    for (const term of terms) this.#storeOne(term, 0);
  }

  /** Stores a term that is a result with one element a row. */
  #storeOne(term: Term, spare: Ymm): void {
    this.#loop.results.forEach((result, i) => {
      if (result.form !== "rows" || result.term !== term) return;
      this.#a.two("vmovups", spare, this.#rowSlots.get(term)!);
      this.#operands.storeOne(i, spare);
    });
  }
}
