/** A kernel's memory on the stack: places are given out while code is written, and the sum is known at its end. */

import { rsp, type Address } from "./assembler.ts";

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
