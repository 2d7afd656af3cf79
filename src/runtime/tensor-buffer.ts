/** Buffers and programs that hold tensors and sessions of ONNX Runtime's JavaScript interface. */

import type { InferenceSession, Tensor } from "onnxruntime-web";
import type { DType } from "../graph/dtype.ts";
import { byteLengthOf } from "./checks.ts";
import type { DeviceBuffer, Executor, Program, TensorSpec } from "./executor.ts";

/** Where a buffer's elements are; outlives the buffer where they must be disposed of. */
export interface Cell {
  readonly byteLength: number;
  /** Undefined while allocated but never written. */
  tensor: Tensor | undefined;
  /** The session that made the tensor on a device. */
  maker?: SessionCell;
}

/** A session, which owns the device memory of the tensors it made and so must outlive them. */
export interface SessionCell {
  /** Undefined once released. */
  session: InferenceSession | undefined;
  /** Tensors it made that are not disposed of. */
  tensors: number;
  /** No more runs are wanted. */
  released: boolean;
}

export class TensorBuffer implements DeviceBuffer {
  readonly executor: Executor;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** Undefined once released. */
  cell: Cell | undefined;
  /**
   * Untouched memory, to which the system gives no pages, that makes V8's garbage collector feel a little of what lies
   * on the device, where it does not look.
   */
  readonly ballast: ArrayBuffer | undefined;

  constructor(executor: Executor, dtype: DType, shape: readonly number[], ballast: boolean) {
    this.executor = executor;
    this.dtype = dtype;
    this.shape = shape;
    this.byteLength = byteLengthOf(dtype, shape);
    this.cell = { byteLength: this.byteLength, tensor: undefined };
    this.ballast = ballast ? new ArrayBuffer(Math.floor(this.byteLength / 4)) : undefined;
  }
}

export class TensorProgram implements Program {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Undefined once released. */
  cell: SessionCell | undefined;
  readonly #free: (program: TensorProgram, cell: SessionCell) => void;

  constructor(
    cell: SessionCell,
    inputs: readonly TensorSpec[],
    outputs: readonly TensorSpec[],
    free: (program: TensorProgram, cell: SessionCell) => void,
  ) {
    this.cell = cell;
    this.inputs = inputs;
    this.outputs = outputs;
    this.#free = free;
  }

  release(): void {
    if (this.cell === undefined) return;
    this.#free(this, this.cell);
    this.cell = undefined;
  }
}
