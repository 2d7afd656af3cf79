/** Reads the zip archives that `torch.save` and `np.savez` write, from memory, trusting nothing that they declare. */
import { FormatError, shown } from "./format-error.ts";
import { inflate } from "./inflate.ts";

/** How a zip file is read. */
export interface ZipOptions {
  /**
   * Most bytes that the unpacked entries may have in all. 64 times the file's size and 1 MiB unless given, which
   * real arrays stay below unless they are nearly constant.
   */
  readonly maxBytes?: number | undefined;
}

export interface Zip {
  /** Entries by name, folders left out; each is unpacked and checked when it is called. */
  readonly entries: ReadonlyMap<string, () => Uint8Array>;
  /** Bytes that the entries declare to have unpacked, in all. */
  readonly unpackedBytes: number;
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  /** Where the entry's own header begins, and where its content does. */
  readonly begin: number;
  readonly start: number;
}

/** Whether bytes begin like a zip archive. */
export const isZip = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;

/** What a file that no real archive exceeds may unpack to. */
export const defaultMaxBytes = (fileBytes: number): number => 64 * fileBytes + 2 ** 20;

const STORED = 0;
const DEFLATED = 8;

/**
 * Opens an archive. Entries that are stored as they are become views of `bytes`, not copies.
 * @throws FormatError beginning with `format` when the archive is damaged, encrypted, has entries that overlap or bear
 * one name, or declares more unpacked bytes than the limit.
 */
export function openZip(format: string, bytes: Uint8Array, { maxBytes }: ZipOptions = {}): Zip {
  const reader = new ZipReader(format, bytes);
  const list = reader.list();
  const limit = maxBytes ?? defaultMaxBytes(bytes.length);
  const unpackedBytes = list.reduce((sum, { size }) => sum + size, 0);
  if (unpackedBytes > limit)
    throw reader.wrong(
      `unpacked it has ${unpackedBytes} bytes, the limit is ${limit}; if you trust the file, raise { maxBytes }`,
    );
  const entries = new Map<string, () => Uint8Array>();
  for (const entry of list) {
    if (entries.has(entry.name))
      throw reader.wrong(`there are two entries named ${shown(entry.name)}`);
    entries.set(entry.name, () => reader.content(entry));
  }
  return { entries, unpackedBytes };
}

/** https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3 and 4.5.3 (zip64). */
class ZipReader {
  readonly #format: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(format: string, bytes: Uint8Array) {
    this.#format = format;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  wrong(problem: string, options?: ErrorOptions): FormatError {
    return new FormatError(`${this.#format}: the zip archive: ${problem}`, options);
  }

  /** The entries of the directory at the end of the archive, folders left out. */
  list(): Entry[] {
    const { count, begin, end } = this.#directory();
    const list: Entry[] = [];
    let at = begin;
    for (let i = 0; i < count; i++) {
      if (at + 46 > end || this.#u32(at) !== 0x02014b50)
        throw this.wrong(`entry ${i + 1} of ${count} is missing from the directory; is it whole?`);
      const next = at + 46 + this.#u16(at + 28) + this.#u16(at + 30) + this.#u16(at + 32);
      if (next > end) throw this.wrong(`entry ${i + 1} of ${count} exceeds the directory`);
      const entry = this.#entry(at);
      if (!entry.name.endsWith("/")) list.push(entry);
      at = next;
    }
    const order = [...list].sort((a, b) => a.begin - b.begin);
    let free = 0;
    for (const { name, begin: from, start, packed } of order) {
      if (from < free || start + packed > begin)
        throw this.wrong(`entry ${shown(name)} overlaps another or the directory`);
      free = start + packed;
    }
    return list;
  }

  /** Where the directory lies and how many entries it has. */
  #directory(): { count: number; begin: number; end: number } {
    const length = this.#bytes.length;
    // The record at the end has 22 bytes and a comment of up to 65,535.
    let at = length - 22;
    while (at >= 0 && !(this.#u32(at) === 0x06054b50 && at + 22 + this.#u16(at + 20) === length)) {
      if (length - at > 22 + 0xffff) at = 0;
      at--;
    }
    if (at < 0) throw this.wrong("it has no end record; is the file whole?");
    let [count, size, begin, end] = [
      this.#u16(at + 10),
      this.#u32(at + 12),
      this.#u32(at + 16),
      at,
    ];
    const locator = at - 20;
    const large = count === 0xffff || size === 0xffffffff || begin === 0xffffffff;
    if (large && locator >= 0 && this.#u32(locator) === 0x07064b50) {
      end = this.#u64(locator + 8);
      if (end + 56 > locator || this.#u32(end) !== 0x06064b50)
        throw this.wrong("its zip64 end record is damaged");
      [count, size, begin] = [this.#u64(end + 32), this.#u64(end + 40), this.#u64(end + 48)];
    }
    if (begin + size > end) throw this.wrong("its directory exceeds the file; is the file whole?");
    return { count, begin, end: begin + size };
  }

  #entry(at: number): Entry {
    const nameLength = this.#u16(at + 28);
    const name = this.#name(at + 46, nameLength);
    if (this.#u16(at + 8) & 1) throw this.wrong(`entry ${shown(name)} is encrypted`);
    const method = this.#u16(at + 10);
    if (method !== STORED && method !== DEFLATED)
      throw this.wrong(
        `entry ${shown(name)} is compressed with method ${method}, expected 0 (stored) or 8 (deflate)`,
      );
    const extra = at + 46 + nameLength;
    const [size, packed, begin] = this.#large(
      [this.#u32(at + 24), this.#u32(at + 20), this.#u32(at + 42)],
      extra,
      extra + this.#u16(at + 30),
    );
    const damaged = (): FormatError => this.wrong(`entry ${shown(name)} is damaged`);
    if (begin + 30 > this.#bytes.length || this.#u32(begin) !== 0x04034b50) throw damaged();
    const start = begin + 30 + this.#u16(begin + 26) + this.#u16(begin + 28);
    if (start + packed > this.#bytes.length) throw damaged();
    if (this.#name(begin + 30, this.#u16(begin + 26)) !== name) throw damaged();
    if (method === STORED && size !== packed) throw damaged();
    return { name, method, crc: this.#u32(at + 16), packed, size, begin, start };
  }

  /** Fields of 4 bytes that are full stand in an extra field of kind 1, with 8 bytes each. */
  #large(
    fields: readonly [number, number, number],
    begin: number,
    end: number,
  ): [number, number, number] {
    const out: [number, number, number] = [...fields];
    for (let at = begin; at + 4 <= end; at += 4 + this.#u16(at + 2)) {
      if (this.#u16(at) !== 1) continue;
      const stop = Math.min(end, at + 4 + this.#u16(at + 2));
      let from = at + 4;
      for (let i = 0; i < 3; i++) {
        if (out[i] !== 0xffffffff || from + 8 > stop) continue;
        out[i] = this.#u64(from);
        from += 8;
      }
      break;
    }
    return out;
  }

  /** Unpacks an entry; neither more memory nor more work than it declares. */
  content({ name, method, crc, packed, size, start }: Entry): Uint8Array {
    const raw = this.#bytes.subarray(start, start + packed);
    const content = method === STORED ? raw : this.#inflated(raw, size, name);
    if (crc32(content) !== crc)
      throw this.wrong(`entry ${shown(name)} is damaged, its checksum differs`);
    return content;
  }

  #inflated(raw: Uint8Array, size: number, name: string): Uint8Array {
    // Deflate adds 5 bytes for each 64 KiB at worst, sloppy writers perhaps more.
    if (raw.length > 2 * size + 1024)
      throw this.wrong(`entry ${shown(name)} has ${raw.length} bytes packed, but ${size} unpacked`);
    try {
      return inflate(raw, size);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw this.wrong(`entry ${shown(name)} ${error.message}`, { cause: error });
    }
  }

  #name(at: number, length: number): string {
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(
        this.#bytes.subarray(at, at + length),
      );
    } catch (error) {
      throw this.wrong("an entry's name is not UTF-8", { cause: error });
    }
  }

  #u16(at: number): number {
    return this.#view.getUint16(at, true);
  }

  #u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  #u64(at: number): number {
    return Number(this.#view.getBigUint64(at, true));
  }
}

/** Remainders for a byte, and in the next three tables for one that 1 to 3 zero bytes follow. */
const CRC_TABLES = new Int32Array(4 * 256);
for (let byte = 0; byte < 256; byte++) {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  CRC_TABLES[byte] = value;
}
for (let i = 256; i < CRC_TABLES.length; i++) {
  const before = CRC_TABLES[i - 256]!;
  CRC_TABLES[i] = CRC_TABLES[before & 255]! ^ (before >>> 8);
}

/** The checksum of zip archives (CRC-32 of ISO 3309), four bytes at a time. */
function crc32(bytes: Uint8Array): number {
  let crc = -1;
  let i = 0;
  for (; i + 4 <= bytes.length; i += 4) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      CRC_TABLES[768 + (crc & 255)]! ^
      CRC_TABLES[512 + ((crc >>> 8) & 255)]! ^
      CRC_TABLES[256 + ((crc >>> 16) & 255)]! ^
      CRC_TABLES[crc >>> 24]!;
  }
  for (; i < bytes.length; i++) crc = CRC_TABLES[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
