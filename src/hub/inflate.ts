/**
 * Unpacks deflated data of a known size. Unlike a general inflater it never makes more than that, however the data were
 * made to grow, and takes no other memory than the result and its code tables. https://www.rfc-editor.org/rfc/rfc1951
 */
import { FormatError } from "./format-error.ts";

/** Order in which the lengths of the code for code lengths are written. */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const MAX_BITS = 15;
const END_OF_BLOCK = 256;

/** Least length of a copy by symbol (from 257 on) and its extra bits: four symbols for each number of bits, from 3 on. */
const lengths = Array.from({ length: 28 }, (_, i) => spaced(i, 4, 3));
lengths.push([258, 0]);
/** The same for distances: two symbols for each number of bits, from 1 on. */
const distances = Array.from({ length: 30 }, (_, i) => spaced(i, 2, 1));

/** Where the i-th of the intervals begins that double after each `group`, the first ones having length 1, and its bits. */
function spaced(i: number, group: number, first: number): [base: number, extra: number] {
  const extra = Math.max(0, Math.floor(i / group) - 1);
  const base = extra === 0 ? i : (group + (i % group)) * 2 ** extra;
  return [base + first, extra];
}

/** `symbol · 16 + bits` of the code that the next bits begin with; 0 where there is none. */
interface Code {
  readonly table: Uint16Array;
  readonly mask: number;
}

/**
 * The `size` bytes that raw deflated data unpack to.
 * @throws FormatError saying what is wrong: damaged, truncated, or of another size.
 */
export function inflate(packed: Uint8Array, size: number): Uint8Array {
  const bits = new Bits(packed);
  const out = new Uint8Array(size);
  let at = 0;
  for (let last = false; !last;) {
    last = bits.take(1) === 1;
    const kind = bits.take(2);
    if (kind === 0) {
      const piece = bits.stored();
      if (at + piece.length > size) throw larger(size);
      out.set(piece, at);
      at += piece.length;
    } else if (kind === 1) at = block(bits, out, at, FIXED_LITERALS, FIXED_DISTANCES);
    else if (kind === 2) {
      const [literals, copies] = codes(bits);
      at = block(bits, out, at, literals, copies);
    } else throw damaged();
  }
  if (at !== size) throw new FormatError(`unpacks to ${at} bytes, it declares ${size}`);
  return out;
}

/** Unpacks one block to `out` from `at` on; returns where it ends. */
function block(bits: Bits, out: Uint8Array, at: number, literals: Code, copies: Code): number {
  for (;;) {
    const symbol = bits.symbol(literals);
    if (symbol < END_OF_BLOCK) {
      if (at >= out.length) throw larger(out.length);
      out[at++] = symbol;
      continue;
    }
    if (symbol === END_OF_BLOCK) return at;
    const length = bits.spaced(lengths[symbol - 257]);
    const distance = bits.spaced(distances[bits.symbol(copies)]);
    if (distance > at) throw damaged();
    const end = at + length;
    if (end > out.length) throw larger(out.length);
    for (; at < end; at++) out[at] = out[at - distance]!;
  }
}

/** The two codes that a block begins with. */
function codes(bits: Bits): [Code, Code] {
  const literals = bits.take(5) + 257;
  const all = literals + bits.take(5) + 1;
  const ofLengths = new Uint8Array(ORDER.length);
  for (let i = bits.take(4) + 4, k = 0; k < i; k++) ofLengths[ORDER[k]!] = bits.take(3);
  const code = codeOf(ofLengths);
  const widths = new Uint8Array(all);
  for (let i = 0; i < all;) {
    const symbol = bits.symbol(code);
    if (symbol < 16) {
      widths[i++] = symbol;
      continue;
    }
    if (symbol === 16 && i === 0) throw damaged();
    const width = symbol === 16 ? widths[i - 1]! : 0;
    const count =
      symbol === 16 ? 3 + bits.take(2) : symbol === 17 ? 3 + bits.take(3) : 11 + bits.take(7);
    if (i + count > all) throw damaged();
    widths.fill(width, i, i + count);
    i += count;
  }
  return [codeOf(widths.subarray(0, literals)), codeOf(widths.subarray(literals))];
}

/** The canonical Huffman code in which each symbol has so many bits; 0 where it does not occur. */
function codeOf(widths: Uint8Array): Code {
  const longest = widths.reduce((a, b) => Math.max(a, b), 0);
  const table = new Uint16Array(2 ** longest);
  let next = 0;
  for (let width = 1; width <= longest; width++) {
    for (let symbol = 0; symbol < widths.length; symbol++) {
      if (widths[symbol] !== width) continue;
      if (next >= 2 ** width) throw damaged();
      // Codes stand in the data with their first bit lowest.
      const step = 2 ** width;
      for (let i = reversed(next, width); i < table.length; i += step)
        table[i] = symbol * 16 + width;
      next++;
    }
    next *= 2;
  }
  return { table, mask: table.length - 1 };
}

function reversed(code: number, width: number): number {
  let out = 0;
  for (let i = 0; i < width; i++) out |= ((code >> i) & 1) << (width - 1 - i);
  return out;
}

/** Reads bits, the lowest of each byte first. */
class Bits {
  readonly #bytes: Uint8Array;
  /** Position in bits. */
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next 17 bits at least; zeros after the end. */
  #peek(): number {
    const bytes = this.#bytes;
    const i = Math.floor(this.#at / 8);
    const word = (bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8) | ((bytes[i + 2] ?? 0) << 16);
    return word >> (this.#at & 7);
  }

  #skip(count: number): void {
    this.#at += count;
    if (this.#at > this.#bytes.length * 8) throw new FormatError("is truncated");
  }

  take(count: number): number {
    const value = this.#peek() & ((1 << count) - 1);
    this.#skip(count);
    return value;
  }

  symbol({ table, mask }: Code): number {
    const entry = table[this.#peek() & mask]!;
    if (entry === 0) throw damaged();
    this.#skip(entry & MAX_BITS);
    return entry >> 4;
  }

  /** A length or distance: the least of its interval and some bits more. */
  spaced(interval: readonly [number, number] | undefined): number {
    if (interval === undefined) throw damaged();
    return interval[0] + this.take(interval[1]);
  }

  /** The content of a block that is stored as it is: from the next byte, after its length and the complement of that. */
  stored(): Uint8Array {
    this.#at = Math.ceil(this.#at / 8) * 8;
    const length = this.take(16);
    if (this.take(16) !== (length ^ 0xffff)) throw damaged();
    const start = this.#at / 8;
    this.#skip(8 * length);
    return this.#bytes.subarray(start, start + length);
  }
}

const larger = (size: number): FormatError =>
  new FormatError(`unpacks to more than the ${size} bytes it declares`);
const damaged = (): FormatError => new FormatError("is damaged");

const FIXED_LITERALS = codeOf(
  Uint8Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8)),
);
const FIXED_DISTANCES = codeOf(new Uint8Array(30).fill(5));
