/** The Python objects that a PyTorch checkpoint may name: tensors, what they are made of, and NumPy's numbers; no others. */
import { dtypes } from "../graph/dtype.ts";
import { numel, strides as rowMajor } from "../graph/shape.ts";
import type { Tensor } from "../tensor.ts";
import {
  checkedSize,
  isContiguous,
  isCounts,
  storedTypes,
  tensorOf,
  type Layout,
  type StoredType,
} from "./elements.ts";
import { FormatError, shown } from "./format-error.ts";
import { numpyType } from "./npy.ts";
import { PickledSet, PickledTuple, type Pickled, type PickledObject } from "./pickled.ts";
import {
  Callable,
  Class,
  counter,
  device,
  dtypeNamed,
  list,
  NumpyDType,
  numpyDType,
  orderedDict,
  parameter,
  PickledTensor,
  rebuilt,
  scalarOf,
  Storage,
  StorageClass,
  tuple,
} from "./torch-parts.ts";

const TYPES: ReadonlyMap<string, StoredType> = new Map<string, StoredType>([
  ["FloatStorage", "float32"],
  ["DoubleStorage", "float64"],
  ["HalfStorage", "float16"],
  ["BFloat16Storage", "bfloat16"],
  ["LongStorage", "int64"],
  ["IntStorage", "int32"],
  ["ShortStorage", "int16"],
  ["CharStorage", "int8"],
  ["ByteStorage", "uint8"],
  ["BoolStorage", "bool"],
]);

/** Names of torch's dtypes: `torch.float32` and so on are values of a checkpoint themselves. */
const DTYPE = /^(float(16|32|64|8_\w+)|bfloat16|u?int(8|16|32|64)|bool|complex(32|64|128))$/;

/** Classes that are only ever arguments. */
const ARGUMENTS = ["numpy.ndarray", "torch.Tensor", "torch.nn.parameter.Parameter"];

/** What a tensor takes besides its elements, at least. */
const TENSOR_BYTES = 256;

/** Where the parts of a checkpoint outside of its pickle come from. */
export interface Archive {
  /** The bytes of a storage. */
  readonly storage: (key: string) => Uint8Array;
  readonly bigEndian: boolean;
  /** Counts bytes that are about to be allocated; throws when they become too many. */
  readonly spend: (bytes: number) => void;
}

/** The objects of one checkpoint. */
export class TorchObjects {
  readonly #archive: Archive;
  readonly #globals: ReadonlyMap<string, PickledObject>;
  /** Tensors by storage, type and layout: those that PyTorch shares are one here, too. */
  readonly #tensors = new Map<string, PickledTensor>();

  constructor(archive: Archive) {
    this.#archive = archive;
    this.#globals = this.#allowed();
  }

  /** What a name in the pickle stands for. */
  global(module: string, name: string): Pickled {
    const full = `${module}.${name}`;
    if (module === "torch" && DTYPE.test(name)) return full;
    const found = this.#globals.get(full);
    if (found !== undefined) return found;
    if (module === "torch" && name.endsWith("Storage"))
      throw wrong(
        `tensors of ${shown(full)} are not supported, expected one of ${[...TYPES.keys()].join(", ")}; convert them in Python, e.g. with .float()`,
      );
    throw wrong(
      `the checkpoint names the Python object ${shown(full)}, which is not loaded: only tensors and plain containers are, ` +
        "for anything else may run code. If you trust the file, load it in Python and save its tensors alone, " +
        "e.g. torch.save(model.state_dict(), path)",
    );
  }

  /** The storage that an id in the pickle stands for. */
  persistent(id: Pickled): Pickled {
    const [kind, storage, key, , count] = id instanceof PickledTuple ? id.items : [];
    if (kind !== "storage" || !(storage instanceof StorageClass) || typeof key !== "string")
      throw wrong("a storage has no valid id");
    const bytes = this.#archive.storage(key);
    const width = storage.type === null ? 1 : storedTypes[storage.type].bytes;
    if (typeof count !== "number") throw wrong(`storage ${shown(key)} has no valid size`);
    if (bytes.length !== count * width)
      throw wrong(
        `storage ${shown(key)} should have ${count} elements of ${width} bytes, got ${bytes.length} bytes; is the file damaged?`,
      );
    return new Storage(key, storage.type, bytes);
  }

  #allowed(): Map<string, PickledObject> {
    const functions: Record<string, (args: readonly Pickled[]) => Pickled> = {
      "collections.OrderedDict": ([pairs]) => orderedDict(pairs),
      "collections.Counter": ([counts]) => counter(counts),
      "_codecs.encode": ([text, encoding]) => this.#encoded(text, encoding),
      "torch.Size": ([sizes]) => tuple("torch.Size", sizes),
      "torch.device": ([type, index]) => device(type, index),
      "torch._utils._rebuild_tensor": (args) => this.#tensor(args, null),
      "torch._utils._rebuild_tensor_v2": (args) => this.#tensor(args, null),
      "torch._utils._rebuild_tensor_v3": (args) => this.#tensor(args, args[6]),
      "torch._utils._rebuild_parameter": ([data]) => parameter(data),
      "torch._utils._rebuild_parameter_with_state": ([data]) => parameter(data),
      "torch._tensor._rebuild_from_type_v2": ([make, type, args]) => rebuilt(make, type, args),
      "numpy.dtype": ([code]) => numpyDType(code),
    };
    for (const module of ["builtins", "__builtin__"]) {
      for (const name of ["set", "frozenset"])
        functions[`${module}.${name}`] = ([items]) => new PickledSet(list(name, items));
      for (const name of ["bytes", "bytearray"])
        functions[`${module}.${name}`] = ([content, encoding]) =>
          content === undefined || content instanceof Uint8Array
            ? (content ?? new Uint8Array(0))
            : this.#encoded(content, encoding);
    }
    for (const module of ["numpy.core.multiarray", "numpy._core.multiarray"]) {
      functions[`${module}.scalar`] = ([dtype, content]) => this.#scalar(dtype, content);
      functions[`${module}._reconstruct`] = () =>
        new PickledTensor((state) => this.#numpyArray(state));
    }
    const globals = new Map<string, PickledObject>(
      Object.entries(functions).map(([name, run]) => [name, new Callable(name, run)]),
    );
    for (const [name, type] of TYPES)
      globals.set(`torch.${name}`, new StorageClass(`torch.${name}`, type));
    for (const name of ["torch.UntypedStorage", "torch.storage.UntypedStorage"])
      globals.set(name, new StorageClass(name, null));
    for (const name of ARGUMENTS) globals.set(name, new Class(name));
    return globals;
  }

  /** Text of characters below 256 as bytes, which is how protocol 2 writes bytes. */
  #encoded(text: Pickled | undefined, encoding: Pickled | undefined): Uint8Array {
    if (typeof text !== "string" || (encoding !== "latin1" && encoding !== "latin-1"))
      throw wrong("bytes are not written as latin1");
    this.#archive.spend(text.length);
    return Uint8Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  }

  #tensor(
    [storage, offset, size, stride]: readonly Pickled[],
    dtype: Pickled | undefined,
  ): PickledTensor {
    if (!(storage instanceof Storage)) throw wrong("a tensor has no storage");
    const type = storage.type ?? dtypeNamed(dtype);
    const shape = [...tuple("a tensor's size", size).items];
    const count = checkedSize("torch: a tensor", shape);
    const strides = [...tuple("a tensor's stride", stride).items];
    if (!isCounts(shape) || !isCounts(strides) || strides.length !== shape.length)
      throw wrong(`a tensor of ${shape.length} dimensions has no valid strides`);
    if (!isCounts([offset])) throw wrong("a tensor has no valid offset");
    const first = offset as number;
    const reach = shape.reduce((last, n, d) => last + (n - 1) * strides[d]!, first) + 1;
    const width = storedTypes[type].bytes;
    if (count > 0 && reach * width > storage.bytes.length)
      throw wrong(
        `a tensor of shape [${shape.join()}], strides [${strides.join()}] and offset ${first} exceeds storage ${shown(storage.key)} of ${storage.bytes.length} bytes`,
      );
    const key = JSON.stringify([storage.key, type, first, shape, strides]);
    let tensor = this.#tensors.get(key);
    if (tensor === undefined) {
      const bytes =
        count === 0 ? new Uint8Array(0) : storage.bytes.subarray(first * width, reach * width);
      tensor = this.#made(bytes, { type, shape, strides, bigEndian: this.#archive.bigEndian });
      this.#tensors.set(key, tensor);
    }
    return tensor;
  }

  #made(bytes: Uint8Array, layout: Required<Layout>): PickledTensor {
    const { type, shape, strides, bigEndian } = layout;
    const count = numel(shape);
    const { dtype, bytes: width } = storedTypes[type];
    this.#archive.spend(count * Math.max(width, dtypes[dtype].bytes) + TENSOR_BYTES);
    const plain = count === 0 || isContiguous(shape, strides);
    return new PickledTensor(tensorOf(bytes, plain ? { type, shape, bigEndian } : layout));
  }

  /** https://github.com/numpy/numpy/blob/main/numpy/_core/src/multiarray/methods.c, array_setstate */
  #numpyArray(state: Pickled): Tensor {
    const [, size, dtype, fortran, content] = tuple("a NumPy array's state", state).items;
    const shape = [...tuple("a NumPy array's shape", size).items];
    const count = checkedSize("torch: a NumPy array", shape);
    if (!(dtype instanceof NumpyDType) || !(content instanceof Uint8Array) || !isCounts(shape))
      throw wrong("a NumPy array has no valid state");
    const { type, bigEndian } = numpyType("torch: a NumPy array", dtype.descr);
    if (content.length !== count * storedTypes[type].bytes)
      throw wrong(
        `a NumPy array of shape [${shape.join()}] has ${content.length} bytes, expected ${count * storedTypes[type].bytes}`,
      );
    const strides = fortran === true ? rowMajor([...shape].reverse()).reverse() : rowMajor(shape);
    return this.#made(content, { type, shape, strides, bigEndian }).tensor;
  }

  #scalar(dtype: Pickled | undefined, content: Pickled | undefined): Pickled {
    if (!(dtype instanceof NumpyDType) || !(content instanceof Uint8Array))
      throw wrong("a NumPy number has no valid value");
    const { type, bigEndian } = numpyType("torch: a NumPy number", dtype.descr);
    const width = storedTypes[type].bytes;
    if (content.length !== width)
      throw wrong(`a NumPy number has ${content.length} bytes, expected ${width}`);
    return scalarOf(type, content, !bigEndian);
  }
}

const wrong = (problem: string): FormatError => new FormatError(`torch: ${problem}`);
