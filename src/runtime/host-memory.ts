/** Tensors in host memory that native code may read and write: off-heap blocks with an ONNX Runtime value over each. */

import { dtypes, type DType, type TypedArray } from "../graph/dtype.ts";
import { BlockPool } from "./block-pool.ts";
import { addressOf, type OnnxRuntime, type Pointer } from "./c-api.ts";
import { byteLengthOf, releasedError } from "./checks.ts";
import type { DeviceBuffer, Executor } from "./executor.ts";

/** AVX-512 loads and cache lines are 64 bytes; V8 aligns to 16. */
const alignment = 64;

/** `OrtValue`s over the same memory. */
interface Values {
  own: Pointer;
  /** In another shape, when a program has asked for one. */
  other?: { readonly value: Pointer; readonly shape: readonly number[] } | undefined;
}

/** Off-heap memory and the values last made over it. */
interface HostBlock {
  readonly capacity: number;
  readonly memory: ArrayBuffer;
  readonly offset: number;
  readonly address: Pointer;
  readonly values: Values;
  dtype: DType;
  shape: readonly number[];
}

/** What is left to clean up once a buffer is unreachable: its block, or only the values where the memory is V8's to free. */
type Remains = HostBlock | { readonly capacity: number; readonly values: Values };

export class HostBuffer implements DeviceBuffer {
  readonly executor: Executor;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** Undefined once released. */
  block: HostBlock | undefined;
  /** Whether the memory outlives this object until it is finalised, so that it can be reused. */
  readonly kept: boolean;

  constructor(
    executor: Executor,
    dtype: DType,
    shape: readonly number[],
    block: HostBlock,
    kept: boolean,
  ) {
    this.executor = executor;
    this.dtype = dtype;
    this.shape = shape;
    this.byteLength = byteLengthOf(dtype, shape);
    this.block = block;
    this.kept = kept;
  }

  /** The elements as a host array over the same memory. */
  view(operation: string): TypedArray {
    if (this.block === undefined) throw releasedError(operation, "buffer");
    const { memory, offset } = this.block;
    const { array, bytes } = dtypes[this.dtype];
    return new array(memory, offset, this.byteLength / bytes);
  }
}

/**
 * Makes and recycles buffers. Memory that unreachable buffers leave comes back only when their finalisers run, which
 * needs a turn of the event loop; so only `budget` bytes are kept that way, and V8 frees what is beyond by itself.
 */
export class HostMemory {
  readonly #ort: OnnxRuntime;
  readonly #budget: number;
  readonly #createTensor;
  readonly #releaseValue: (value: Pointer) => void;
  readonly #memoryInfo: Pointer;
  // ONNX Runtime copies the shape out of this.
  readonly #dims = new BigInt64Array(new ArrayBuffer(8 * 64));
  readonly #dimsAddress = addressOf(this.#dims.buffer);
  readonly #pool: BlockPool<HostBlock>;
  readonly #registry = new FinalizationRegistry((remains: Remains) => this.#recycle(remains));
  /** Bytes of buffers in use, and of those the ones that finalisers will give back. */
  #live = 0;
  #kept = 0;
  #peak = 0;

  constructor(ort: OnnxRuntime, budget: number) {
    this.#ort = ort;
    this.#budget = budget;
    this.#createTensor = ort.bind("CreateTensorWithDataAsOrtValue");
    this.#releaseValue = ort.bind("ReleaseValue");
    this.#memoryInfo = ort.cpuMemory("device");
    this.#pool = new BlockPool(budget, (block) => this.#releaseValues(block.values));
  }

  allocate(executor: Executor, dtype: DType, shape: readonly number[]): HostBuffer {
    const bytes = byteLengthOf(dtype, shape);
    const capacity = Math.max(alignment, Math.ceil(bytes / alignment) * alignment);
    let block = this.#pool.take(capacity);
    if (block === undefined) {
      block = this.#newBlock(capacity, bytes, dtype, shape);
    } else if (block.dtype !== dtype || !sameShape(block.shape, shape)) {
      this.#releaseValues(block.values);
      block.values.own = this.#newValue(block.address, bytes, dtype, shape);
      block.dtype = dtype;
      block.shape = shape;
    }
    const kept = this.#kept + this.#pool.bytes + capacity <= this.#budget;
    const buffer = new HostBuffer(executor, dtype, shape, block, kept);
    this.#registry.register(buffer, kept ? block : { capacity, values: block.values }, buffer);
    this.#live += capacity;
    if (kept) this.#kept += capacity;
    this.#peak = Math.max(this.#peak, this.#live + this.#pool.bytes);
    return buffer;
  }

  release(buffer: HostBuffer): void {
    const block = buffer.block;
    if (block === undefined) return;
    buffer.block = undefined;
    this.#registry.unregister(buffer);
    this.#live -= block.capacity;
    if (buffer.kept) this.#kept -= block.capacity;
    this.#pool.put(block);
  }

  /** The value over a buffer's memory, in that shape of as many elements. */
  value({ block, dtype, shape: own, byteLength }: HostBuffer, shape: readonly number[]): Pointer {
    if (block === undefined) throw releasedError("run", "buffer");
    const { values, address } = block;
    if (sameShape(own, shape)) return values.own;
    if (values.other === undefined || !sameShape(values.other.shape, shape)) {
      if (values.other !== undefined) this.#releaseValue(values.other.value);
      values.other = { value: this.#newValue(address, byteLength, dtype, shape), shape };
    }
    return values.other.value;
  }

  #releaseValues(values: Values): void {
    this.#releaseValue(values.own);
    if (values.other !== undefined) this.#releaseValue(values.other.value);
    values.other = undefined;
  }

  usage(): { readonly current: number; readonly peak: number } {
    return { current: this.#live + this.#pool.bytes, peak: this.#peak };
  }

  #recycle(remains: Remains): void {
    this.#live -= remains.capacity;
    if ("memory" in remains) {
      this.#kept -= remains.capacity;
      this.#pool.put(remains);
    } else {
      this.#releaseValues(remains.values);
    }
  }

  #newBlock(capacity: number, bytes: number, dtype: DType, shape: readonly number[]): HostBlock {
    const memory = new ArrayBuffer(capacity + alignment);
    const start = addressOf(memory);
    const offset = Number(-start & BigInt(alignment - 1));
    const address = start + BigInt(offset);
    const values = { own: this.#newValue(address, bytes, dtype, shape) };
    return { capacity, memory, offset, address, values, dtype, shape };
  }

  #newValue(address: Pointer, bytes: number, dtype: DType, shape: readonly number[]): Pointer {
    shape.forEach((size, i) => (this.#dims[i] = BigInt(size)));
    this.#ort.check(
      this.#createTensor(
        this.#memoryInfo,
        address,
        bytes,
        this.#dimsAddress,
        shape.length,
        dtypes[dtype].onnx,
        this.#ort.out,
      ),
    );
    return this.#ort.made();
  }
}

const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a === b || (a.length === b.length && a.every((size, i) => size === b[i]));
