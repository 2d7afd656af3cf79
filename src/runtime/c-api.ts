/** Calls the C API of the ONNX Runtime library that onnxruntime-node carries, because its JavaScript binding copies every output. */

import koffi, { type LibraryHandle } from "koffi";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Address of native memory or of an ONNX Runtime object. */
export type Pointer = bigint;

/** The C API version asked for: the oldest with everything used here, so that later libraries work too. */
const apiVersion = 17;

/**
 * The functions used: place in `struct OrtApi` (onnxruntime_c_api.h; append-only, so places never change), arguments and
 * result. `p` is any pointer, `s` a C string, `i` an int or enum, `z` a size_t. A result of `p` is an `OrtStatus*`.
 */
const signatures = {
  CreateStatus: [0, "is", "p"],
  GetErrorMessage: [2, "p", "s"],
  CreateSessionFromArray: [8, "ppzpp", "p"],
  Run: [9, "ppppzpzp", "p"],
  CreateSessionOptions: [10, "p", "p"],
  DisableMemPattern: [17, "p", "p"],
  SetSessionLogSeverityLevel: [22, "pi", "p"],
  SetSessionGraphOptimizationLevel: [23, "pi", "p"],
  SetIntraOpNumThreads: [24, "pi", "p"],
  SetInterOpNumThreads: [25, "pi", "p"],
  CreateCustomOpDomain: [26, "sp", "p"],
  CustomOpDomain_Add: [27, "pp", "p"],
  AddCustomOpDomain: [28, "pp", "p"],
  CreateTensorWithDataAsOrtValue: [49, "ppzpzip", "p"],
  GetTensorMutableData: [51, "pp", "p"],
  CreateCpuMemoryInfo: [69, "iip", "p"],
  KernelContext_GetInput: [90, "pzp", "p"],
  KernelContext_GetOutput: [91, "pzpzp", "p"],
  ReleaseStatus: [93, "p", "v"],
  ReleaseSession: [95, "p", "v"],
  ReleaseValue: [96, "p", "v"],
  ReleaseSessionOptions: [100, "p", "v"],
  ReleaseCustomOpDomain: [101, "p", "v"],
  CreateEnvWithGlobalThreadPools: [119, "ispp", "p"],
  DisablePerSessionThreads: [120, "p", "p"],
  CreateThreadingOptions: [121, "p", "p"],
  ReleaseThreadingOptions: [122, "p", "v"],
  AddSessionConfigEntry: [130, "pss", "p"],
  CreateAndRegisterAllocator: [144, "ppp", "p"],
  SetGlobalIntraOpNumThreads: [147, "pi", "p"],
  SetGlobalInterOpNumThreads: [148, "pi", "p"],
  SetGlobalSpinControl: [149, "pi", "p"],
  KernelContext_ParallelFor: [274, "ppzzp", "p"],
} as const;

type FunctionName = keyof typeof signatures;
type Argument = Pointer | number | string;

const cTypes = new Map([
  ["p", "void *"],
  ["s", "str"],
  ["i", "int"],
  ["z", "size_t"],
  ["v", "void"],
]);

const cType = (code: string): string => cTypes.get(code) as string;

/** The C function at an address, of the argument and result codes explained at `signatures`. */
function functionAt(address: Pointer, args: string, result: string): unknown {
  return koffi.decode(address, koffi.proto(cType(result), [...args].map(cType)));
}

const pointersAt = (address: Pointer, count: number): Pointer[] =>
  koffi.decode(address, koffi.array("void *", count)) as Pointer[];

/** Address of off-heap memory; the caller keeps the buffer referenced while native code uses it. */
export const addressOf = (buffer: ArrayBufferLike): Pointer => koffi.address(buffer);

/** Null for success, else the address of an `OrtStatus`. */
export type Status = Pointer | null;

export class OnnxRuntime {
  readonly version: string;
  /** Where functions put the pointers they make; read with `made`. */
  readonly out: Pointer;
  readonly #outSlot = new BigUint64Array(new ArrayBuffer(8));
  // Were the library object collected, the library would be unmapped while its threads run.
  readonly #library: LibraryHandle;
  readonly #table: Pointer[];
  readonly #bound = new Map<FunctionName, unknown>();
  readonly #errorMessage: (status: Pointer) => string;
  readonly #releaseStatus: (status: Pointer) => void;

  constructor(path: string) {
    // ONNX Runtime recurses deeply over large graphs; koffi calls on a stack of its own, 2 MiB unless told otherwise.
    const config = koffi.config();
    const stack = 16 * 2 ** 20;
    // koffi refuses changes after its first library, which may have been loaded by another copy of this module.
    if (config.sync_stack_size !== stack) koffi.config({ ...config, sync_stack_size: stack });
    this.#library = koffi.load(path);
    this.out = koffi.address(this.#outSlot.buffer);
    const getBase = this.#library.func("OrtGetApiBase", "void *", []) as () => Pointer;
    const [getApi, getVersion] = pointersAt(getBase(), 2) as [Pointer, Pointer];
    this.version = (functionAt(getVersion, "", "s") as () => string)();
    const api = (functionAt(getApi, "i", "p") as (version: number) => Pointer | null)(apiVersion);
    if (api === null) {
      throw new Error(`ONNX Runtime ${this.version} at ${path} has no C API version ${apiVersion}`);
    }
    this.#table = pointersAt(api, 275);
    this.#errorMessage = this.bind("GetErrorMessage");
    this.#releaseStatus = this.bind("ReleaseStatus");
  }

  /** The function of that name as a JavaScript function. */
  bind<Result = Status, Arguments extends Argument[] = Argument[]>(
    name: FunctionName,
  ): (...args: Arguments) => Result {
    // koffi never forgets a function that it made.
    let bound = this.#bound.get(name);
    if (bound === undefined) {
      const [place, args, result] = signatures[name];
      bound = functionAt(this.#table[place] as Pointer, args, result);
      this.#bound.set(name, bound);
    }
    return bound as (...args: Arguments) => Result;
  }

  /** Where that function lies, for code that calls it itself. */
  address(name: FunctionName): Pointer {
    return this.#table[signatures[name][0]] as Pointer;
  }

  /** Throws ONNX Runtime's message unless the status is success. */
  check(status: Status): void {
    if (status !== null) throw this.error(status);
  }

  /** The error that a status stands for; frees the status. */
  error(status: Pointer): Error {
    const message = this.#errorMessage(status);
    this.#releaseStatus(status);
    return new Error(message);
  }

  /** The `OrtMemoryInfo` of host memory, allocated plainly or through an arena. */
  cpuMemory(allocator: "device" | "arena"): Pointer {
    const defaultMemory = 0;
    this.check(
      this.bind("CreateCpuMemoryInfo")(allocator === "arena" ? 1 : 0, defaultMemory, this.out),
    );
    return this.made();
  }

  /** The pointer that the last call put at `out`. */
  made(): Pointer {
    return this.#outSlot[0] as Pointer;
  }
}

/** The shared library inside the installed onnxruntime-node package. */
export function libraryPath(): string {
  const names = new Map([
    ["linux", "libonnxruntime.so.1"],
    ["darwin", "libonnxruntime.1.dylib"],
    ["win32", "onnxruntime.dll"],
  ]);
  const name = names.get(process.platform);
  if (name === undefined)
    throw new Error(`no ONNX Runtime library for platform ${process.platform}`);
  const main = createRequire(import.meta.url).resolve("onnxruntime-node");
  return join(dirname(main), "..", "bin", "napi-v6", process.platform, process.arch, name);
}
