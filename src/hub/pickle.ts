/**
 * A pickle machine that cannot run anything: it knows the opcodes that `torch.save` emits, builds plain containers, and
 * leaves every name of a Python object to a function that allows it or throws.
 */
import { FormatError } from "./format-error.ts";
import { PickledDict, PickledObject, PickledSet, PickledTuple, type Pickled } from "./pickled.ts";

export interface PickleHost {
  /** What a Python object's name stands for; throws unless it is known and harmless. */
  readonly global: (module: string, name: string) => Pickled;
  /** What lies outside of the pickle under this id. */
  readonly persistent: (id: Pickled) => Pickled;
}

/** Longest whole number, in bytes: Python writes longer ones, weights hold none. */
const MAX_INTEGER = 1024;
const HIGHEST_PROTOCOL = 5;

/**
 * The object in the bytes of a pickle of protocol 2 to 5. https://docs.python.org/3/library/pickletools.html
 * @throws FormatError when the pickle is damaged, or has an opcode that is none of plain data.
 */
export function unpickle(bytes: Uint8Array, host: PickleHost): Pickled {
  return new Machine(bytes, host).run();
}

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #host: PickleHost;
  #at = 0;
  readonly #stack: Pickled[] = [];
  /** Heights of the stack at which marks stand. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, Pickled>();

  constructor(bytes: Uint8Array, host: PickleHost) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#host = host;
  }

  run(): Pickled {
    for (;;) {
      const at = this.#at;
      const opcode = this.#u8();
      if (opcode === 0x2e) return this.#pop();
      if (!this.#constant(opcode) && !this.#container(opcode) && !this.#object(opcode))
        throw this.#wrong(`opcode 0x${opcode.toString(16)} at byte ${at} is none of plain data`);
    }
  }

  /** Numbers, strings and bytes. */
  #constant(opcode: number): boolean {
    switch (opcode) {
      case 0x4e: // NONE
        return this.#push(null);
      case 0x88: // NEWTRUE
        return this.#push(true);
      case 0x89: // NEWFALSE
        return this.#push(false);
      case 0x4b: // BININT1
        return this.#push(this.#u8());
      case 0x4d: // BININT2
        return this.#push(this.#view.getUint16(this.#take(2), true));
      case 0x4a: // BININT
        return this.#push(this.#view.getInt32(this.#take(4), true));
      case 0x8a: // LONG1
        return this.#push(this.#integer(this.#u8()));
      case 0x8b: // LONG4
        return this.#push(this.#integer(this.#u32()));
      case 0x47: // BINFLOAT, big-endian
        return this.#push(this.#view.getFloat64(this.#take(8), false));
      case 0x8c: // SHORT_BINUNICODE
      case 0x55: // SHORT_BINSTRING
        return this.#push(this.#text(this.#u8()));
      case 0x58: // BINUNICODE
      case 0x54: // BINSTRING
        return this.#push(this.#text(this.#u32()));
      case 0x8d: // BINUNICODE8
        return this.#push(this.#text(this.#u64()));
      case 0x43: // SHORT_BINBYTES
        return this.#push(this.#slice(this.#u8()));
      case 0x42: // BINBYTES
        return this.#push(this.#slice(this.#u32()));
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        return this.#push(this.#slice(this.#u64()));
      default:
        return false;
    }
  }

  #container(opcode: number): boolean {
    switch (opcode) {
      case 0x28: // MARK
        this.#marks.push(this.#stack.length);
        return true;
      case 0x5d: // EMPTY_LIST
        return this.#push([]);
      case 0x7d: // EMPTY_DICT
        return this.#push(new PickledDict());
      case 0x8f: // EMPTY_SET
        return this.#push(new PickledSet([]));
      case 0x29: // EMPTY_TUPLE
        return this.#push(new PickledTuple([]));
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.#push(new PickledTuple(this.#popMany(opcode - 0x84)));
      case 0x74: // TUPLE
        return this.#push(new PickledTuple(this.#popToMark()));
      case 0x91: // FROZENSET
        return this.#push(new PickledSet(this.#popToMark()));
      case 0x61: // APPEND
        return this.#append([this.#pop()]);
      case 0x65: // APPENDS
        return this.#append(this.#popToMark());
      case 0x73: // SETITEM
        return this.#setItems(this.#popMany(2));
      case 0x75: // SETITEMS
        return this.#setItems(this.#popToMark());
      case 0x90: {
        // ADDITEMS
        const items = this.#popToMark();
        const set = this.#top();
        if (!(set instanceof PickledSet)) throw this.#wrong("items are added to what is no set");
        for (const item of items) set.items.push(item);
        return true;
      }
      default:
        return false;
    }
  }

  /** The stack and the memo themselves, names, calls. */
  #object(opcode: number): boolean {
    switch (opcode) {
      case 0x80: {
        // PROTO
        const protocol = this.#u8();
        if (protocol > HIGHEST_PROTOCOL)
          throw this.#wrong(`expected protocol ${HIGHEST_PROTOCOL} or lower, got ${protocol}`);
        return true;
      }
      case 0x95: // FRAME
        this.#u64();
        return true;
      case 0x30: // POP
        if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
        else this.#pop();
        return true;
      case 0x31: // POP_MARK
        this.#popToMark();
        return true;
      case 0x32: // DUP
        return this.#push(this.#top());
      case 0x71: // BINPUT
        return this.#remember(this.#u8());
      case 0x72: // LONG_BINPUT
        return this.#remember(this.#u32());
      case 0x94: // MEMOIZE
        return this.#remember(this.#memo.size);
      case 0x68: // BINGET
        return this.#recall(this.#u8());
      case 0x6a: // LONG_BINGET
        return this.#recall(this.#u32());
      case 0x63: // GLOBAL
        return this.#push(this.#host.global(this.#line(), this.#line()));
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = this.#popMany(2);
        if (typeof module !== "string" || typeof name !== "string")
          throw this.#wrong("an object's name is no text");
        return this.#push(this.#host.global(module, name));
      }
      case 0x51: // BINPERSID
        return this.#push(this.#host.persistent(this.#pop()));
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const [callable, args] = this.#popMany(2);
        if (!(callable instanceof PickledObject))
          throw this.#wrong("what is called is no function");
        if (!(args instanceof PickledTuple))
          throw this.#wrong(`the arguments of ${callable.name} are no tuple`);
        return this.#push(callable.call(args.items));
      }
      case 0x62: {
        // BUILD
        const state = this.#pop();
        const target = this.#top();
        if (target instanceof PickledObject) target.build(state);
        // An OrderedDict's attributes, e.g. `_metadata` of a state dict, are no items.
        else if (!(target instanceof PickledDict))
          throw this.#wrong("a state is given to what has none");
        return true;
      }
      default:
        return false;
    }
  }

  // ---- stack and memo --------------------------------------------------------------------------------------------

  #push(value: Pickled): true {
    this.#stack.push(value);
    return true;
  }

  #top(): Pickled {
    const floor = this.#marks.at(-1) ?? 0;
    if (this.#stack.length <= floor) throw this.#wrong("it takes more than it has built");
    return this.#stack.at(-1)!;
  }

  #pop(): Pickled {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #popMany(count: number): Pickled[] {
    const floor = this.#marks.at(-1) ?? 0;
    if (this.#stack.length - count < floor) throw this.#wrong("it takes more than it has built");
    return this.#stack.splice(-count);
  }

  #popToMark(): Pickled[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#wrong("it ends a list that it has not begun");
    return this.#stack.splice(mark);
  }

  #append(items: readonly Pickled[]): true {
    const list = this.#top();
    if (!Array.isArray(list)) throw this.#wrong("items are appended to what is no list");
    for (const item of items) list.push(item);
    return true;
  }

  #setItems(items: readonly Pickled[]): true {
    const dict = this.#top();
    if (!(dict instanceof PickledDict) || items.length % 2 === 1)
      throw this.#wrong("items are set in what is no dict");
    for (let i = 0; i < items.length; i += 2) dict.pairs.push([items[i]!, items[i + 1]!]);
    return true;
  }

  #remember(key: number): true {
    this.#memo.set(key, this.#top());
    return true;
  }

  #recall(key: number): true {
    const value = this.#memo.get(key);
    if (value === undefined) throw this.#wrong(`it recalls object ${key}, which it has not stored`);
    return this.#push(value);
  }

  // ---- bytes -----------------------------------------------------------------------------------------------------

  /** Where the next `count` bytes begin, which are taken. */
  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw this.#wrong("it is truncated");
    this.#at += count;
    return at;
  }

  #slice(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  #u8(): number {
    return this.#bytes[this.#take(1)]!;
  }

  #u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  #u64(): number {
    return Number(this.#view.getBigUint64(this.#take(8), true));
  }

  /** A whole number in two's complement, little-endian; a bigint where a number is not exact. */
  #integer(length: number): number | bigint {
    if (length > MAX_INTEGER)
      throw this.#wrong(
        `it has a whole number of ${length} bytes, expected ${MAX_INTEGER} at most`,
      );
    let value = 0n;
    const bytes = this.#slice(length);
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
    value = BigInt.asIntN(8 * length, value);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  #text(length: number): string {
    const bytes = this.#slice(length);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (error) {
      throw this.#wrong("it has text that is not UTF-8", { cause: error });
    }
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.#wrong("it is truncated");
    const text = this.#text(end - this.#at);
    this.#take(1);
    return text;
  }

  #wrong(problem: string, options?: ErrorOptions): FormatError {
    return new FormatError(`pickle: ${problem}`, options);
  }
}
