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

const PAGE = 4096;

/** Memory that ends where the process may not read: touching a byte beyond it is fatal. */
export class AtEdge {
  readonly bytes: Uint8Array;
  readonly address: bigint;
  readonly #release: () => void;

  constructor(data: Uint8Array) {
    const system = koffi.load(null);
    const map = system.func("void *mmap(void *, size_t, int, int, int, int64_t)");
    const [protect, unmap] = [
      system.func("int mprotect(void *, size_t, int)"),
      system.func("int munmap(void *, size_t)"),
    ];
    const pages = Math.max(1, Math.ceil(data.length / PAGE));
    const [readWrite, privateAnonymous] = [3, process.platform === "darwin" ? 0x1002 : 0x22];
    const size = (pages + 1) * PAGE;
    const start = map(null, size, readWrite, privateAnonymous, -1, 0) as bigint;
    const edge = start + BigInt(pages * PAGE);
    protect(edge, PAGE, 0);
    this.address = edge - BigInt(data.length);
    this.bytes = new Uint8Array(koffi.view(this.address, data.length));
    this.bytes.set(data);
    this.#release = () => void unmap(start, size);
  }

  /** After which `bytes` may not be used. */
  release(): void {
    this.#release();
  }
}

/** Calls code with the addresses of its operands, for each of its parts; what the last one returns, if it returns anything. */
export function runCode(
  code: Uint8Array,
  operands: readonly { readonly address: bigint }[],
  parts: number,
): number {
  const loaded = codeMemory!.load(code);
  try {
    const call = koffi.decode(loaded.address, koffi.proto("int", ["void *", "size_t"])) as (
      operands: bigint,
      part: number,
    ) => number;
    const addresses = new BigUint64Array(new ArrayBuffer(8 * operands.length));
    operands.forEach((operand, i) => (addresses[i] = operand.address));
    let result = 0;
    for (let part = 0; part < parts; part++) result = call(addressOf(addresses.buffer), part);
    return result;
  } finally {
    codeMemory!.release(loaded);
  }
}
