/**
 * Writes x86-64 machine code: the AVX2 and FMA instructions that kernels are made of, labels and constants.
 *
 * Encodings are those of Intel's Software Developer's Manual, volume 2. Operands stand in Intel's order, the result first.
 */

/** A general register by its number. */
export type Gpr = number;
export const rax = 0;
export const rcx = 1;
export const rdx = 2;
export const rbx = 3;
export const rsp = 4;
export const rbp = 5;
export const rsi = 6;
export const rdi = 7;
export const [r8, r9, r10, r11, r12, r13, r14, r15] = [8, 9, 10, 11, 12, 13, 14, 15] as const;

/** A vector register, ymm0 to ymm15, by its number; of xmm instructions its lower half. */
export type Ymm = number;

/** `[base + index·scale + offset]`. */
export interface Address {
  readonly base: Gpr;
  readonly index?: Gpr;
  readonly scale?: 1 | 2 | 4 | 8;
  readonly offset?: number;
}

/** 32 bytes of the code's own constants, by the place that `constant` gave. */
export interface Constant {
  readonly constant: number;
}

/** What lies in memory. */
export type Memory = Address | Constant;
/** The last operand of a vector instruction. */
export type Source = Ymm | Memory;

/** A place in the code to jump to; bound once. */
export interface Label {
  at: number;
}

const scaleBits = { 1: 0, 2: 1, 4: 2, 8: 3 } as const;

/** Conditions of jumps, as their opcodes' lower half. */
const conditions = { equal: 4, notEqual: 5, less: 12, atLeast: 13 };
type Condition = keyof typeof conditions;

/** Arithmetic on general registers, as the digit of its opcode. */
const digits = { add: 0, or: 1, and: 4, sub: 5, cmp: 7 };
type Arithmetic = keyof typeof digits;

/** Opcode map, mandatory prefix (0 none, 1 66, 2 F3, 3 F2) and opcode of three-operand vector instructions. */
const three = {
  vaddps: [1, 0, 0x58],
  vsubps: [1, 0, 0x5c],
  vmulps: [1, 0, 0x59],
  vdivps: [1, 0, 0x5e],
  vminps: [1, 0, 0x5d],
  vmaxps: [1, 0, 0x5f],
  vandps: [1, 0, 0x54],
  vandnps: [1, 0, 0x55],
  vorps: [1, 0, 0x56],
  vxorps: [1, 0, 0x57],
  vpaddd: [1, 1, 0xfe],
  vpsubd: [1, 1, 0xfa],
  vpmulld: [2, 1, 0x40],
  vpcmpeqd: [1, 1, 0x76],
  vpcmpgtd: [1, 1, 0x66],
  vpminsd: [2, 1, 0x39],
  vpmaxsd: [2, 1, 0x3d],
  vpminud: [2, 1, 0x3b],
  vpmaxud: [2, 1, 0x3f],
  vpackssdw: [1, 1, 0x6b],
  vpacksswb: [1, 1, 0x63],
  vpsrlvd: [2, 1, 0x45],
  vpsllvd: [2, 1, 0x47],
  vfmadd213ps: [2, 1, 0xa8],
  vfnmadd213ps: [2, 1, 0xac],
  vfmadd231ps: [2, 1, 0xb8],
  vunpcklps: [1, 0, 0x14],
  vunpckhps: [1, 0, 0x15],
} as const;
/** An instruction with two sources. */
export type ThreeOperand = keyof typeof three;

/** The same of instructions with one source. */
const two = {
  vmovups: [1, 0, 0x10],
  vsqrtps: [1, 0, 0x51],
  vcvtdq2ps: [1, 0, 0x5b],
  vcvttps2dq: [1, 2, 0x5b],
  vbroadcastss: [2, 1, 0x18],
  vpmovzxbd: [2, 1, 0x31],
} as const;
/** An instruction with one source. */
export type TwoOperand = keyof typeof two;

/** Shifts of elements by a number, as the digit of their opcode. */
const shifts = { vpsrld: 2, vpsrad: 4, vpslld: 6 } as const;
/** A shift of all elements by one number. */
export type Shift = keyof typeof shifts;

/** Takes instructions one after the other, in methods by their names, and gives their bytes. */
export class Assembler {
  readonly #code: number[] = [];
  readonly #jumps: { readonly at: number; readonly to: Label }[] = [];
  readonly #loads: { readonly at: number; readonly next: number; readonly constant: number }[] = [];
  /** 32 bytes each. */
  readonly #constants: Uint8Array[] = [];
  readonly #places = new Map<string, number>();

  /** 32 bytes that instructions may take as an operand: eight floats, or eight unsigned integers. */
  constant(values: Float32Array | Uint32Array): Constant {
    if (values.byteLength !== 32) throw new RangeError("assembler: a constant has 32 bytes");
    const bytes = new Uint8Array(values.slice().buffer);
    const key = bytes.join();
    let place = this.#places.get(key);
    if (place === undefined) {
      place = this.#constants.push(bytes) - 1;
      this.#places.set(key, place);
    }
    return { constant: place };
  }

  label(): Label {
    return { at: -1 };
  }

  /** Where `jump` to the label continues. */
  bind(label: Label): void {
    label.at = this.#code.length;
  }

  /** The code, its constants behind it; it may lie anywhere at a multiple of 32 bytes. */
  finish(): Uint8Array {
    const start = Math.ceil(this.#code.length / 32) * 32;
    const bytes = new Uint8Array(start + 32 * this.#constants.length);
    bytes.set(this.#code);
    this.#constants.forEach((constant, i) => bytes.set(constant, start + 32 * i));
    const view = new DataView(bytes.buffer);
    for (const { at, to } of this.#jumps) {
      if (to.at < 0) throw new Error("assembler: a jump to a label that was not bound");
      view.setInt32(at, to.at - (at + 4), true);
    }
    for (const { at, next, constant } of this.#loads)
      view.setInt32(at, start + 32 * constant - next, true);
    return bytes;
  }

  // ---- general registers -------------------------------------------------------------------------------------------

  /** Moves a register, 64 bits from memory, or a number of 32 bits to a register. */
  mov(to: Gpr, from: Gpr | Address): void {
    if (typeof from === "number") this.#general(from, [0x89], to);
    else this.#general(to, [0x8b], from);
  }

  movImmediate(to: Gpr, value: number): void {
    this.#general(0, [0xc7], to, 4);
    this.#int32(value);
  }

  /** Moves 32 bits from memory, the upper ones becoming 0. */
  mov32(to: Gpr, from: Address): void {
    this.#general(to, [0x8b], from, 0, false);
  }

  /** Moves one byte from memory, the others becoming 0. */
  movByte(to: Gpr, from: Address): void {
    this.#general(to, [0x0f, 0xb6], from);
  }

  store(to: Address, from: Gpr): void {
    this.#general(from, [0x89], to);
  }

  /** Stores the lowest byte of rax, rcx, rdx or rbx. */
  storeByte(to: Address, from: Gpr): void {
    this.#general(from, [0x88], to);
  }

  lea(to: Gpr, address: Memory): void {
    this.#general(to, [0x8d], address);
  }

  arithmetic(operation: Arithmetic, to: Gpr, from: Gpr | Address): void {
    this.#general(to, [digits[operation] * 8 + 3], from);
  }

  arithmeticImmediate(operation: Arithmetic, to: Gpr, value: number): void {
    this.#general(digits[operation], [0x81], to, 4);
    this.#int32(value);
  }

  /** to = from · value. */
  multiply(to: Gpr, from: Gpr, value: number): void {
    this.#general(to, [0x69], from, 4);
    this.#int32(value);
  }

  /** Divides rdx:rax, as unsigned, by a register: quotient in rax, remainder in rdx. */
  divide(by: Gpr): void {
    this.#general(6, [0xf7], by);
  }

  shiftLeft(to: Gpr, bits: number): void {
    this.#general(4, [0xc1], to, 1);
    this.#code.push(bits);
  }

  /** The place of a number's lowest one, counted from 0; of 0 it is not told. */
  lowestOne(to: Gpr, from: Gpr): void {
    this.#code.push(0xf3);
    this.#general(to, [0x0f, 0xbc], from);
  }

  /** Sets the bit whose place the lowest 6 bits of a register tell. */
  setBit(to: Gpr, place: Gpr): void {
    this.#general(place, [0x0f, 0xab], to);
  }

  /** Copies as many elements as rcx says from where rsi points to where rdi does, the first ones first. */
  copyElements(): void {
    this.#code.push(0xf3, 0xa5);
  }

  push(register: Gpr): void {
    if (register >= 8) this.#code.push(0x41);
    this.#code.push(0x50 + (register & 7));
  }

  pop(register: Gpr): void {
    if (register >= 8) this.#code.push(0x41);
    this.#code.push(0x58 + (register & 7));
  }

  call(to: Gpr | Address): void {
    this.#general(2, [0xff], to, 0, false);
  }

  ret(): void {
    this.#code.push(0xc3);
  }

  /** eax and ecx choose a page of the processor's features; eax, ebx, ecx and edx receive it. */
  cpuid(): void {
    this.#code.push(0x0f, 0xa2);
  }

  /** What the system saves of registers, in eax. */
  xgetbv(): void {
    this.#code.push(0x0f, 0x01, 0xd0);
  }

  jump(to: Label, condition?: Condition): void {
    if (condition === undefined) this.#code.push(0xe9);
    else this.#code.push(0x0f, 0x80 + conditions[condition]);
    this.#jumps.push({ at: this.#code.length, to });
    this.#int32(0);
  }

  /** Puts finished code here, at a multiple of 32 bytes, where jumps to the label continue. */
  include(code: Uint8Array, label: Label): void {
    while (this.#code.length % 32 !== 0) this.#code.push(0xcc);
    this.bind(label);
    for (const byte of code) this.#code.push(byte);
  }

  /** Asks for the cache line at an address to be there soon. */
  prefetch(address: Address): void {
    this.#general(1, [0x0f, 0x18], address, 0, false);
  }

  /** Asks for it to be there soon, for this processor core alone. */
  prefetchToWrite(address: Address): void {
    this.#general(1, [0x0f, 0x0d], address, 0, false);
  }

  // ---- vector registers --------------------------------------------------------------------------------------------

  /** to = a ∘ b, eight elements at a time; for `vfmadd231ps` to = a·b + to, for `213` to = a·to + b. */
  three(name: ThreeOperand, to: Ymm, a: Ymm, b: Source): void {
    const [map, prefix, opcode] = three[name];
    this.#vector(map, prefix, opcode, to, a, b);
  }

  /** The same on the lower halves of registers, four elements at a time. */
  threeHalf(name: ThreeOperand, to: Ymm, a: Ymm, b: Source): void {
    const [map, prefix, opcode] = three[name];
    this.#vector(map, prefix, opcode, to, a, b, 0, false);
  }

  two(name: TwoOperand, to: Ymm, from: Source): void {
    const [map, prefix, opcode] = two[name];
    this.#vector(map, prefix, opcode, to, 0, from);
  }

  shift(name: Shift, to: Ymm, from: Ymm, bits: number): void {
    this.#vector(1, 1, 0x72, shifts[name], to, from, 1);
    this.#code.push(bits);
  }

  /** All bits of each element where a comparison holds, else none; the predicate is one of the manual's 32. */
  vcmpps(to: Ymm, a: Ymm, b: Source, predicate: number): void {
    this.#vector(1, 0, 0xc2, to, a, b, 1);
    this.#code.push(predicate);
  }

  /** Elements of `b` where the highest bit of `mask` is set, else of `a`. */
  vblendvps(to: Ymm, a: Ymm, b: Source, mask: Ymm): void {
    this.#vector(3, 1, 0x4a, to, a, b, 1);
    this.#code.push(mask << 4);
  }

  /** Rounds: 0 to nearest even, 1 down, 2 up, 3 towards zero. */
  vroundps(to: Ymm, from: Source, mode: number): void {
    this.#vector(3, 1, 0x08, to, 0, from, 1);
    this.#code.push(mode | 8);
  }

  vstore(to: Address, from: Ymm): void {
    this.#vector(1, 0, 0x11, from, 0, to);
  }

  /** Stores the lower four elements. */
  vstoreHalf(to: Address, from: Ymm): void {
    this.#vector(1, 0, 0x11, from, 0, to, 0, false);
  }

  /** Loads elements where the mask's highest bit is set; the others become 0 and are not touched. */
  vmaskLoad(to: Ymm, mask: Ymm, from: Address): void {
    this.#vector(2, 1, 0x2c, to, mask, from);
  }

  vmaskStore(to: Address, mask: Ymm, from: Ymm): void {
    this.#vector(2, 1, 0x2e, from, mask, to);
  }

  /** The upper half of a register as another's lower half. */
  vextractUpper(to: Ymm, from: Ymm): void {
    this.#vector(3, 1, 0x19, from, 0, to, 1);
    this.#code.push(1);
  }

  /** Halves of `a` and `b` as the digits of `choice` say: 0 and 1 of `a`, 2 and 3 of `b`. */
  vpermHalves(to: Ymm, a: Ymm, b: Source, low: number, high: number): void {
    this.#vector(3, 1, 0x06, to, a, b, 1);
    this.#code.push(low | (high << 4));
  }

  /** In each half: two elements of `a`, then two of `b`, by two bits each of `order`. */
  vshufps(to: Ymm, a: Ymm, b: Source, order: number): void {
    this.#vector(1, 0, 0xc6, to, a, b, 1);
    this.#code.push(order);
  }

  /** Stores the lower eight bytes. */
  vstoreLow(to: Address, from: Ymm): void {
    this.#vector(1, 1, 0xd6, from, 0, to, 0, false);
  }

  /** Stores the lowest element. */
  vstoreOne(to: Address, from: Ymm): void {
    this.#vector(1, 2, 0x11, from, 0, to, 0, false);
  }

  /** The highest bits of eight elements, the first one's lowest. */
  vmovmskps(to: Gpr, from: Ymm): void {
    this.#vector(1, 0, 0x50, to, 0, from);
  }

  /** Clears the upper halves, without which other code's SSE instructions would wait. */
  vzeroupper(): void {
    this.#code.push(0xc5, 0xf8, 0x77);
  }

  // ---- encoding ----------------------------------------------------------------------------------------------------

  #int32(value: number): void {
    if (!Number.isInteger(value) || value !== (value | 0))
      throw new RangeError(`assembler: ${value} has no 32 bits`);
    this.#code.push(value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255);
  }

  /** An instruction of general registers; `after` bytes follow its operands. */
  #general(reg: number, opcode: readonly number[], rm: Source, after = 0, wide = true): void {
    const [x, b] = extensions(rm);
    const rex = 0x40 | (wide ? 8 : 0) | ((reg >> 3) << 2) | (x << 1) | b;
    if (rex !== 0x40) this.#code.push(rex);
    this.#code.push(...opcode);
    this.#operand(reg, rm, after);
  }

  #vector(
    map: number,
    prefix: number,
    opcode: number,
    reg: number,
    second: number,
    rm: Source,
    after = 0,
    whole = true,
  ): void {
    const [x, b] = extensions(rm);
    this.#code.push(
      0xc4,
      ((~(reg >> 3) & 1) << 7) | ((~x & 1) << 6) | ((~b & 1) << 5) | map,
      ((~second & 15) << 3) | (whole ? 4 : 0) | prefix,
      opcode,
    );
    this.#operand(reg, rm, after);
  }

  #operand(reg: number, rm: Source, after: number): void {
    const digit = (reg & 7) << 3;
    if (typeof rm === "number") {
      this.#code.push(0xc0 | digit | (rm & 7));
      return;
    }
    if ("constant" in rm) {
      this.#code.push(digit | 5);
      const at = this.#code.length;
      this.#loads.push({ at, next: at + 4 + after, constant: rm.constant });
      this.#int32(0);
      return;
    }
    const { base, index, scale = 1, offset = 0 } = rm;
    const small = offset >= -128 && offset < 128;
    const mode = small ? 0x40 : 0x80;
    if (index === undefined && (base & 7) !== rsp) {
      this.#code.push(mode | digit | (base & 7));
    } else {
      const bits = index === undefined ? rsp : index & 7;
      this.#code.push(mode | digit | rsp, (scaleBits[scale] << 6) | (bits << 3) | (base & 7));
    }
    if (small) this.#code.push(offset & 255);
    else this.#int32(offset);
  }
}

/** The highest bits of an operand's index and base registers. */
function extensions(rm: Source): readonly [number, number] {
  if (typeof rm === "number") return [0, rm >> 3];
  return "constant" in rm ? [0, 0] : [(rm.index ?? 0) >> 3, rm.base >> 3];
}
