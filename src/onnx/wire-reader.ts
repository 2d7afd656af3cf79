/** Reads protobuf's wire format from untrusted bytes: bounds-checked, with errors that name the field and the offset. */
import { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from "./wire-writer.ts";

/** The bytes are not a readable ONNX model. */
export class OnnxFormatError extends Error {
  override readonly name = "OnnxFormatError";
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const wireTypeNames: Readonly<Record<number, string>> = {
  [VARINT]: "varint",
  [FIXED64]: "64-bit",
  [LENGTH_DELIMITED]: "length-delimited",
  [FIXED32]: "32-bit",
};

/**
 * A cursor over the fields of nested messages: `next()` reads a field's tag, then exactly one reading method or `skip()`
 * takes its value. The methods' `name` is the field's, for errors.
 */
export class WireReader {
  /** Number of the field whose tag was read last. */
  field = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #wireType = 0;
  #pos = 0;
  /** End of the innermost message. */
  #end: number;
  // The varint read last, as two 32-bit halves.
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.length;
  }

  /** Reads the next field's tag; false at the end of the message `name`. */
  next(name: string): boolean {
    if (this.#pos >= this.#end) return false;
    this.#varint(name);
    const tag = this.#low;
    this.field = tag >>> 3;
    this.#wireType = tag & 7;
    if (this.#high !== 0 || this.field === 0 || !(this.#wireType in wireTypeNames)) {
      this.fail(name, `expected a field, got the invalid tag ${tag >>> 0}`);
    }
    return true;
  }

  /** Passes over a field that is not read. */
  skip(): void {
    const name = `field ${this.field}`;
    if (this.#wireType === VARINT) this.#varint(name);
    else if (this.#wireType === LENGTH_DELIMITED) this.#pos = this.#length(name);
    else this.#take(this.#wireType === FIXED64 ? 8 : 4, name);
  }

  /** An int64 or enum that must be below 2^53 in magnitude. */
  int(name: string): number {
    const value = this.int64(name);
    if (typeof value === "bigint") this.fail(name, `expected an integer below 2^53, got ${value}`);
    return value;
  }

  /** An int64: a bigint where a number is not exact. */
  int64(name: string): number | bigint {
    this.#expect(VARINT, name);
    return this.#int64(name);
  }

  float(name: string): number {
    this.#expect(FIXED32, name);
    return this.#view.getFloat32(this.#take(4, name), true);
  }

  /** A view of a bytes field. */
  bytes(name: string): Uint8Array {
    this.#expect(LENGTH_DELIMITED, name);
    const end = this.#length(name);
    const value = this.#bytes.subarray(this.#pos, end);
    this.#pos = end;
    return value;
  }

  string(name: string): string {
    const value = this.bytes(name);
    try {
      return utf8.decode(value);
    } catch {
      return this.fail(name, "expected text in UTF-8", this.#pos - value.length);
    }
  }

  /** A nested message, read by `read`, which must consume all of it. */
  message<T>(name: string, read: (reader: WireReader) => T): T {
    this.#expect(LENGTH_DELIMITED, name);
    const end = this.#length(name);
    const outer = this.#end;
    this.#end = end;
    const value = read(this);
    this.#end = outer;
    return value;
  }

  /** Appends a repeated int64 or enum, packed or one element. */
  int64s(name: string, into: (number | bigint)[]): void {
    if (this.#wireType === VARINT) into.push(this.#int64(name));
    else
      this.message(name, () => {
        while (this.#pos < this.#end) into.push(this.#int64(name));
      });
  }

  /** Appends a repeated float, packed or one element. */
  floats(name: string, into: number[]): void {
    this.#fixed(name, FIXED32, 4, (at) => into.push(this.#view.getFloat32(at, true)));
  }

  /** Appends a repeated double, packed or one element. */
  doubles(name: string, into: number[]): void {
    this.#fixed(name, FIXED64, 8, (at) => into.push(this.#view.getFloat64(at, true)));
  }

  /** Throws: what was wrong with the field `name`, and where. */
  fail(name: string, problem: string, offset: number = this.#pos): never {
    throw new OnnxFormatError(
      `decodeModel: ${name}: ${problem}, at byte ${offset} of ${this.#bytes.length}`,
    );
  }

  #fixed(name: string, wireType: number, bytes: number, push: (at: number) => void): void {
    if (this.#wireType === wireType) push(this.#take(bytes, name));
    else
      this.message(name, () => {
        while (this.#pos < this.#end) push(this.#take(bytes, name));
      });
  }

  #expect(wireType: number, name: string): void {
    if (this.#wireType === wireType) return;
    this.fail(
      name,
      `expected a ${wireTypeNames[wireType]} value, got a ${wireTypeNames[this.#wireType]} one`,
    );
  }

  /** Reads a length; returns where the value ends. */
  #length(name: string): number {
    const start = this.#pos;
    this.#varint(name);
    const length = this.#high * 2 ** 32 + this.#low;
    const left = this.#end - this.#pos;
    if (length > left)
      this.fail(name, `${length} bytes announced but ${left} left; is the file truncated?`, start);
    return this.#pos + length;
  }

  /** Moves past `bytes` bytes; returns where they start. */
  #take(bytes: number, name: string): number {
    const start = this.#pos;
    const left = this.#end - start;
    if (bytes > left)
      this.fail(name, `${bytes} bytes expected but ${left} left; is the file truncated?`);
    this.#pos += bytes;
    return start;
  }

  #int64(name: string): number | bigint {
    this.#varint(name);
    const value = (this.#high | 0) * 2 ** 32 + this.#low;
    if (Number.isSafeInteger(value)) return value;
    return (BigInt(this.#high | 0) << 32n) | BigInt(this.#low);
  }

  /** Up to ten bytes of seven bits, lowest first; bits beyond 64 are dropped, as protobuf does. */
  #varint(name: string): void {
    const start = this.#pos;
    this.#low = this.#high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#pos >= this.#end)
        this.fail(name, "unfinished number; is the file truncated?", start);
      const byte = this.#bytes[this.#pos++] as number;
      const bits = byte & 127;
      if (shift < 32) this.#low = (this.#low | (bits << shift)) >>> 0;
      if (shift === 28) this.#high = bits >>> 4;
      else if (shift > 28) this.#high = (this.#high | (bits << (shift - 32))) >>> 0;
      if (byte < 128) return;
    }
    this.fail(name, "a number longer than ten bytes", start);
  }
}
