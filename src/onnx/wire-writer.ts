/** Writes protobuf's wire format back to front, so that a nested message's length is known when its prefix is written. */

/** Wire types: https://protobuf.dev/programming-guides/encoding/#structure. */
export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH_DELIMITED = 2;
export const FIXED32 = 5;

/** Largest message that protobuf's C++ parser, and so ONNX Runtime, accepts. */
const MAX_BYTES = 2 ** 31 - 1;
const CHUNK_BYTES = 32 * 1024;
/** Payloads of at least this many bytes are kept by reference until `finish` copies them, once. */
const BY_REFERENCE_BYTES = 4 * 1024;

const utf8 = new TextEncoder();

/** A protobuf writer that runs from the last field to the first: call its methods in reverse order of the wanted output. */
export class WireWriter {
  /** Finished parts, last part of the output first. */
  readonly #parts: Uint8Array[] = [];
  #partBytes = 0;
  #chunk = new Uint8Array(CHUNK_BYTES);
  /** `#chunk` is filled from its end down to here. */
  #pos = CHUNK_BYTES;

  /** Bytes written so far. */
  get size(): number {
    return this.#partBytes + this.#chunk.length - this.#pos;
  }

  /** A varint field: int32, int64 or enum; negative values take ten bytes, as two's complement of 64 bits. */
  int(field: number, value: number | bigint): void {
    if (typeof value === "number" && value >= 0) this.#varint(value);
    else this.#varint64(BigInt.asUintN(64, BigInt(value)));
    this.#tag(field, VARINT);
  }

  /** A float field, rounded to 32 bits. */
  float(field: number, value: number): void {
    this.#reserve(4);
    this.#pos -= 4;
    new DataView(this.#chunk.buffer, this.#pos, 4).setFloat32(0, value, true);
    this.#tag(field, FIXED32);
  }

  /** A double field. */
  double(field: number, value: number): void {
    this.#reserve(8);
    this.#pos -= 8;
    new DataView(this.#chunk.buffer, this.#pos, 8).setFloat64(0, value, true);
    this.#tag(field, FIXED64);
  }

  /** A bytes field; a large one is not copied before `finish`, so it must not change until then. */
  bytes(field: number, value: Uint8Array): void {
    this.#raw(value);
    this.#prefix(field, value.length);
  }

  /** A string field, as UTF-8. */
  string(field: number, value: string): void {
    const length = value.length;
    if (length > CHUNK_BYTES) return this.bytes(field, utf8.encode(value));
    this.#reserve(length);
    const start = this.#pos - length;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code >= 128) return this.bytes(field, utf8.encode(value));
      this.#chunk[start + i] = code;
    }
    this.#pos = start;
    this.#prefix(field, length);
  }

  /** A nested message whose fields `write` writes, last field first. */
  message<T>(field: number, value: T, write: (writer: WireWriter, value: T) => void): void {
    const before = this.size;
    write(this, value);
    this.#prefix(field, this.size - before);
  }

  /** A repeated field: `item` is called for the values from the last to the first. */
  each<T>(values: readonly T[], item: (value: T) => void): void {
    for (let i = values.length - 1; i >= 0; i--) item(values[i] as T);
  }

  /** The whole output in one array; throws a RangeError above protobuf's limit of 2 GiB. */
  finish(): Uint8Array {
    const size = this.size;
    if (size > MAX_BYTES) {
      throw new RangeError(
        `encodeModel: the model takes ${size} bytes, a protobuf message holds at most ${MAX_BYTES} (2 GiB); ` +
          `pass large tensors as inputs instead of initializers`,
      );
    }
    this.#flush();
    const output = new Uint8Array(size);
    let end = size;
    for (const part of this.#parts) {
      end -= part.length;
      output.set(part, end);
    }
    return output;
  }

  #prefix(field: number, length: number): void {
    this.#varint(length);
    this.#tag(field, LENGTH_DELIMITED);
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  /** `value` is an integer in [0, 2^53). */
  #varint(value: number): void {
    this.#reserve(10);
    let length = 1;
    for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++;
    this.#pos -= length;
    let at = this.#pos;
    for (; value >= 128; value = Math.floor(value / 128)) this.#chunk[at++] = (value % 128) | 128;
    this.#chunk[at] = value;
  }

  #varint64(value: bigint): void {
    this.#reserve(10);
    const groups = [];
    for (; value >= 128n; value >>= 7n) groups.push(Number(value & 127n) | 128);
    groups.push(Number(value));
    this.#pos -= groups.length;
    this.#chunk.set(groups, this.#pos);
  }

  #raw(value: Uint8Array): void {
    if (value.length >= BY_REFERENCE_BYTES) {
      this.#flush();
      this.#parts.push(value);
      this.#partBytes += value.length;
    } else {
      this.#reserve(value.length);
      this.#pos -= value.length;
      this.#chunk.set(value, this.#pos);
    }
  }

  #reserve(bytes: number): void {
    if (this.#pos >= bytes) return;
    this.#flush();
    this.#chunk = new Uint8Array(CHUNK_BYTES);
    this.#pos = CHUNK_BYTES;
  }

  /** Moves what the chunk holds to the parts; its unused front stays the chunk. */
  #flush(): void {
    const filled = this.#chunk.subarray(this.#pos);
    if (filled.length > 0) this.#parts.push(filled);
    this.#partBytes += filled.length;
    this.#chunk = this.#chunk.subarray(0, this.#pos);
  }
}
