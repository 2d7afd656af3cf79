/** The one interface between programs and whatever runs them: ONNX Runtime on a CPU, in WebAssembly or on a GPU. */

import type { DType, TypedArray } from "../graph/dtype.ts";
import type { FusedProgram, Kernel } from "../kernels/kernel.ts";
import type { LoweredProgram } from "../onnx/lower.ts";

/** What runs programs: the CPU, WebGPU or WebAssembly. */
export type DeviceName = "cpu" | "wasm" | "webgpu";

/** Static type of a program's input or output. */
export interface TensorSpec {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The program's own shape where it is another one of as many elements; only executors with a `piece` take it. */
  readonly as?: readonly number[];
}

/**
 * Memory on a device that holds one tensor. Freed when unreachable; `Executor.release` may free it earlier.
 * Opaque to everything but the executor that made it.
 */
export interface DeviceBuffer {
  readonly executor: Executor;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly byteLength: number;
}

/** A loaded ONNX model, ready to run any number of times. */
export interface Program {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Frees the session; running it afterwards is an error. Also freed when unreachable. */
  release(): void;
}

export type MaybePromise<T> = T | Promise<T>;

export interface Executor {
  readonly device: DeviceName;
  /** What the user is told: e.g. "ONNX Runtime 1.30.0, CPU through its C API, 2 threads". */
  readonly description: string;
  /**
   * Whether an output may be written into a buffer given to `run`, also one that is an input of the same run.
   * When false, `run` ignores `outputs` and always returns fresh buffers.
   */
  readonly inPlace: boolean;
  /** About how many elements operations in a row should compute at a time to stay in caches; whole tensors unless given. */
  readonly piece?: number;
  /** Puts kernels in machine code into a program; undefined where programs may have none. */
  readonly fuse?: ((program: LoweredProgram) => FusedProgram) | undefined;
  /** Copies host data to the device. The host array may be reused afterwards. */
  upload(data: TypedArray, dtype: DType, shape: readonly number[]): MaybePromise<DeviceBuffer>;
  /** Uninitialised memory on the device; recycled from released buffers of the same size when there are any. */
  allocate(dtype: DType, shape: readonly number[]): DeviceBuffer;
  /** Copies a buffer's elements to a new host array. */
  read(buffer: DeviceBuffer): MaybePromise<TypedArray>;
  /** Overwrites a buffer with host data of the same dtype and length, in place. Returns the buffer that now holds it. */
  write(buffer: DeviceBuffer, data: TypedArray): MaybePromise<DeviceBuffer>;
  /** Loads a serialized `ModelProto`; inputs and outputs are in the order `run` uses; `kernels` are what it calls. */
  load(
    model: Uint8Array,
    inputs: readonly TensorSpec[],
    outputs: readonly TensorSpec[],
    kernels?: readonly Kernel[],
  ): MaybePromise<Program>;
  /**
   * Runs a program once. `outputs[i]`, where given and `inPlace`, is the buffer that receives output i;
   * elsewhere a fresh buffer is made. Returns the buffers that hold the outputs, in order.
   */
  run(
    program: Program,
    inputs: readonly DeviceBuffer[],
    outputs?: readonly (DeviceBuffer | undefined)[],
  ): MaybePromise<readonly DeviceBuffer[]>;
  /** Gives a buffer's memory back at once (to a pool for `allocate`, or to the system). */
  release(buffer: DeviceBuffer): void;
  /** Bytes held now, pool included, and the most ever held. */
  memory(): { readonly current: number; readonly peak: number };
}
