/** Runs a kernel's machine code directly, part after part. */

import koffi from "koffi";
import { addressOf, libraryPath, OnnxRuntime } from "../../src/runtime/c-api.ts";
import { CodeMemory } from "../../src/runtime/machine-code.ts";

// koffi wants its settings before anything is loaded.
new OnnxRuntime(libraryPath());

/** Undefined where this machine cannot run kernels. */
export const codeMemory = CodeMemory.open();

/** Host memory whose bytes lie outside of the JavaScript heap, between bytes that must stay what they are. */
export class Guarded {
  readonly bytes: Uint8Array;
  readonly #all: Uint8Array;

  constructor(data: Uint8Array | number) {
    const length = typeof data === "number" ? data : data.byteLength;
    const memory = new ArrayBuffer(length + 128);
    this.#all = new Uint8Array(memory).fill(0xab);
    this.bytes = new Uint8Array(memory, 64, length);
    if (typeof data !== "number") this.bytes.set(data);
  }

  get address(): bigint {
    return addressOf(this.#all.buffer) + 64n;
  }

  intact(): boolean {
    const end = 64 + this.bytes.length;
    return this.#all.every((byte, i) => (i >= 64 && i < end) || byte === 0xab);
  }
}

/** Calls code with the addresses of its operands, for each of its parts. */
export function runCode(code: Uint8Array, operands: readonly Guarded[], parts: number): void {
  const loaded = codeMemory!.load(code);
  try {
    const call = koffi.decode(loaded.address, koffi.proto("void", ["void *", "size_t"])) as (
      operands: bigint,
      part: number,
    ) => void;
    const addresses = new BigUint64Array(new ArrayBuffer(8 * operands.length));
    operands.forEach((operand, i) => (addresses[i] = operand.address));
    for (let part = 0; part < parts; part++) call(addressOf(addresses.buffer), part);
  } finally {
    codeMemory!.release(loaded);
  }
}
