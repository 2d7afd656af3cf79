/** Puts a straight run of a formula's steps into vector registers, spilling to the stack what does not fit. */

import {
  type Address,
  type Assembler,
  type Memory,
  type Source,
  type ThreeOperand,
  type Ymm,
} from "./assembler.ts";
import { argsOf, type Step, type Term } from "./formula.ts";

/** Where a term's elements can be read again at any time, and how. */
export type Home =
  | { readonly kind: "memory"; readonly at: Memory }
  /** Has to be brought to a register by instructions of its own. */
  | { readonly kind: "load"; readonly load: (to: Ymm) => void };

/** What happens to a term at the end of a run. */
export interface Sink {
  readonly term: Term;
  readonly use: (from: Ymm, registers: Registers) => void;
}

const commutative: ReadonlySet<ThreeOperand> = new Set<ThreeOperand>([
  ...(["vaddps", "vmulps", "vandps", "vorps", "vxorps", "vpaddd", "vpmulld", "vpcmpeqd"] as const),
  ...(["vpminsd", "vpmaxsd", "vpminud", "vpmaxud"] as const),
]);

/** The vector registers during one run of steps: where there is none left, what is needed last makes room. */
export class Registers {
  readonly #a: Assembler;
  readonly #steps: readonly Step[];
  readonly #home: (term: Term) => Home | undefined;
  readonly #newSlot: () => Address;
  readonly #free: Ymm[];
  readonly #holds = new Map<Ymm, Term>();
  readonly #where = new Map<Term, Ymm>();
  readonly #spilled = new Map<Term, Address>();
  /** Places of each term's uses, the next one last. */
  readonly #uses = new Map<Term, number[]>();
  readonly #pinned = new Set<Ymm>();
  readonly #residents: ReadonlyMap<Term, Ymm>;
  readonly #count: number;
  #peak = 0;

  /**
   * `home` tells where terms that are not computed here are; `newSlot` gives 32 bytes of the stack; `count` registers from 0
   * are free; `residents` are in registers of their own behind these, and stay there.
   */
  constructor(
    a: Assembler,
    steps: readonly Step[],
    {
      home,
      newSlot,
      count,
      residents,
    }: {
      readonly home: (term: Term) => Home | undefined;
      readonly newSlot: () => Address;
      readonly count: number;
      readonly residents: ReadonlyMap<Term, Ymm>;
    },
  ) {
    this.#a = a;
    this.#steps = steps;
    this.#home = home;
    this.#newSlot = newSlot;
    this.#count = count;
    this.#free = Array.from({ length: count }, (_, i) => count - 1 - i);
    this.#residents = residents;
    for (const [term, register] of residents) this.#where.set(term, register);
  }

  /** How many of the free registers were needed at once. */
  get peak(): number {
    return this.#peak;
  }

  /** Computes the terms, each after its arguments, and then uses them. */
  run(order: readonly Term[], sinks: readonly Sink[]): void {
    const note = (term: Term, place: number): void => {
      const places = this.#uses.get(term);
      if (places === undefined) this.#uses.set(term, [place]);
      else places.unshift(place);
    };
    order.forEach((term, place) => argsOf(this.#steps[term]!).forEach((arg) => note(arg, place)));
    sinks.forEach(({ term }, i) => note(term, order.length + i));
    for (const term of order) {
      this.#compute(term, this.#steps[term]!);
      this.#pinned.clear();
    }
    for (const { term, use } of sinks) {
      use(this.#register(term), this);
      this.#used([term]);
      this.#pinned.clear();
    }
  }

  /** A register that holds nothing, until the step or sink at hand is done. */
  spare(): Ymm {
    const register = this.#allocate();
    this.#free.push(register);
    return register;
  }

  /** Two such registers. */
  spares(): readonly [Ymm, Ymm] {
    const first = this.#allocate();
    const second = this.#allocate();
    this.#free.push(first, second);
    return [first, second];
  }

  #compute(term: Term, step: Step): void {
    const a = this.#a;
    for (const arg of argsOf(step)) {
      const register = this.#where.get(arg);
      if (register !== undefined) this.#pinned.add(register);
    }
    switch (step.kind) {
      case "three": {
        const turned =
          commutative.has(step.name) &&
          !this.#where.has(step.args[0]) &&
          this.#where.has(step.args[1]);
        const [first, second] = turned ? step.args.toReversed() : step.args;
        const left = this.#register(first);
        const right = this.#source(second);
        a.three(step.name, this.#result(term, step.args), left, right);
        return;
      }
      case "two": {
        const from = this.#source(step.args[0]);
        a.two(step.name, this.#result(term, step.args), from);
        return;
      }
      case "shift": {
        const from = this.#register(step.args[0]);
        a.shift(step.name, this.#result(term, step.args), from, step.bits);
        return;
      }
      case "round": {
        const from = this.#source(step.args[0]);
        a.vroundps(this.#result(term, step.args), from, step.mode);
        return;
      }
      case "compare": {
        const left = this.#register(step.args[0]);
        const right = this.#source(step.args[1]);
        a.vcmpps(this.#result(term, step.args), left, right, step.predicate);
        return;
      }
      case "choose": {
        const [mask, yes, no] = step.args;
        const [where, otherwise] = [this.#register(mask), this.#register(no)];
        const chosen = this.#source(yes);
        a.vblendvps(this.#result(term, step.args), otherwise, chosen, where);
        return;
      }
      case "fused":
        this.#fused(term, step.negated, step.args);
        return;
      case "input":
      case "constant":
      case "reduce":
        throw new Error(`kernel: a ${step.kind} is not computed`);
    }
  }

  /** The instruction writes over one of its operands: over one that nobody needs any more, if there is one. */
  #fused(term: Term, negated: boolean, args: readonly [Term, Term, Term]): void {
    const a = this.#a;
    const [x, y, z] = args;
    if (!negated && z !== x && z !== y && this.#diesInRegister(z) && !this.#diesInRegister(x)) {
      const left = this.#register(x);
      const right = this.#source(y);
      const to = this.#where.get(z)!;
      this.#take(term, to, args);
      a.three("vfmadd231ps", to, left, right);
      return;
    }
    const turned = !this.#diesInRegister(x) && this.#diesInRegister(y);
    const [over, by] = turned ? [y, x] : [x, y];
    const name = negated ? "vfnmadd213ps" : "vfmadd213ps";
    const factor = this.#register(by);
    // Where both factors are one term its register is needed for both.
    if (over !== by && over !== z && this.#diesInRegister(over)) {
      const added = this.#source(z);
      const to = this.#where.get(over)!;
      this.#take(term, to, args);
      a.three(name, to, factor, added);
      return;
    }
    const from = this.#source(over);
    const added = this.#source(z);
    const to = this.#allocate();
    a.two("vmovups", to, from);
    this.#used(args);
    this.#hold(term, to);
    a.three(name, to, factor, added);
  }

  /** Whether the use at hand is the last one of a term that is in a register. */
  #diesInRegister(term: Term): boolean {
    const places = this.#uses.get(term)!;
    if (this.#residents.has(term)) return false;
    return this.#where.has(term) && places.every((place) => place === places.at(-1));
  }

  /** Lets a result take over the register of an argument. */
  #take(term: Term, register: Ymm, args: readonly Term[]): void {
    this.#used(args);
    this.#free.splice(this.#free.indexOf(register), 1);
    this.#hold(term, register);
  }

  /** The register for a result, which may be one of an argument that is needed no more. */
  #result(term: Term, args: readonly Term[]): Ymm {
    this.#used(args);
    const to = this.#allocate();
    this.#hold(term, to);
    return to;
  }

  #hold(term: Term, register: Ymm): void {
    this.#holds.set(register, term);
    this.#where.set(term, register);
  }

  /** Notes uses as past; registers of terms without further uses become free. */
  #used(args: readonly Term[]): void {
    for (const term of args) this.#uses.get(term)!.pop();
    for (const term of new Set(args)) {
      const register = this.#where.get(term);
      const isNeeded = this.#residents.has(term) || this.#uses.get(term)!.length > 0;
      if (register === undefined || isNeeded) continue;
      this.#where.delete(term);
      this.#holds.delete(register);
      this.#pinned.delete(register);
      this.#free.push(register);
    }
  }

  #register(term: Term): Ymm {
    let register = this.#where.get(term);
    if (register === undefined) {
      register = this.#allocate();
      const home = this.#reloaded(term);
      if (home.kind === "memory") this.#a.two("vmovups", register, home.at);
      else home.load(register);
      this.#hold(term, register);
    }
    this.#pinned.add(register);
    return register;
  }

  /** A term as the last operand of an instruction, which may lie in memory. */
  #source(term: Term): Source {
    if (this.#where.has(term)) return this.#register(term);
    const home = this.#reloaded(term);
    return home.kind === "memory" && this.#staysOut(term) ? home.at : this.#register(term);
  }

  /** Constants and what is the same along a row are operands in memory; what is read once needs no register either. */
  #staysOut(term: Term): boolean {
    return this.#steps[term]!.extent === "row" || this.#uses.get(term)!.length === 1;
  }

  #reloaded(term: Term): Home {
    const spilled = this.#spilled.get(term);
    const home: Home | undefined =
      spilled === undefined ? this.#home(term) : { kind: "memory", at: spilled };
    if (home === undefined) throw new Error(`kernel: step ${term} is used before it is computed`);
    return home;
  }

  #allocate(): Ymm {
    const free = this.#free.pop();
    this.#peak = Math.max(this.#peak, this.#count - this.#free.length);
    if (free !== undefined) return free;
    let [victim, latest] = [-1, -1];
    for (const [register, term] of this.#holds) {
      if (this.#pinned.has(register)) continue;
      const next = this.#uses.get(term)!.at(-1) ?? Infinity;
      if (next > latest) [victim, latest] = [register, next];
    }
    const term = this.#holds.get(victim)!;
    // What was read from memory may have been overwritten there when it is needed again.
    const kept = this.#steps[term]!.extent === "row" && this.#home(term) !== undefined;
    if (!kept && !this.#spilled.has(term)) {
      const at = this.#newSlot();
      this.#a.vstore(at, victim);
      this.#spilled.set(term, at);
    }
    this.#where.delete(term);
    this.#holds.delete(victim);
    return victim;
  }
}
