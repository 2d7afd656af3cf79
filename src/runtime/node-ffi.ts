/** Executor for the CPU in Node over ONNX Runtime's C API: synchronous, without copies, updating buffers in place. */

import { availableParallelism, totalmem } from "node:os";
import type { DType, TypedArray } from "../graph/dtype.ts";
import { fuse } from "../kernels/fuse.ts";
import type { FusedProgram, Kernel } from "../kernels/kernel.ts";
import type { LoweredProgram } from "../onnx/lower.ts";
import { addressOf, libraryPath, OnnxRuntime, type Pointer } from "./c-api.ts";
import {
  DISABLED_OPTIMIZERS,
  checkData,
  checkInputs,
  checkOutput,
  foreignError,
  releasedError,
  runtimeError,
  threadsText,
} from "./checks.ts";
import type { DeviceBuffer, Executor, Program, TensorSpec } from "./executor.ts";
import { HostBuffer, HostMemory } from "./host-memory.ts";
import { OperatorFactory, type KernelOperators } from "./kernel-operators.ts";
import { CodeMemory } from "./machine-code.ts";

export interface FfiOptions {
  /** Threads for all sessions together; as many as there are processors unless given. */
  readonly threads?: number;
  /** Most bytes of freed memory kept for reuse; a quarter of the machine's up to 1 GiB unless given. */
  readonly poolBytes?: number;
  /** ONNX Runtime's graph optimizations. */
  readonly optimization?: "basic" | "all";
  /** Whether operations may run as kernels in machine code, where the processor has AVX2; true unless given. */
  readonly kernels?: boolean;
  /**
   * Elements that elementwise operations on large tensors compute at a time; 2¹⁸ unless given (2¹⁶ with one thread), 0
   * for all.
   */
  readonly piece?: number;
  /**
   * Microseconds that a thread waits awake for the next operation; 100 unless given. Steps of many short operations take
   * a tenth to a third less time so. On a machine that is busy with other programs 0 (threads sleep at once) is better.
   */
  readonly spin?: number;
}

const optimizationLevels = { basic: 1, all: 99 };
/** ONNX Runtime reports errors as statuses too; only what kills the process may be printed. */
const fatal = 4;

/** What is left to release of a program. */
interface Loaded {
  readonly session: Pointer;
  readonly operators: KernelOperators | undefined;
}

interface Environment {
  readonly ort: OnnxRuntime;
  readonly pointer: Pointer;
  /** Size of the thread pool that all sessions share. */
  readonly threads: number;
}

/** One a process: ONNX Runtime's environment is a singleton, and so is its thread pool. */
let environment: Environment | undefined;

function openEnvironment(threads: number): Environment {
  const ort = new OnnxRuntime(libraryPath());
  ort.check(ort.bind("CreateThreadingOptions")(ort.out));
  const threading = ort.made();
  ort.check(ort.bind("SetGlobalIntraOpNumThreads")(threading, threads));
  ort.check(ort.bind("SetGlobalInterOpNumThreads")(threading, 1));
  ort.check(ort.bind("SetGlobalSpinControl")(threading, 0));
  ort.check(ort.bind("CreateEnvWithGlobalThreadPools")(fatal, "learning-loop", threading, ort.out));
  const pointer = ort.made();
  ort.bind("ReleaseThreadingOptions")(threading);
  shareArena(ort, pointer);
  return { ort, pointer, threads };
}

/** Lets sessions take their intermediate results from one arena, so that one's memory serves the next. */
function shareArena(ort: OnnxRuntime, env: Pointer): void {
  const arena = ort.cpuMemory("arena");
  const defaults = 0n;
  try {
    ort.check(ort.bind("CreateAndRegisterAllocator")(env, arena, defaults));
  } catch (error) {
    // Another thread of this process was first.
    if (!String(error).includes("already")) throw error;
  }
}

class FfiProgram implements Program {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Undefined once released. */
  session: Pointer | undefined;
  /** Off-heap pointers: to the input names, the input values, the output names, the output values. */
  readonly slots: BigUint64Array;
  readonly inputNames: Pointer;
  readonly inputValues: Pointer;
  readonly outputNames: Pointer;
  readonly outputValues: Pointer;
  readonly #free: (program: FfiProgram) => void;

  constructor(
    session: Pointer,
    inputs: readonly TensorSpec[],
    outputs: readonly TensorSpec[],
    free: (program: FfiProgram) => void,
  ) {
    this.session = session;
    this.inputs = inputs;
    this.outputs = outputs;
    this.#free = free;
    const names = [...inputs, ...outputs].map(({ name }) => new TextEncoder().encode(`${name}\0`));
    const pointerBytes = 8 * 2 * names.length;
    const textBytes = names.reduce((sum, name) => sum + name.length, 0);
    const memory = new ArrayBuffer(pointerBytes + textBytes);
    const address = addressOf(memory);
    this.slots = new BigUint64Array(memory, 0, 2 * names.length);
    this.inputNames = address;
    this.inputValues = address + BigInt(8 * inputs.length);
    this.outputNames = address + BigInt(8 * 2 * inputs.length);
    this.outputValues = this.outputNames + BigInt(8 * outputs.length);
    let offset = pointerBytes;
    names.forEach((name, i) => {
      new Uint8Array(memory).set(name, offset);
      this.slots[i < inputs.length ? i : inputs.length + i] = address + BigInt(offset);
      offset += name.length;
    });
  }

  release(): void {
    if (this.session === undefined) return;
    this.#free(this);
    this.session = undefined;
  }
}

export class FfiExecutor implements Executor {
  readonly device = "cpu";
  readonly inPlace = true;
  readonly piece: number;
  readonly fuse: ((program: LoweredProgram) => FusedProgram) | undefined;
  readonly description: string;
  readonly #ort: OnnxRuntime;
  readonly #env: Pointer;
  readonly #threads: number;
  readonly #optimization: "basic" | "all";
  readonly #spin: number;
  /** Whether sessions use the environment's threads rather than own ones. */
  #sharedThreads: boolean;
  #options: Pointer;
  readonly #memory: HostMemory;
  readonly #run;
  readonly #createSession;
  readonly #releaseSession: (session: Pointer) => void;
  readonly #sessions = new FinalizationRegistry((loaded: Loaded) => this.#free(loaded));
  /** What lets programs call kernels, where machine code can run. */
  readonly #operators: OperatorFactory | undefined;

  constructor(options: FfiOptions = {}) {
    this.#threads = options.threads ?? availableParallelism();
    this.#optimization = options.optimization ?? "basic";
    this.piece = options.piece ?? 2 ** (this.#threads > 1 ? 18 : 16);
    this.#spin = options.spin ?? (this.#threads > 1 ? 100 : 0);
    environment ??= openEnvironment(this.#threads);
    const { ort } = environment;
    this.#ort = ort;
    this.#env = environment.pointer;
    // The shared threads cannot be told how long to wait.
    this.#sharedThreads = this.#threads === environment.threads && this.#spin === 0;
    this.#memory = new HostMemory(ort, options.poolBytes ?? Math.min(2 ** 30, totalmem() / 4));
    this.#run = ort.bind("Run");
    this.#createSession = ort.bind("CreateSessionFromArray");
    this.#releaseSession = ort.bind("ReleaseSession");
    this.#options = this.#sessionOptions();
    const memory = options.kernels === false ? undefined : CodeMemory.open();
    this.#operators = memory === undefined ? undefined : new OperatorFactory(ort, memory);
    if (memory !== undefined)
      this.fuse = (program) =>
        fuse(program, { threads: this.#threads, products: !memory.hasWideVectors });
    this.description = `ONNX Runtime ${ort.version}, CPU through its C API, ${threadsText(this.#threads)}${memory === undefined ? "" : ", AVX2 kernels"}`;
  }

  upload(data: TypedArray, dtype: DType, shape: readonly number[]): HostBuffer {
    checkData("upload", data, dtype, shape);
    const buffer = this.allocate(dtype, shape);
    buffer.view("upload").set(data as never);
    return buffer;
  }

  allocate(dtype: DType, shape: readonly number[]): HostBuffer {
    return this.#memory.allocate(this, dtype, shape);
  }

  read(buffer: DeviceBuffer): TypedArray {
    return this.#own("read", buffer).view("read").slice();
  }

  write(buffer: DeviceBuffer, data: TypedArray): HostBuffer {
    const own = this.#own("write", buffer);
    checkData("write", data, own.dtype, own.shape);
    own.view("write").set(data as never);
    return own;
  }

  load(
    model: Uint8Array,
    inputs: readonly TensorSpec[],
    outputs: readonly TensorSpec[],
    kernels: readonly Kernel[] = [],
  ): FfiProgram {
    const operators = kernels.length === 0 ? undefined : this.#operators?.register(kernels);
    let session: Pointer;
    try {
      session = this.#createSessionFrom(model, operators);
    } catch (error) {
      operators?.release();
      throw runtimeError("load", error);
    }
    const loaded = { session, operators };
    const program = new FfiProgram(session, inputs, outputs, (released) => {
      this.#sessions.unregister(released);
      this.#free(loaded);
    });
    this.#sessions.register(program, loaded, program);
    return program;
  }

  run(
    program: Program,
    inputs: readonly DeviceBuffer[],
    outputs: readonly (DeviceBuffer | undefined)[] = [],
  ): HostBuffer[] {
    if (!(program instanceof FfiProgram)) throw foreignError("run", this);
    if (program.session === undefined) throw releasedError("run", "program");
    checkInputs(program, inputs);
    const results = program.outputs.map((spec, i) => {
      const given = outputs[i];
      if (given === undefined) return this.allocate(spec.dtype, spec.shape);
      checkOutput(spec, given);
      return this.#own("run", given);
    });
    const { slots } = program;
    const inputCount = inputs.length;
    const outputCount = results.length;
    for (let i = 0; i < inputCount; i++) {
      slots[inputCount + i] = this.#value(inputs[i] as DeviceBuffer);
    }
    for (let i = 0; i < outputCount; i++) {
      const { shape, as = shape } = program.outputs[i]!;
      slots[2 * inputCount + outputCount + i] = this.#value(results[i] as HostBuffer, as);
    }
    const status = this.#run(
      program.session,
      0n,
      program.inputNames,
      program.inputValues,
      inputCount,
      program.outputNames,
      outputCount,
      program.outputValues,
    );
    if (status !== null) this.#failRun(status, results, outputs);
    return results;
  }

  release(buffer: DeviceBuffer): void {
    this.#memory.release(this.#own("release", buffer));
  }

  memory(): { readonly current: number; readonly peak: number } {
    return this.#memory.usage();
  }

  #own(operation: string, buffer: DeviceBuffer): HostBuffer {
    if (buffer instanceof HostBuffer && buffer.executor === this) return buffer;
    throw foreignError(operation, this);
  }

  #value(buffer: DeviceBuffer, shape = buffer.shape): Pointer {
    return this.#memory.value(this.#own("run", buffer), shape);
  }

  #failRun(
    status: Pointer,
    results: readonly HostBuffer[],
    given: readonly (DeviceBuffer | undefined)[],
  ): never {
    results.forEach((buffer, i) => {
      if (given[i] === undefined) this.release(buffer);
    });
    throw runtimeError("run", this.#ort.error(status));
  }

  #createSessionFrom(model: Uint8Array, operators: KernelOperators | undefined): Pointer {
    // Reading `.buffer` moves a small array's bytes off the JavaScript heap.
    const address = addressOf(model.buffer) + BigInt(model.byteOffset);
    const { out } = this.#ort;
    const create = (): Pointer => {
      const options = operators === undefined ? this.#options : this.#optionsWith(operators);
      try {
        this.#ort.check(this.#createSession(this.#env, address, model.byteLength, options, out));
        return this.#ort.made();
      } finally {
        if (options !== this.#options) this.#ort.bind<void>("ReleaseSessionOptions")(options);
      }
    };
    try {
      return create();
    } catch (error) {
      if (!this.#sharedThreads || !String(error).includes("EnvCreatedWithGlobalThreadPools"))
        throw error;
      // onnxruntime-node's binding came first and made the process's environment, without threads to share.
      this.#sharedThreads = false;
      this.#options = this.#sessionOptions();
      return create();
    }
  }

  #optionsWith({ domain }: KernelOperators): Pointer {
    const options = this.#sessionOptions();
    this.#ort.check(this.#ort.bind("AddCustomOpDomain")(options, domain));
    return options;
  }

  #free({ session, operators }: Loaded): void {
    this.#releaseSession(session);
    operators?.release();
  }

  /** Options every session is made with. */
  #sessionOptions(): Pointer {
    const ort = this.#ort;
    ort.check(ort.bind("CreateSessionOptions")(ort.out));
    const options = ort.made();
    const level = optimizationLevels[this.#optimization];
    ort.check(ort.bind("SetSessionGraphOptimizationLevel")(options, level));
    ort.check(ort.bind("SetSessionLogSeverityLevel")(options, fatal));
    const set = (key: string, value: string): void =>
      ort.check(ort.bind("AddSessionConfigEntry")(options, key, value));
    set("session.use_env_allocators", "1");
    set("optimization.disable_specified_optimizers", DISABLED_OPTIMIZERS);
    // Planning memory ahead holds every activation of a training step at once.
    ort.check(ort.bind("DisableMemPattern")(options));
    if (this.#sharedThreads) {
      ort.check(ort.bind("DisablePerSessionThreads")(options));
    } else {
      ort.check(ort.bind("SetIntraOpNumThreads")(options, this.#threads));
      set("session.intra_op.allow_spinning", this.#spin > 0 ? "1" : "0");
      if (this.#spin > 0) set("session.intra_op.spin_duration_us", `${Math.ceil(this.#spin)}`);
    }
    return options;
  }
}
