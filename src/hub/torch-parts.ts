/** What a PyTorch checkpoint is built of while it is read: storages, tensors, dtypes, and the functions that make them. */
import { halfValue } from "../graph/half.ts";
import type { Tensor } from "../tensor.ts";
import { storedTypes, type StoredType } from "./elements.ts";
import { FormatError, shown } from "./format-error.ts";
import { PickledDict, PickledObject, PickledTuple, type Pickled } from "./pickled.ts";

/** A function or class that the pickle may name and call. */
export class Callable extends PickledObject {
  readonly name: string;
  readonly #run: (args: readonly Pickled[]) => Pickled;

  constructor(name: string, run: (args: readonly Pickled[]) => Pickled) {
    super();
    this.name = name;
    this.#run = run;
  }

  override call(args: readonly Pickled[]): Pickled {
    return this.#run(args);
  }
}

/** A class that is named, but never called. */
export class Class extends PickledObject {
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }
}

/** A class of storages: of one element type, or of bytes (null). */
export class StorageClass extends PickledObject {
  readonly name: string;
  readonly type: StoredType | null;

  constructor(name: string, type: StoredType | null) {
    super();
    this.name = name;
    this.type = type;
  }
}

export class Storage extends PickledObject {
  readonly name = "a storage";
  readonly key: string;
  readonly type: StoredType | null;
  readonly bytes: Uint8Array;

  constructor(key: string, type: StoredType | null, bytes: Uint8Array) {
    super();
    this.key = key;
    this.type = type;
    this.bytes = bytes;
  }
}

/** A tensor, or a NumPy array, whose elements come as its state. */
export class PickledTensor extends PickledObject {
  readonly name: string;
  readonly #build: ((state: Pickled) => Tensor) | null;
  #tensor: Tensor | null;

  constructor(source: Tensor | ((state: Pickled) => Tensor)) {
    super();
    const late = typeof source === "function";
    this.name = late ? "a NumPy array" : "a tensor";
    this.#build = late ? source : null;
    this.#tensor = late ? null : source;
  }

  get tensor(): Tensor {
    if (this.#tensor === null) throw wrong("a NumPy array has no elements");
    return this.#tensor;
  }

  override build(state: Pickled): void {
    if (this.#build === null) return super.build(state);
    this.#tensor = this.#build(state);
  }
}

export class NumpyDType extends PickledObject {
  readonly name = "a NumPy dtype";
  readonly #code: string;
  #order = "<";

  constructor(code: string) {
    super();
    this.#code = code;
  }

  get descr(): string {
    return this.#order + this.#code;
  }

  override build(state: Pickled): void {
    const order = state instanceof PickledTuple ? state.items[1] : undefined;
    if (order !== "<" && order !== ">" && order !== "|" && order !== "=")
      throw wrong("a NumPy dtype has no valid byte order");
    this.#order = order;
  }
}

/** One number, not as a tensor. */
export function scalarOf(type: StoredType, bytes: Uint8Array, little: boolean): Pickled {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (type) {
    case "float32":
      return view.getFloat32(0, little);
    case "float64":
      return view.getFloat64(0, little);
    case "float16":
      return halfValue(view.getUint16(0, little));
    case "int64": {
      const value = view.getBigInt64(0, little);
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    }
    case "int32":
      return view.getInt32(0, little);
    case "uint32":
      return view.getUint32(0, little);
    case "int16":
      return view.getInt16(0, little);
    case "uint16":
      return view.getUint16(0, little);
    case "int8":
      return view.getInt8(0);
    case "uint8":
      return view.getUint8(0);
    case "bool":
      return view.getUint8(0) !== 0;
    case "bfloat16":
      throw wrong("a NumPy number of type bfloat16 is not supported");
  }
}

export function orderedDict(pairs: Pickled | undefined): PickledDict {
  const dict = new PickledDict();
  for (const pair of pairs === undefined ? [] : list("OrderedDict", pairs)) {
    const [key, value, more] = pair instanceof PickledTuple ? pair.items : [];
    if (key === undefined || value === undefined || more !== undefined)
      throw wrong("an OrderedDict is made of what are no pairs");
    dict.pairs.push([key, value]);
  }
  return dict;
}

export function counter(counts: Pickled | undefined): PickledDict {
  if (!(counts instanceof PickledDict)) throw wrong("a Counter is made of what is no dict");
  return counts;
}

/** A tensor that bears attributes, which are left out; subclasses of tensors are not known. */
export function rebuilt(
  make: Pickled | undefined,
  type: Pickled | undefined,
  args: Pickled | undefined,
): Pickled {
  // Not by this function again: calls within calls would have no end.
  const known = make instanceof Callable && make.name.startsWith("torch._utils._rebuild_");
  if (!known || !(type instanceof Class))
    throw wrong("a tensor with attributes is not made as a tensor or parameter");
  return make.call(tuple("a tensor's arguments", args).items);
}

export function device(type: Pickled | undefined, index: Pickled | undefined): string {
  const known = typeof type === "string" && (index === undefined || typeof index === "number");
  if (!known) throw wrong("a device has no valid name");
  return index === undefined ? type : `${type}:${index}`;
}

export function parameter(data: Pickled | undefined): PickledTensor {
  if (!(data instanceof PickledTensor)) throw wrong("a parameter is made of what is no tensor");
  return data;
}

export function numpyDType(code: Pickled | undefined): NumpyDType {
  if (typeof code !== "string") throw wrong("a NumPy dtype has no name");
  return new NumpyDType(code);
}

/** The element type of a tensor whose storage has none, from `torch.uint32` and the like. */
export function dtypeNamed(dtype: Pickled | undefined): StoredType {
  const name = typeof dtype === "string" ? dtype.replace(/^torch\./, "") : "";
  if (!Object.hasOwn(storedTypes, name))
    throw wrong(`a tensor has the dtype ${shown(name) || "none"}, which is not supported`);
  return name as StoredType;
}

export function tuple(what: string, value: Pickled | undefined): PickledTuple {
  if (!(value instanceof PickledTuple)) throw wrong(`${what} is no tuple`);
  return value;
}

export function list(what: string, value: Pickled | undefined): Pickled[] {
  if (!Array.isArray(value)) throw wrong(`${what} is made of what is no list`);
  return value;
}

const wrong = (problem: string): FormatError => new FormatError(`torch: ${problem}`);
