/** Reads what `torch.save` writes, without running anything: tensors and plain containers of them. */
import type { StateDict } from "../nn/module.ts";
import { Tensor } from "../tensor.ts";
import { FormatError, shown } from "./format-error.ts";
import { unpickle } from "./pickle.ts";
import { PickledDict, PickledObject, PickledSet, PickledTuple, type Pickled } from "./pickled.ts";
import { PickledTensor } from "./torch-parts.ts";
import { TorchObjects } from "./torch-objects.ts";
import { defaultMaxBytes, isZip, openZip, type Zip } from "./zip.ts";

/**
 * What a checkpoint holds. Dicts whose keys are all text are objects, others Maps; tuples and lists are arrays; whole
 * numbers that a number cannot hold exactly are bigints; dtypes and devices are text, e.g. "torch.float32" and "cuda:0".
 */
export type TorchValue =
  | Tensor
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | TorchValue[]
  | Set<TorchValue>
  | Map<TorchValue, TorchValue>
  | TorchDict;

/** A dict of a checkpoint whose keys are not all texts. */
export interface TorchDict {
  [key: string]: TorchValue;
}

/** How a checkpoint is read. */
export interface TorchValueOptions {
  /**
   * Most bytes that the unpacked archive may have, and most that the tensors made of it may; unless given, 64 times the
   * file's size and 1 MiB, and tensors no more than 8 times what is unpacked.
   */
  readonly maxBytes?: number;
}

/** Which state dict of a checkpoint is read. */
export interface TorchOptions extends TorchValueOptions {
  /** Where the state dict stands in a checkpoint that holds more, e.g. "model". */
  readonly key?: string;
}

/** Deepest nesting of containers. */
const MAX_DEPTH = 200;

/**
 * The state dict in the bytes of a `.pt`, `.pth` or `.bin` file, e.g. for `model.loadStateDict(fromTorch(bytes))`.
 * @throws FormatError as {@link fromTorchValue} does, and when what is there is no dict of tensors.
 */
export function fromTorch(bytes: Uint8Array, { key, ...options }: TorchOptions = {}): StateDict {
  const whole = fromTorchValue(bytes, options);
  if (key !== undefined && !(isDict(whole) && Object.hasOwn(whole, key)))
    throw wrong(`there is nothing by the key ${shown(key)}, got ${described(whole)}`);
  const value = key === undefined ? whole : (whole as TorchDict)[key]!;
  if (!isStateDict(value))
    throw wrong(
      `expected a dict of tensors, got ${described(value)}; ${key === undefined ? "name the key of the state dict with { key }, or " : ""}read all of it as a plain value with fromTorchValue or loadTorchValue`,
    );
  return value;
}

/**
 * Whatever `torch.save` wrote (PyTorch 1.6 and later), as `torch.load(path, weights_only=True)` reads it: tensors,
 * parameters, NumPy arrays and numbers, and plain containers. Nothing of the file is run. Views of a storage are made
 * whole; equal views are one tensor. bfloat16 is read as float32, and int8, uint8, int16 and uint16 as int32, without loss.
 * No tensor requires gradients.
 * @throws FormatError when the file is damaged, of the format before 1.6, a TorchScript program, or over the limits;
 * and when it names any other Python object, saying which.
 */
export function fromTorchValue(bytes: Uint8Array, options: TorchValueOptions = {}): TorchValue {
  if (!isZip(bytes)) {
    throw wrong(
      isLegacyTorch(bytes)
        ? 'the file has the format before PyTorch 1.6; save it anew in Python: torch.save(torch.load(path, map_location="cpu"), path)'
        : "expected the zip archive of torch.save, got something else; is the file whole?",
    );
  }
  const zip = openZip("torch", bytes, options);
  const content = partsOf(zip);
  const limit =
    options.maxBytes ?? Math.min(8 * zip.unpackedBytes + 2 ** 20, defaultMaxBytes(bytes.length));
  let spent = 0;
  const spend = (count: number): void => {
    spent += count;
    if (spent > limit)
      throw wrong(
        `its tensors need more than ${limit} bytes, far more than the file has; if you trust it, raise { maxBytes }`,
      );
  };
  const objects = new TorchObjects({ ...content, spend });
  const pickled = unpickle(content.pickle, {
    global: (module, name) => objects.global(module, name),
    persistent: (id) => objects.persistent(id),
  });
  return new Plain(content.pickle.length).of(pickled, 0);
}

/** Whether bytes begin as `torch.save` wrote them before PyTorch 1.6: with a magic number, pickled. */
export const isLegacyTorch = (bytes: Uint8Array): boolean =>
  [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc].every((byte, i) => bytes[i] === byte);

function partsOf({ entries }: Zip) {
  const pickles = [...entries.keys()].filter((name) => /(^|\/)data\.pkl$/.test(name));
  const [name] = pickles;
  if (name === undefined || pickles.length > 1)
    throw wrong(`the archive has ${pickles.length} entries data.pkl, expected one; is it torch's?`);
  const prefix = name.slice(0, -"data.pkl".length);
  if (entries.has(`${prefix}constants.pkl`))
    throw wrong(
      "the file is a TorchScript program; save its weights in Python: torch.save(model.state_dict(), path)",
    );
  const order = entries.get(`${prefix}byteorder`)?.();
  const byteOrder = order === undefined ? "little" : String.fromCharCode(...order.subarray(0, 16));
  if (byteOrder !== "little" && byteOrder !== "big")
    throw wrong(`the byte order is ${shown(byteOrder)}, expected little or big`);
  const read = new Map<string, Uint8Array>();
  return {
    pickle: entries.get(name)!(),
    bigEndian: byteOrder === "big",
    storage(key: string): Uint8Array {
      let bytes = read.get(key);
      if (bytes === undefined) {
        const unpack = entries.get(`${prefix}data/${key}`);
        if (unpack === undefined) throw wrong(`storage ${shown(key)} is missing from the archive`);
        bytes = unpack();
        read.set(key, bytes);
      }
      return bytes;
    },
  };
}

/** Turns what a pickle built into plain values; what is shared stays shared. */
class Plain {
  readonly #made = new Map<Pickled, TorchValue>();
  readonly #open = new Set<Pickled>();
  /** Items of containers that may still be made: an honest pickle spends a byte on each, twice for a set. */
  #left: number;

  constructor(pickleBytes: number) {
    this.#left = 2 * pickleBytes;
  }

  of(value: Pickled, depth: number): TorchValue {
    if (typeof value !== "object" || value === null) return value;
    if (value instanceof PickledTensor) return value.tensor;
    if (value instanceof PickledObject)
      throw wrong(`${value.name} stands where a value is expected, which is none`);
    const known = this.#made.get(value);
    if (known !== undefined) return known;
    if (depth > MAX_DEPTH) throw wrong(`containers are nested deeper than ${MAX_DEPTH}`);
    if (this.#open.has(value)) throw wrong("a container contains itself");
    this.#open.add(value);
    const made = this.#container(value, depth + 1);
    this.#open.delete(value);
    this.#made.set(value, made);
    return made;
  }

  #container(
    value: Pickled[] | Uint8Array | PickledTuple | PickledDict | PickledSet,
    depth: number,
  ): TorchValue {
    if (value instanceof Uint8Array) return new Uint8Array(value);
    const items =
      value instanceof PickledDict ? value.pairs : Array.isArray(value) ? value : value.items;
    this.#left -= items.length;
    if (this.#left < 0) throw wrong("its containers have far more items than the file has bytes");
    if (value instanceof PickledDict) return this.#dict(value, depth);
    const plain = (items as readonly Pickled[]).map((item) => this.of(item, depth));
    return value instanceof PickledSet ? new Set(plain) : plain;
  }

  #dict({ pairs }: PickledDict, depth: number): TorchValue {
    const entries = pairs.map(([key, value]): [TorchValue, TorchValue] => {
      if (typeof key === "object" && key !== null && !(key instanceof PickledTuple))
        throw wrong("a dict has a key that is neither text nor a number");
      return [this.of(key, depth), this.of(value, depth)];
    });
    return entries.every(([key]) => typeof key === "string")
      ? Object.fromEntries(entries as [string, TorchValue][])
      : new Map(entries);
  }
}

const isDict = (value: TorchValue): value is TorchDict =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;

const isStateDict = (value: TorchValue): value is StateDict =>
  isDict(value) && Object.values(value).every((item) => item instanceof Tensor);

/** What a value is, for messages. */
function described(value: TorchValue): string {
  if (!isDict(value)) return kindOf(value);
  const keys = Object.entries(value).map(([key, item]) => `${shown(key)} (${kindOf(item)})`);
  const more = keys.length > 8 ? ` and ${keys.length - 8} more` : "";
  return `a dict of ${keys.slice(0, 8).join(", ")}${more}`;
}

function kindOf(value: TorchValue): string {
  if (value === null) return "None";
  if (value instanceof Tensor) return "tensor";
  if (Array.isArray(value)) return "list";
  if (value instanceof Map || isDict(value)) return "dict";
  if (value instanceof Set) return "set";
  return value instanceof Uint8Array ? "bytes" : typeof value;
}

const wrong = (problem: string): FormatError => new FormatError(`torch: ${problem}`);
