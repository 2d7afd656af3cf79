/** A kernel's memory on the stack: places are given out while code is written, and the sum is known at its end. */

import { type Address, type Assembler, r9, rax, rcx, rdx, rsp } from "./assembler.ts";

const PAGE = 4096;

/**
 * Takes so many bytes of the stack, from rsp on, at a multiple of 64, touching their pages in order, as growing stacks want
 * it. The stack as it was is in rax; rcx, rdx and r9 are lost.
 */
export function takeStack(a: Assembler, bytes: number): void {
  a.mov(rax, rsp);
  a.mov(rcx, rsp);
  a.arithmeticImmediate("sub", rsp, bytes);
  a.arithmeticImmediate("and", rsp, -64);
  if (bytes <= PAGE) return;
  const next = a.label();
  a.movImmediate(r9, Math.floor(bytes / PAGE));
  a.bind(next);
  a.arithmeticImmediate("sub", rcx, PAGE);
  a.mov(rdx, { base: rcx });
  a.arithmeticImmediate("sub", r9, 1);
  a.jump(next, "notEqual");
}

/** Places from rsp on, which is a multiple of 64. */
export class StackFrame {
  #bytes = 0;

  /** A place for so many bytes, at a multiple of them or of 32. */
  place(bytes: number): Address {
    const align = Math.min(bytes, 32);
    const offset = Math.ceil(this.#bytes / align) * align;
    this.#bytes = offset + bytes;
    return { base: rsp, offset };
  }

  /** Bytes of all places so far, as a multiple of 64. */
  get bytes(): number {
    return Math.ceil(this.#bytes / 64) * 64;
  }
}
