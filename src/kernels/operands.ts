/** How a loop's code reads inputs and writes results: addresses row after row, and elements of every dtype at a column. */

import type { DType } from "../graph/dtype.ts";
import {
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
  type Address,
  type Assembler,
  type Constant,
  type Gpr,
  type Ymm,
} from "./assembler.ts";
import { LANES, laneMask } from "./lanes.ts";
import { bytesOf, type Access, type Loop } from "./loop.ts";
import type { Home, Registers } from "./registers.ts";
import type { StackFrame } from "./stack-frame.ts";

/** Registers that may hold operands' addresses. */
const POINTERS: readonly Gpr[] = [rbx, rbp, r12, r13, r14, r15, rsi, r9, r10, r11];

/**
 * The operands of a loop, inputs before results. In its code rdi has the array of their addresses, r8 the row and rcx the
 * column; rax and rdx may be overwritten. Where a `mask` is given, it has ones for the elements that end the row.
 */
export class Operands {
  readonly #a: Assembler;
  readonly #loop: Loop;
  /** Where the number of the part is. */
  readonly #part: Address;
  /** Where each operand's address of the row is. */
  readonly #bases: readonly (Gpr | Address)[];
  /** Eight bytes for what moves between general and vector registers. */
  readonly #spare: Address;
  readonly #zero: Constant;

  constructor(a: Assembler, loop: Loop, frame: StackFrame, part: Address, spare: Address) {
    this.#a = a;
    this.#loop = loop;
    this.#part = part;
    this.#spare = spare;
    this.#zero = a.constant(laneMask(0));
    const free = [...POINTERS];
    // What is read or written once a row does without a register.
    const alongRow = [
      ...loop.inputs.map(({ access }) => access.along === 1),
      ...loop.results.map(({ form }) => form !== "rows"),
    ];
    this.#bases = alongRow.map((along) => (along ? free.pop() : undefined) ?? frame.place(8));
  }

  // ---- addresses ---------------------------------------------------------------------------------------------------

  /** The register with an operand's address of the row, rax where it has none of its own. */
  #base(operand: number): Gpr {
    const base = this.#bases[operand]!;
    if (typeof base === "number") return base;
    this.#a.mov(rax, base);
    return rax;
  }

  #setBase(operand: number, from: Gpr): void {
    const base = this.#bases[operand]!;
    if (typeof base === "number") this.#a.mov(base, from);
    else this.#a.store(base, from);
  }

  #element(operand: number, dtype: DType): Address {
    return { base: this.#base(operand), index: rcx, scale: bytesOf(dtype) };
  }

  /** Where an operand's address is given. */
  #given = (operand: number): Address => ({ base: rdi, offset: 8 * operand });

  #resultOperand(result: number): number {
    return this.#loop.inputs.length + result;
  }

  /** Sets the addresses of sums over rows, which stay, and the sums to 0. */
  startSums(): void {
    const a = this.#a;
    const { results, columns } = this.#loop;
    const [zero, mask] = [0, 1];
    const whole = columns - (columns % LANES);
    results.forEach(({ form }, i) => {
      if (form !== "sums") return;
      const operand = this.#resultOperand(i);
      a.mov(rax, this.#part);
      a.multiply(rax, rax, 4 * columns);
      a.arithmetic("add", rax, this.#given(operand));
      this.#setBase(operand, rax);
      a.two("vmovups", zero, this.#zero);
      a.movImmediate(rcx, 0);
      if (whole > 0) {
        const next = a.label();
        a.bind(next);
        a.vstore(this.#element(operand, "float32"), zero);
        a.arithmeticImmediate("add", rcx, LANES);
        a.arithmeticImmediate("cmp", rcx, whole);
        a.jump(next, "less");
      }
      if (whole < columns) {
        a.two("vmovups", mask, a.constant(laneMask(columns - whole)));
        a.vmaskStore(this.#element(operand, "float32"), mask, zero);
      }
    });
  }

  /** Sets the addresses of the row r8. */
  startRow(): void {
    const a = this.#a;
    const { inputs, results, columns, rows } = this.#loop;
    inputs.forEach(({ dtype, access }, i) => this.#startInput(i, access, bytesOf(dtype)));
    results.forEach(({ form, dtype }, i) => {
      if (form === "sums") return;
      const operand = this.#resultOperand(i);
      const stride = form === "elements" ? columns : 1;
      if (rows === 1) {
        a.mov(rax, this.#given(operand));
      } else {
        a.multiply(rax, r8, stride * bytesOf(dtype));
        a.arithmetic("add", rax, this.#given(operand));
      }
      this.#setBase(operand, rax);
    });
  }

  #startInput(operand: number, access: Access, bytes: number): void {
    const a = this.#a;
    const dimensions = access.rows.filter(({ size }) => size > 1);
    if (dimensions.every(({ stride }) => stride === 0)) {
      a.mov(rax, this.#given(operand));
    } else if (dimensions.length === 1) {
      a.multiply(rax, r8, dimensions[0]!.stride * bytes);
      a.arithmetic("add", rax, this.#given(operand));
    } else {
      // The row's index in each dimension, from the innermost.
      a.mov(rcx, this.#given(operand));
      a.mov(rax, r8);
      for (const { size, stride } of dimensions.toReversed()) {
        a.store(this.#spare, r8);
        a.movImmediate(rdx, 0);
        a.movImmediate(r8, size);
        a.divide(r8);
        a.mov(r8, this.#spare);
        a.multiply(rdx, rdx, stride * bytes);
        a.arithmetic("add", rcx, rdx);
      }
      a.mov(rax, rcx);
    }
    this.#setBase(operand, rax);
  }

  // ---- inputs ------------------------------------------------------------------------------------------------------

  /** Where eight elements of an input are to be had. */
  elements(input: number, mask: Ymm | undefined): Home {
    const a = this.#a;
    const { dtype } = this.#loop.inputs[input]!;
    if (dtype === "bool")
      return {
        kind: "load",
        load: (to) => {
          if (mask === undefined) a.two("vpmovzxbd", to, this.#element(input, dtype));
          else {
            this.#copyBytes(input, "load");
            a.two("vpmovzxbd", to, this.#spare);
          }
          a.three("vpcmpgtd", to, to, this.#zero);
        },
      };
    if (mask !== undefined)
      return { kind: "load", load: (to) => a.vmaskLoad(to, mask, this.#element(input, dtype)) };
    // An address that is not in a register is brought to rax, just before the instruction that reads it.
    if (typeof this.#bases[input] === "number")
      return { kind: "memory", at: this.#element(input, dtype) };
    return { kind: "load", load: (to) => a.two("vmovups", to, this.#element(input, dtype)) };
  }

  /** Loads an input's one element of the row, to all places of a register. */
  broadcast(input: number, to: Ymm): void {
    const a = this.#a;
    const { dtype } = this.#loop.inputs[input]!;
    const base = this.#base(input);
    if (dtype !== "bool") {
      a.two("vbroadcastss", to, { base });
      return;
    }
    a.movByte(rdx, { base });
    a.store(this.#spare, rdx);
    a.two("vbroadcastss", to, this.#spare);
    a.three("vpcmpgtd", to, to, this.#zero);
  }

  // ---- results -----------------------------------------------------------------------------------------------------

  /** Stores eight elements, or adds them to sums over rows. */
  store(result: number, from: Ymm, registers: Registers, mask: Ymm | undefined): void {
    const a = this.#a;
    const { dtype, form } = this.#loop.results[result]!;
    const operand = this.#resultOperand(result);
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
        a.vstoreLow(this.#spare, low);
        this.#copyBytes(operand, "store");
      }
    } else if (mask === undefined) a.vstore(this.#element(operand, dtype), from);
    else a.vmaskStore(this.#element(operand, dtype), mask, from);
  }

  /** Stores a result's one element of the row. */
  storeOne(result: number, from: Ymm): void {
    this.#a.vstoreOne({ base: this.#base(this.#resultOperand(result)) }, from);
  }

  /** The last, fewer than eight, bytes of a row to or from the stack. */
  #copyBytes(operand: number, direction: "load" | "store"): void {
    const a = this.#a;
    const base = this.#base(operand);
    const { base: rsp, offset = 0 } = this.#spare;
    for (let i = 0; i < this.#loop.columns % LANES; i++) {
      const there = { base, index: rcx, scale: 1, offset: i } as const;
      const here = { base: rsp, offset: offset + i };
      a.movByte(rdx, direction === "load" ? there : here);
      a.storeByte(direction === "load" ? here : there, rdx);
    }
  }
}
