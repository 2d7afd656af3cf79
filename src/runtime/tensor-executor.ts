/** Executor over the JavaScript interface that onnxruntime-node and onnxruntime-web share: asynchronous, one run at a time. */

import type { InferenceSession, Tensor, TensorConstructor } from "onnxruntime-web";
import { dtypes, hostArray, type DType, type TypedArray } from "../graph/dtype.ts";
import {
  DISABLED_OPTIMIZERS,
  checkData,
  checkInputs,
  checkOutput,
  foreignError,
  releasedError,
  runtimeError,
} from "./checks.ts";
import type { DeviceBuffer, DeviceName, Executor, Program, TensorSpec } from "./executor.ts";
import { TensorBuffer, TensorProgram, type Cell, type SessionCell } from "./tensor-buffer.ts";

/** What either package exports, as far as it is used here. */
export interface OrtModule {
  readonly InferenceSession: {
    create(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: TensorConstructor;
}

/** Makes tensors on a device and moves them between host and device; results are new tensors. */
export interface Transfer {
  /** Throws where the device cannot hold the dtype. */
  check(dtype: DType): void;
  /** A device tensor of zeros. */
  allocate(dtype: DType, shape: readonly number[]): Promise<Tensor>;
  upload(tensor: Tensor): Promise<Tensor>;
  /** Overwrites a device tensor with a host tensor of its type. */
  overwrite(target: Tensor, tensor: Tensor): Promise<void>;
  read(tensor: Tensor): Promise<Tensor>;
}

export interface TensorExecutorSettings {
  readonly device: DeviceName;
  readonly description: string;
  readonly inPlace: boolean;
  readonly session: InferenceSession.SessionOptions;
  /** Absent where tensors stay in host memory. */
  readonly transfer?: Transfer;
}

/** Every session's options: silent, and without holding all activations of a training step at once. */
export const sessionDefaults: InferenceSession.SessionOptions = {
  graphOptimizationLevel: "basic",
  enableMemPattern: false,
  logSeverityLevel: 4,
  extra: {
    session: { intra_op: { allow_spinning: "0" } },
    optimization: { disable_specified_optimizers: DISABLED_OPTIMIZERS },
  },
};

/** Releases a session that nobody needs any more, neither to run nor for the memory of its tensors. */
async function releaseUnused(cell: SessionCell): Promise<void> {
  const { session, tensors, released } = cell;
  if (session === undefined || !released || tensors > 0) return;
  cell.session = undefined;
  await session.release();
}

interface Queue {
  /** Settles when everything asked for so far is done. */
  last: Promise<unknown>;
}

const queues = new WeakMap<OrtModule, Queue>();

/**
 * The queue of all executors over one module: one call at a time. On WebGPU in browsers the module's code is suspended
 * while it waits for the GPU, and whoever calls into it then, be it to release a session, destroys its memory.
 */
function queueOf(ort: OrtModule): Queue {
  let queue = queues.get(ort);
  if (queue === undefined) queues.set(ort, (queue = { last: Promise.resolve() }));
  return queue;
}

/** A tensor in host memory holding a copy of `data`. */
export function hostTensor(
  ort: OrtModule,
  data: TypedArray,
  dtype: DType,
  shape: readonly number[],
): Tensor {
  const copy = hostArray(dtype, data.length);
  copy.set(data as never);
  const tensor = new ort.Tensor(dtype, copy as never, shape);
  // Where engines have Float16Array (Node 24) the tensor wraps its bits in one, which the native binding cannot read.
  if (dtype === "float16") Object.defineProperty(tensor, "cpuData", { value: copy });
  return tensor;
}

/** The elements of a tensor in host memory as the project's host array, sharing its memory. */
function hostData(tensor: Tensor, dtype: DType): TypedArray {
  const { array, bytes } = dtypes[dtype];
  // Newer engines hand out float16 as Float16Array, here it is raw bits.
  const { buffer, byteOffset, byteLength } = tensor.data as TypedArray;
  return new array(buffer, byteOffset, byteLength / bytes);
}

export class TensorExecutor implements Executor {
  readonly device: DeviceName;
  readonly description: string;
  readonly inPlace: boolean;
  readonly #ort: OrtModule;
  readonly #sessionOptions: InferenceSession.SessionOptions;
  readonly #transfer: Transfer | undefined;
  readonly #buffers = new FinalizationRegistry((cell: Cell) => this.#free(cell));
  readonly #sessions = new FinalizationRegistry((cell: SessionCell) => this.#releaseSession(cell));
  readonly #queue: Queue;
  #live = 0;
  #peak = 0;

  constructor(ort: OrtModule, settings: TensorExecutorSettings) {
    this.#ort = ort;
    this.#queue = queueOf(ort);
    this.device = settings.device;
    this.description = settings.description;
    this.inPlace = settings.inPlace;
    this.#sessionOptions = settings.session;
    this.#transfer = settings.transfer;
  }

  async upload(data: TypedArray, dtype: DType, shape: readonly number[]): Promise<DeviceBuffer> {
    checkData("upload", data, dtype, shape);
    const tensor = hostTensor(this.#ort, data, dtype, shape);
    const buffer = this.#newBuffer(dtype, shape);
    await this.#fill("upload", buffer, tensor);
    return buffer;
  }

  allocate(dtype: DType, shape: readonly number[]): DeviceBuffer {
    return this.#newBuffer(dtype, shape);
  }

  async read(buffer: DeviceBuffer): Promise<TypedArray> {
    const tensor = await this.#tensor("read", buffer);
    const transfer = this.#transfer;
    if (transfer === undefined) return hostData(tensor, buffer.dtype).slice();
    return hostData(await this.#exclusive("read", () => transfer.read(tensor)), buffer.dtype);
  }

  async write(buffer: DeviceBuffer, data: TypedArray): Promise<DeviceBuffer> {
    const own = this.#own("write", buffer);
    checkData("write", data, own.dtype, own.shape);
    await this.#fill("write", own, hostTensor(this.#ort, data, own.dtype, own.shape));
    return own;
  }

  async load(
    model: Uint8Array,
    inputs: readonly TensorSpec[],
    outputs: readonly TensorSpec[],
  ): Promise<Program> {
    const session = await this.#exclusive("load", () =>
      this.#ort.InferenceSession.create(model, this.#sessionOptions),
    );
    const cell: SessionCell = { session, tensors: 0, released: false };
    const program = new TensorProgram(cell, inputs, outputs, (released) => {
      this.#sessions.unregister(released);
      this.#releaseSession(cell);
    });
    this.#sessions.register(program, cell, program);
    return program;
  }

  async run(
    program: Program,
    inputs: readonly DeviceBuffer[],
    outputs: readonly (DeviceBuffer | undefined)[] = [],
  ): Promise<readonly DeviceBuffer[]> {
    if (!(program instanceof TensorProgram)) throw foreignError("run", this);
    const { cell: maker } = program;
    const session = maker?.session;
    if (maker === undefined || session === undefined) throw releasedError("run", "program");
    checkInputs(program, inputs);
    const feeds: Record<string, Tensor> = {};
    for (const [i, spec] of program.inputs.entries()) {
      feeds[spec.name] = await this.#tensor("run", inputs[i] as DeviceBuffer);
    }
    const targets = program.outputs.map((spec, i) => {
      const given = this.inPlace ? outputs[i] : undefined;
      if (given === undefined) return this.#newBuffer(spec.dtype, spec.shape);
      checkOutput(spec, given);
      return this.#own("run", given);
    });
    const fetches: Record<string, Tensor | null> = {};
    const cells = targets.map((target) => this.#cell("run", target));
    for (const [i, spec] of program.outputs.entries()) {
      // A session that writes in place must be given all its outputs; else it would put the others into host memory.
      if (this.inPlace) await this.#tensor("run", targets[i] as TensorBuffer);
      fetches[spec.name] = cells[i]?.tensor ?? null;
    }
    const results = await this.#exclusive("run", () => session.run(feeds, fetches));
    for (const [i, spec] of program.outputs.entries()) {
      const cell = cells[i] as Cell;
      if (cell.tensor !== undefined) continue;
      cell.tensor = results[spec.name];
      if (this.#transfer === undefined) continue;
      cell.maker = maker;
      maker.tensors++;
    }
    return targets;
  }

  release(buffer: DeviceBuffer): void {
    const own = this.#own("release", buffer);
    if (own.cell === undefined) return;
    this.#buffers.unregister(own);
    this.#free(own.cell);
    own.cell = undefined;
  }

  memory(): { readonly current: number; readonly peak: number } {
    return { current: this.#live, peak: this.#peak };
  }

  #newBuffer(dtype: DType, shape: readonly number[]): TensorBuffer {
    this.#transfer?.check(dtype);
    const onDevice = this.#transfer !== undefined;
    const buffer = new TensorBuffer(this, dtype, shape, onDevice);
    const { byteLength } = buffer;
    // Host tensors need no disposal, and holding one here would only delay it.
    const remains = onDevice ? (buffer.cell as Cell) : { byteLength, tensor: undefined };
    this.#buffers.register(buffer, remains, buffer);
    this.#live += byteLength;
    this.#peak = Math.max(this.#peak, this.#live);
    return buffer;
  }

  #free(cell: Cell): void {
    this.#live -= cell.byteLength;
    const { tensor } = cell;
    if (this.#transfer === undefined || tensor === undefined) return;
    // After the runs asked for so far, which may read it.
    void this.#exclusive("release", () => {
      tensor.dispose();
      const { maker } = cell;
      if (maker === undefined) return Promise.resolve();
      maker.tensors--;
      return releaseUnused(maker);
    });
  }

  #releaseSession(cell: SessionCell): void {
    cell.released = true;
    void this.#exclusive("release", () => releaseUnused(cell));
  }

  #own(operation: string, buffer: DeviceBuffer): TensorBuffer {
    if (buffer instanceof TensorBuffer && buffer.executor === this) return buffer;
    throw foreignError(operation, this);
  }

  #cell(operation: string, buffer: DeviceBuffer): Cell {
    const { cell } = this.#own(operation, buffer);
    if (cell === undefined) throw releasedError(operation, "buffer");
    return cell;
  }

  /** The tensor of a buffer; zeros where it was never written. */
  async #tensor(operation: string, buffer: DeviceBuffer): Promise<Tensor> {
    const cell = this.#cell(operation, buffer);
    if (cell.tensor === undefined) {
      const { dtype, shape } = buffer;
      const zeros = () => {
        const data = hostArray(dtype, buffer.byteLength / dtypes[dtype].bytes);
        return Promise.resolve(hostTensor(this.#ort, data, dtype, shape));
      };
      cell.tensor = await this.#exclusive(operation, () =>
        this.#transfer === undefined ? zeros() : this.#transfer.allocate(dtype, shape),
      );
    }
    return cell.tensor;
  }

  /** Gives a buffer the elements of a host tensor. */
  async #fill(operation: string, buffer: TensorBuffer, tensor: Tensor): Promise<void> {
    const transfer = this.#transfer;
    const cell = this.#cell(operation, buffer);
    const old = cell.tensor;
    if (transfer === undefined) {
      cell.tensor = tensor;
    } else if (old === undefined) {
      cell.tensor = await this.#exclusive(operation, () => transfer.upload(tensor));
    } else {
      await this.#exclusive(operation, () => transfer.overwrite(old, tensor));
    }
  }

  async #exclusive<T>(operation: string, task: () => Promise<T>): Promise<T> {
    const result = this.#queue.last.then(task);
    this.#queue.last = result.catch(() => undefined);
    try {
      return await result;
    } catch (error) {
      throw runtimeError(operation, error);
    }
  }
}
