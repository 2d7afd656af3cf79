/** What a kernel is: machine code for a part of a program, with the types of what it reads and writes. */

import type { TypeSpec } from "../graph/node.ts";
import type { ModelProto } from "../onnx/proto.ts";

/** The operator domain of kernels in programs; their names are unique within a program. */
export const KERNEL_DOMAIN = "learning-loop.kernels";

/** What kernels are made for. */
export interface KernelTarget {
  /** How many threads share the parts of a kernel. */
  readonly threads: number;
  /** Whether matrix products are to be kernels: where ONNX Runtime has none of 512 bits. */
  readonly products: boolean;
}

/** A program that calls kernels, and these kernels. */
export interface FusedProgram {
  readonly model: ModelProto;
  readonly kernels: readonly Kernel[];
}

/** Elements that each tensor of a kernel must stay below: offsets in code have 32 bits. */
export const MOST_ELEMENTS = 2 ** 29;

/** Most inputs and outputs of one kernel: what the frame of the function that calls it has room for. */
export const MOST_OPERANDS = 64;

/** Machine code as an operator of a program. */
export interface Kernel {
  /** The operator that a program calls it by. */
  readonly name: string;
  readonly inputs: readonly TypeSpec[];
  readonly outputs: readonly TypeSpec[];
  /** Into how many parts its work is divided, which may run at the same time. */
  readonly parts: number;
  /** What went wrong where the code returns something but 0; only of one part, and only where it is given. */
  readonly failure?: string;
  /**
   * x86-64 code that may lie anywhere at a multiple of 32 bytes: a function of the System V calling convention that gets
   * the addresses of inputs and outputs, in this order, as an array, and the number of the part to do.
   */
  readonly code: Uint8Array;
}
