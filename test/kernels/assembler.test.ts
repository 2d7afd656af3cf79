/** The assembler against bytes that GNU objdump reads as the text beside them. */

import { describe, expect, it } from "vitest";

import { Assembler, r9, rax, rcx } from "../../src/kernels/assembler.ts";
import { predicates } from "../../src/kernels/formula.ts";
import { addresses, general, vectors } from "./instructions.ts";

const hex = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");

/** The bytes of the code that `emit` writes, without the zeros that fill up 32 bytes. */
function assemble(emit: (a: Assembler) => void, length: number): string {
  const a = new Assembler();
  emit(a);
  const bytes = a.finish();
  expect(bytes.length % 32).toBe(0);
  expect(bytes.subarray(length).every((byte) => byte === 0)).toBe(true);
  return hex(bytes.subarray(0, length));
}

const lengthOf = (bytes: string): number => bytes.split(" ").length;

describe("instructions", () => {
  it.each([...vectors, ...general])("%s", (_, emit, bytes) => {
    expect(assemble(emit, lengthOf(bytes))).toBe(bytes);
  });
});

describe("addresses", () => {
  it.each(addresses)("%s", (_, address, mov, vmovups) => {
    expect(assemble((a) => a.mov(r9, address), lengthOf(mov))).toBe(mov);
    expect(assemble((a) => a.two("vmovups", 9, address), lengthOf(vmovups))).toBe(vmovups);
  });
});

describe("labels", () => {
  const conditions = ["equal", "notEqual", "less", "atLeast"] as const;

  it("jumps back and forth, from the jump's end", () => {
    const code = assemble((a) => {
      const [start, end] = [a.label(), a.label()];
      a.bind(start); // 0x0
      a.jump(end); // jmp 0xd
      a.ret(); // 0x5
      a.jump(start, "notEqual"); // 0x6: jne 0x0
      a.ret(); // 0xc
      a.bind(end); // 0xd
      a.jump(end); // jmp 0xd
    }, 18);
    expect(code).toBe("e9 08 00 00 00 c3 0f 85 f4 ff ff ff c3 e9 fb ff ff ff");
  });

  // je, jne, jl, jge
  it.each(conditions.map((c, i) => [c, ["84", "85", "8c", "8d"][i]!] as const))(
    "jumps if %s",
    (condition, opcode) => {
      const code = assemble((a) => {
        const label = a.label();
        a.bind(label);
        a.jump(label, condition);
      }, 6);
      expect(code).toBe(`0f ${opcode} fa ff ff ff`);
    },
  );

  it("must be bound", () => {
    const a = new Assembler();
    a.jump(a.label());
    expect(() => a.finish()).toThrow("a jump to a label that was not bound");
  });
});

describe("constants", () => {
  it("lie behind the code at a multiple of 32 bytes, equal ones once, reached from the instruction's end", () => {
    const a = new Assembler();
    const ones = a.constant(new Float32Array(8).fill(1));
    const sevens = a.constant(new Uint32Array(8).fill(7));
    expect(a.constant(new Uint32Array(8).fill(0x3f800000))).toEqual(ones);
    a.three("vaddps", 9, 3, ones); // 0x0: vaddps ymm9, ymm3, [rip+0x37]        # 0x40
    a.vroundps(6, sevens, 1); // 0x9: vroundps ymm6, [rip+0x4d], 0x9        # 0x60
    a.vcmpps(2, 12, ones, predicates.less); // 0x13: vcmplt_oqps ymm2, ymm12, [rip+0x23]        # 0x40
    a.lea(r9, sevens); // 0x1d: lea r9, [rip+0x3c]        # 0x60
    const bytes = a.finish();
    expect(hex(bytes.subarray(0, 36))).toBe(
      "c4 61 64 58 0d 37 00 00 00 c4 e3 7d 08 35 4d 00 00 00 09 " +
        "c4 e1 1c c2 15 23 00 00 00 11 4c 8d 0d 3c 00 00 00",
    );
    expect(new Float32Array(bytes.slice(64, 96).buffer)).toEqual(new Float32Array(8).fill(1));
    expect(new Uint32Array(bytes.slice(96).buffer)).toEqual(new Uint32Array(8).fill(7));
    expect(bytes).toHaveLength(128);
  });

  it("have 32 bytes", () => {
    expect(() => new Assembler().constant(new Float32Array(4))).toThrow("a constant has 32 bytes");
  });
});

describe("immediate values", () => {
  it.each([2 ** 31, -(2 ** 31) - 1, 0.5, NaN])(
    "are whole numbers of 32 bits, which %d is not",
    (value) => {
      expect(() => new Assembler().movImmediate(rax, value)).toThrow(`${value} has no 32 bits`);
      expect(() => new Assembler().multiply(rax, rcx, value)).toThrow(RangeError);
      expect(() => new Assembler().arithmeticImmediate("add", rax, value)).toThrow(RangeError);
    },
  );

  it("of addresses are so too", () => {
    expect(() => new Assembler().mov(rax, { base: rcx, offset: 2 ** 31 })).toThrow(RangeError);
  });
});
