/**
 * Kernels as operators of ONNX Runtime: `OrtCustomOp` structures whose functions are machine code too, so that a program
 * calls its kernels on ONNX Runtime's threads without coming back to JavaScript.
 */

import { dtypes } from "../graph/dtype.ts";
import {
  Assembler,
  r12,
  r13,
  r14,
  r15,
  r8,
  rax,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
  rsp,
} from "../kernels/assembler.ts";
import { KERNEL_DOMAIN, MOST_OPERANDS, type Kernel } from "../kernels/kernel.ts";
import { addressOf, type OnnxRuntime, type Pointer } from "./c-api.ts";
import type { CodeMemory } from "./machine-code.ts";

/** The version of `OrtCustomOp` whose fields are set here; later ones are not read. */
const STRUCTURE_VERSION = 16;

/** Places of fields: first those of `OrtCustomOp` (onnxruntime_c_api.h), then what the functions below read. */
const field = {
  createKernel: 8,
  getName: 16,
  getProvider: 24,
  getInputType: 32,
  getInputCount: 40,
  getOutputType: 48,
  getOutputCount: 56,
  destroy: 72,
  getInputCharacteristic: 80,
  getOutputCharacteristic: 88,
  getInputMemory: 96,
  /** `KernelComputeV2`, which can fail. */
  compute: 144,
  // Room for fields of later versions.
  name: 256,
  inputTypes: 264,
  inputCount: 272,
  outputTypes: 280,
  outputCount: 288,
  /** For each output, its rank and the address of its dimensions. */
  outputShapes: 296,
  code: 304,
  parts: 312,
  getInput: 320,
  getOutput: 328,
  getData: 336,
  parallelFor: 344,
  /** The address of a message; 0 of a kernel that does not fail. */
  failure: 352,
  createStatus: 360,
} as const;
const STRUCTURE_BYTES = 368;
/** ORT_INVALID_ARGUMENT */
const INVALID_ARGUMENT = 2;

/** The kernels of one program, known to ONNX Runtime by a domain that session options take. */
export interface KernelOperators {
  readonly domain: Pointer;
  /** To be called when no session uses them any more. */
  release(): void;
}

/** Makes operators of kernels; the functions that all of them share are loaded once. */
export class OperatorFactory {
  readonly #ort: OnnxRuntime;
  readonly #memory: CodeMemory;
  readonly #places: ReadonlyMap<keyof typeof field, bigint>;

  constructor(ort: OnnxRuntime, memory: CodeMemory) {
    this.#ort = ort;
    this.#memory = memory;
    const { code, places } = operatorFunctions();
    const functions = memory.load(code);
    this.#places = new Map([...places].map(([name, at]) => [name, functions.address + BigInt(at)]));
  }

  /**
   * Throws where a kernel has too many operands, or several parts of which one may fail, and where the system gives no memory
   * for code.
   */
  register(kernels: readonly Kernel[]): KernelOperators {
    const many = kernels.find(
      ({ inputs, outputs }) => inputs.length + outputs.length > MOST_OPERANDS,
    );
    if (many !== undefined)
      throw new RangeError(`kernel ${many.name}: more than ${MOST_OPERANDS} inputs and outputs`);
    const silent = kernels.find(({ failure, parts }) => failure !== undefined && parts > 1);
    if (silent !== undefined)
      throw new RangeError(`kernel ${silent.name}: only a kernel of one part can fail`);
    const ort = this.#ort;
    const starts: number[] = [];
    let bytes = 0;
    for (const { code } of kernels) {
      starts.push(bytes);
      bytes += Math.ceil(code.length / 32) * 32;
    }
    const all = new Uint8Array(bytes);
    kernels.forEach(({ code }, i) => all.set(code, starts[i]));
    const code = this.#memory.load(all);
    const structures = kernels.map((kernel, i) =>
      this.#structure(kernel, code.address + BigInt(starts[i]!)),
    );
    ort.check(ort.bind("CreateCustomOpDomain")(KERNEL_DOMAIN, ort.out));
    const domain = ort.made();
    const release = (): void => {
      ort.bind<void>("ReleaseCustomOpDomain")(domain);
      this.#memory.release(code);
      // ONNX Runtime reads the structures for as long as it has the domain.
      structures.length = 0;
    };
    try {
      for (const structure of structures)
        ort.check(ort.bind("CustomOpDomain_Add")(domain, addressOf(structure)));
    } catch (error) {
      release();
      throw error;
    }
    return { domain, release };
  }

  /** An `OrtCustomOp`, and behind it what it points to. */
  #structure({ name, inputs, outputs, parts, failure = "" }: Kernel, code: Pointer): ArrayBuffer {
    const [text, message] = [cString(name), cString(failure)];
    const dims = outputs.flatMap(({ shape }) => shape);
    const [typesAt, shapesAt] = [
      STRUCTURE_BYTES,
      STRUCTURE_BYTES + 8 * (inputs.length + outputs.length),
    ];
    const dimsAt = shapesAt + 16 * outputs.length;
    const nameAt = dimsAt + 8 * dims.length;
    const messageAt = nameAt + text.length;
    const memory = new ArrayBuffer(messageAt + message.length);
    const start = addressOf(memory);
    const view = new DataView(memory);
    const set = (at: number, value: bigint): void => view.setBigUint64(at, value, true);
    view.setUint32(0, STRUCTURE_VERSION, true);
    for (const [place, address] of this.#places) set(field[place], address);
    set(field.name, start + BigInt(nameAt));
    set(field.inputTypes, start + BigInt(typesAt));
    set(field.inputCount, BigInt(inputs.length));
    set(field.outputTypes, start + BigInt(typesAt + 8 * inputs.length));
    set(field.outputCount, BigInt(outputs.length));
    set(field.outputShapes, start + BigInt(shapesAt));
    set(field.code, code);
    set(field.parts, BigInt(parts));
    set(field.getInput, this.#ort.address("KernelContext_GetInput"));
    set(field.getOutput, this.#ort.address("KernelContext_GetOutput"));
    set(field.getData, this.#ort.address("GetTensorMutableData"));
    set(field.parallelFor, this.#ort.address("KernelContext_ParallelFor"));
    set(field.failure, failure === "" ? 0n : start + BigInt(messageAt));
    set(field.createStatus, this.#ort.address("CreateStatus"));
    [...inputs, ...outputs].forEach(({ dtype }, i) =>
      set(typesAt + 8 * i, BigInt(dtypes[dtype].onnx)),
    );
    let at = dimsAt;
    outputs.forEach(({ shape }, i) => {
      set(shapesAt + 16 * i, BigInt(shape.length));
      set(shapesAt + 16 * i + 8, start + BigInt(at));
      for (const size of shape) {
        set(at, BigInt(size));
        at += 8;
      }
    });
    new Uint8Array(memory).set(text, nameAt);
    new Uint8Array(memory).set(message, messageAt);
    return memory;
  }
}

const cString = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);

/** The functions that all structures share. The kernel that ONNX Runtime passes to them is the structure itself. */
function operatorFunctions(): {
  readonly code: Uint8Array;
  readonly places: ReadonlyMap<keyof typeof field, number>;
} {
  const a = new Assembler();
  const places = new Map<keyof typeof field, number>();
  const define = (names: readonly (keyof typeof field)[], body: () => void): void => {
    const label = a.label();
    a.bind(label);
    for (const name of names) places.set(name, label.at);
    body();
  };
  const returns = (at: number) => (): void => {
    a.mov(rax, { base: rdi, offset: at });
    a.ret();
  };
  const typeIn = (at: number) => (): void => {
    a.mov(rax, { base: rdi, offset: at });
    a.mov(rax, { base: rax, index: rsi, scale: 8 });
    a.ret();
  };
  define(["createKernel"], () => {
    a.mov(rax, rdi);
    a.ret();
  });
  define(["getName"], returns(field.name));
  define(["getInputType"], typeIn(field.inputTypes));
  define(["getInputCount"], returns(field.inputCount));
  define(["getOutputType"], typeIn(field.outputTypes));
  define(["getOutputCount"], returns(field.outputCount));
  // No provider but the CPU, every operand required, in plain memory, nothing to destroy.
  define([
    "getProvider",
    "destroy",
    "getInputCharacteristic",
    "getOutputCharacteristic",
    "getInputMemory",
  ], () => {
    a.movImmediate(rax, 0);
    a.ret();
  });
  define(["compute"], () => compute(a));
  return { code: a.finish(), places };
}

/**
 * (structure, context) → status: gathers the addresses of inputs and outputs, and runs the parts on the session's
 * threads. There may be no memory for an output.
 */
function compute(a: Assembler): void {
  const saved = [rbx, r12, r13, r14, r15];
  // The addresses, then a place for what ONNX Runtime returns; a multiple of 16 keeps the stack aligned for calls.
  const value = 8 * MOST_OPERANDS;
  const frame = value + 16;
  for (const register of saved) a.push(register);
  a.arithmeticImmediate("sub", rsp, frame);
  a.mov(rbx, rdi);
  a.mov(r12, rsi);
  a.movImmediate(r14, 0);
  const [single, succeeded, end] = [a.label(), a.label(), a.label()];
  const call = (offset: number): void => {
    a.call({ base: rbx, offset });
    a.arithmeticImmediate("cmp", rax, 0);
    a.jump(end, "notEqual");
  };

  /** Puts the next operands' addresses: `get` asks for operand r13. */
  const operands = (count: number, get: () => void): void => {
    const [next, done] = [a.label(), a.label()];
    a.movImmediate(r13, 0);
    a.bind(next);
    a.arithmetic("cmp", r13, { base: rbx, offset: count });
    a.jump(done, "equal");
    get();
    a.mov(rdi, { base: rsp, offset: value });
    a.lea(rsi, { base: rsp, index: r14, scale: 8 });
    call(field.getData);
    a.arithmeticImmediate("add", r13, 1);
    a.arithmeticImmediate("add", r14, 1);
    a.jump(next);
    a.bind(done);
  };
  operands(field.inputCount, () => {
    a.mov(rdi, r12);
    a.mov(rsi, r13);
    a.lea(rdx, { base: rsp, offset: value });
    call(field.getInput);
  });
  operands(field.outputCount, () => {
    a.mov(rdi, r12);
    a.mov(rsi, r13);
    a.mov(rax, r13);
    a.shiftLeft(rax, 4);
    a.arithmetic("add", rax, { base: rbx, offset: field.outputShapes });
    a.mov(rdx, { base: rax, offset: 8 });
    a.mov(rcx, { base: rax });
    a.lea(r8, { base: rsp, offset: value });
    call(field.getOutput);
  });

  a.mov(rdx, { base: rbx, offset: field.parts });
  a.arithmeticImmediate("cmp", rdx, 1);
  a.jump(single, "equal");
  a.mov(rdi, r12);
  a.mov(rsi, { base: rbx, offset: field.code });
  a.movImmediate(rcx, 0);
  a.lea(r8, { base: rsp });
  a.call({ base: rbx, offset: field.parallelFor });
  a.jump(end);
  a.bind(single);
  a.lea(rdi, { base: rsp });
  a.movImmediate(rsi, 0);
  a.call({ base: rbx, offset: field.code });
  a.mov(rsi, { base: rbx, offset: field.failure });
  a.arithmeticImmediate("cmp", rsi, 0);
  a.jump(succeeded, "equal");
  a.arithmeticImmediate("cmp", rax, 0);
  a.jump(succeeded, "equal");
  a.movImmediate(rdi, INVALID_ARGUMENT);
  a.call({ base: rbx, offset: field.createStatus });
  a.jump(end);
  a.bind(succeeded);
  a.movImmediate(rax, 0);
  a.bind(end);
  a.arithmeticImmediate("add", rsp, frame);
  for (const register of saved.toReversed()) a.pop(register);
  a.ret();
}
