/** Checks that every executor makes on what it is given, with one wording. */

import { dtypes, type DType, type TypedArray } from "../graph/dtype.ts";
import type { DeviceBuffer, Executor, Program, TensorSpec } from "./executor.ts";

export const byteLengthOf = (dtype: DType, shape: readonly number[]): number =>
  shape.reduce((product, size) => product * size, dtypes[dtype].bytes);

export const typeText = (of: { dtype: DType; shape: readonly number[] }): string =>
  `${of.dtype}[${of.shape.join(",")}]`;

/** Throws unless `data` is the host array type of `dtype` and fills `shape`. */
export function checkData(
  operation: string,
  data: TypedArray,
  dtype: DType,
  shape: readonly number[],
): void {
  const { array, bytes } = dtypes[dtype];
  if (!(data instanceof array) || data.length * bytes !== byteLengthOf(dtype, shape)) {
    const length = byteLengthOf(dtype, shape) / bytes;
    throw new Error(
      `${operation}: ${typeText({ dtype, shape })} needs a ${array.name} of length ${length}, ` +
        `got a ${data.constructor.name} of length ${data.length}`,
    );
  }
}

/** Throws unless there is one buffer for each input of the program. */
export function checkInputs(program: Program, inputs: readonly DeviceBuffer[]): void {
  if (inputs.length !== program.inputs.length) {
    throw new Error(
      `run: the program has ${program.inputs.length} inputs, got ${inputs.length} buffers`,
    );
  }
}

/** Throws unless a buffer given for an output has its type. */
export function checkOutput(spec: TensorSpec, buffer: DeviceBuffer): void {
  if (buffer.dtype !== spec.dtype || buffer.byteLength !== byteLengthOf(spec.dtype, spec.shape)) {
    throw new Error(
      `run: output ${spec.name} is ${typeText(spec)}, cannot write it into a buffer of ${typeText(buffer)}`,
    );
  }
}

export function foreignError(operation: string, executor: Executor): Error {
  return new Error(
    `${operation}: the buffer or program belongs to another executor than this one (${executor.description}); ` +
      "move data between devices with read and upload",
  );
}

export const releasedError = (operation: string, what: "buffer" | "program"): Error =>
  new Error(`${operation}: the ${what} was released`);

/** ONNX Runtime's message with what was being done. */
export function runtimeError(operation: string, error: unknown): Error {
  const full = error instanceof Error ? error.message : String(error);
  // Without the place in ONNX Runtime's own source: "/onnxruntime_src/….cc:150 void f(…) [with …] ".
  const message = full.replace(/\/onnxruntime_src\/\S+:\d+ [^\n]*?\)(?: \[with [^\]]*\])? /g, "");
  return new Error(`${operation}: ONNX Runtime says: ${message}`, { cause: error });
}

/** For descriptions. */
export const threadsText = (threads: number): string =>
  threads === 1 ? "1 thread" : `${threads} threads`;

/**
 * Optimizers of ONNX Runtime that sessions go without. GemmTransposeFusion takes a Transpose into the Gemm behind it also
 * where the program returns the transposed tensor, which then is never computed (1.30). NoopElimination drops x·1, x + 0 and
 * their like: what reads their results then reads x, perhaps after an update was written over it that waited for them.
 */
export const DISABLED_OPTIMIZERS = "GemmTransposeFusion;NoopElimination";
