/** Memory for machine code: where a processor and an operating system let this process run code that it wrote. */

import koffi from "koffi";
import { Assembler, rax, rbx, rcx, rdi, rsi } from "../kernels/assembler.ts";
import type { Pointer } from "./c-api.ts";

const READ = 1;
const WRITE = 2;
const EXECUTE = 4;
const PRIVATE = 2;
const ANONYMOUS = process.platform === "darwin" ? 0x1000 : 0x20;
const PAGE = 4096;

type Map = (
  at: null,
  bytes: number,
  access: number,
  flags: number,
  file: number,
  from: number,
) => Pointer;
type Protect = (at: Pointer, bytes: number, access: number) => number;
type Unmap = (at: Pointer, bytes: number) => number;

/** Code in memory that can run, until it is released. */
export interface MachineCode {
  readonly address: Pointer;
  readonly bytes: number;
}

/** The process's way to such memory, there only where the processor has what kernels use. */
export class CodeMemory {
  readonly #map: Map;
  readonly #protect: Protect;
  readonly #unmap: Unmap;
  /** Whether there are vectors of 512 bits (AVX-512), which ONNX Runtime's matrix products use. */
  readonly hasWideVectors: boolean;
  readonly #hasVectors: boolean;

  private constructor() {
    const system = koffi.load(null);
    this.#map = system.func("mmap", "void *", [
      "void *",
      "size_t",
      "int",
      "int",
      "int",
      "int64_t",
    ]) as Map;
    this.#protect = system.func("mprotect", "int", ["void *", "size_t", "int"]) as Protect;
    this.#unmap = system.func("munmap", "int", ["void *", "size_t"]) as Unmap;

    // CPUID's bits, and XCR0's for the registers that the system saves.
    const [FMA, OSXSAVE, AVX, AVX2, AVX512F] = [1 << 12, 1 << 27, 1 << 28, 1 << 5, 1 << 16];
    const code = this.load(processorFeatures());
    try {
      const ask = koffi.decode(code.address, koffi.proto("uint32_t", ["uint32_t", "uint32_t"])) as (
        page: number,
        register: number,
      ) => number;
      const has = (bits: number, all: number): boolean => (bits & all) === all;
      const saves = (all: number): boolean => has(ask(1, ECX), OSXSAVE) && has(ask(0, XCR0), all);
      const extended = ask(7, EBX);
      this.#hasVectors = has(ask(1, ECX), FMA | AVX) && has(extended, AVX2) && saves(0x06);
      this.hasWideVectors = has(extended, AVX512F) && saves(0xe6);
    } finally {
      this.release(code);
    }
  }

  /** Undefined where the processor has no AVX2 and FMA, or where the system forbids new code. */
  static open(): CodeMemory | undefined {
    if (process.arch !== "x64" || !["linux", "darwin"].includes(process.platform)) return undefined;
    try {
      const memory = new CodeMemory();
      return memory.#hasVectors ? memory : undefined;
    } catch {
      // Hardened systems refuse memory that is first written and then run; programs then run without kernels.
      return undefined;
    }
  }

  /** Puts code where it can run and can no longer be written. */
  load(code: Uint8Array): MachineCode {
    const bytes = Math.ceil(code.length / PAGE) * PAGE;
    const address = this.#map(null, bytes, READ | WRITE, PRIVATE | ANONYMOUS, -1, 0);
    if (BigInt.asIntN(64, address) === -1n)
      throw new Error("machine code: the system gave no memory");
    new Uint8Array(koffi.view(address, bytes)).set(code);
    if (this.#protect(address, bytes, READ | EXECUTE) !== 0) {
      this.#unmap(address, bytes);
      throw new Error("machine code: the system does not let it run");
    }
    return { address, bytes };
  }

  /** Gives the memory back; nothing may run it any more. */
  release({ address, bytes }: MachineCode): void {
    this.#unmap(address, bytes);
  }
}

const EBX = 0;
const ECX = 1;
const XCR0 = 2;

/** (page, register) → that register after CPUID of the page, or XCR0. */
function processorFeatures(): Uint8Array {
  const a = new Assembler();
  const [extended, inEcx, end] = [a.label(), a.label(), a.label()];
  a.push(rbx);
  a.mov(rax, rdi);
  a.movImmediate(rcx, 0);
  a.arithmeticImmediate("cmp", rsi, XCR0);
  a.jump(extended, "equal");
  a.cpuid();
  a.mov(rax, rbx);
  a.arithmeticImmediate("cmp", rsi, ECX);
  a.jump(inEcx, "equal");
  a.jump(end);
  a.bind(inEcx);
  a.mov(rax, rcx);
  a.jump(end);
  a.bind(extended);
  a.xgetbv();
  a.bind(end);
  a.pop(rbx);
  a.ret();
  return a.finish();
}
