/** Damages files in ways that readers are known to stumble over: blind ones, and ones that know the format. */
import { unzipSync, zipSync } from "fflate";
import type { Rng } from "../../src/data/rng.ts";
import { op, pickle } from "./pickles.ts";

export type Damage = (bytes: Uint8Array, rng: Rng) => Uint8Array;

const joined = (...parts: readonly ArrayLike<number>[]): Uint8Array => {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
};

const random = (length: number, rng: Rng): Uint8Array =>
  Uint8Array.from({ length }, () => rng.int(0, 255));

/** Integers at which sizes and offsets break, as bytes of some width. */
function extreme(rng: Rng): Uint8Array {
  const width = rng.pick([1, 2, 4, 8]);
  const bits = 8n * BigInt(width);
  const value = rng.pick([
    0n,
    1n,
    -1n,
    -2n,
    1n << (bits - 1n),
    (1n << (bits - 1n)) - 1n,
    1n << (bits / 2n),
    BigInt(rng.uint32()),
  ]);
  const bytes = new Uint8Array(BigUint64Array.of(BigInt.asUintN(64, value)).buffer, 0, width);
  return rng.chance(0.8) ? bytes : bytes.slice().reverse();
}

const BLIND: readonly Damage[] = [
  // A bit, a byte, an integer.
  (bytes, rng) => replaced(bytes, rng, (at) => [bytes[at]! ^ (1 << rng.int(0, 7))]),
  (bytes, rng) => replaced(bytes, rng, () => random(rng.int(1, 4), rng)),
  (bytes, rng) => replaced(bytes, rng, () => extreme(rng)),
  (bytes, rng) => replaced(bytes, rng, () => new Uint8Array(rng.int(1, 32))),
  // The end is missing, or something follows it.
  (bytes, rng) => bytes.slice(0, rng.int(0, bytes.length)),
  (bytes, rng) => joined(bytes, random(rng.int(1, 16), rng)),
  // A piece is missing, double, or from elsewhere.
  (bytes, rng) => {
    const [from, to] = [rng.int(0, bytes.length), rng.int(0, bytes.length)].sort((a, b) => a - b);
    return joined(bytes.subarray(0, from), bytes.subarray(to));
  },
  (bytes, rng) => {
    const at = rng.int(0, bytes.length);
    const from = rng.int(0, bytes.length);
    const piece = bytes.subarray(from, from + rng.int(1, 64));
    return joined(bytes.subarray(0, at), piece, bytes.subarray(at));
  },
  (bytes, rng) => {
    const from = rng.int(0, bytes.length);
    return replaced(bytes, rng, () => bytes.slice(from, from + rng.int(1, 64)));
  },
];

function replaced(
  bytes: Uint8Array,
  rng: Rng,
  piece: (at: number) => ArrayLike<number>,
): Uint8Array {
  if (bytes.length === 0) return bytes;
  const copy = bytes.slice();
  const at = rng.int(0, bytes.length - 1);
  const part = Uint8Array.from(piece(at));
  copy.set(part.subarray(0, bytes.length - at), at);
  return copy;
}

/** One to three changes that know nothing of the format. */
export function damaged(bytes: Uint8Array, rng: Rng): Uint8Array {
  let out = bytes;
  for (let i = rng.int(1, 3); i > 0; i--) out = rng.pick(BLIND)(out, rng);
  return out;
}

const TOKEN = /-?\d+|"[^"]*"|'[^']*'|True|False|[{}[\](),:]/g;
const HOSTILE = [
  ..."-1 -0 0 1 2 4 1.5 1e400 1e308 4294967295 4294967296 9007199254740991 9007199254740993".split(
    " ",
  ),
  ..."18446744073709551615 null true True None {} [] () [0,1] (0,1) -9223372036854775808".split(
    " ",
  ),
  ...['"F64"', '"BF16"', '"U8"', '"F8_E4M3"', '"__metadata__"', '"data_offsets"', '"__proto__"'],
  ..."'>f8' '|O' '<f8' '|u1' '<i2' '<f99999999' '<U4' '<c8' '' 3L".split(" "),
  "9".repeat(400),
  "[".repeat(3000),
  "(".repeat(3000),
  '{"a":'.repeat(1000),
  "1,".repeat(100),
  '"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},',
];

/** Changes one or two words of the header of a safetensors or npy file, with its length mostly right. */
export function damagedHeader(bytes: Uint8Array, rng: Rng): Uint8Array {
  const npy = bytes[0] === 0x93;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = npy ? (bytes[6] === 1 ? 10 : 12) : 8;
  const length =
    npy && bytes[6] === 1 ? view.getUint16(8, true) : view.getUint32(npy ? 8 : 0, true);
  let header = new TextDecoder().decode(bytes.subarray(start, start + length));
  for (let i = rng.int(1, 2); i > 0; i--) {
    const tokens = [...header.matchAll(TOKEN)];
    if (tokens.length === 0) break;
    const { index, 0: token } = rng.pick(tokens);
    const [other] = rng.pick(tokens);
    const number = String(Number(token) + rng.pick([-1, 1, 4, -4]));
    const word = rng.pick([
      other,
      other,
      number,
      "",
      token + token,
      rng.pick(HOSTILE),
      rng.pick(HOSTILE),
    ]);
    header = header.slice(0, index) + word + header.slice(index + token.length);
  }
  const text = new TextEncoder().encode(header);
  const out = joined(bytes.subarray(0, start), text, bytes.subarray(start + length));
  if (rng.chance(0.1)) return out;
  const fresh = new DataView(out.buffer);
  if (npy && bytes[6] === 1) fresh.setUint16(8, text.length & 0xffff, true);
  else fresh.setUint32(npy ? 8 : 0, text.length, true);
  return out;
}

/** Fields of zip records as [offset, width], by signature: of an entry, of the directory, and of its end. */
const ZIP_FIELDS = new Map<number, readonly (readonly [number, number])[]>([
  [
    0x04034b50,
    [
      [6, 2],
      [8, 2],
      [14, 4],
      [18, 4],
      [22, 4],
      [26, 2],
      [28, 2],
    ],
  ],
  [
    0x02014b50,
    [
      [8, 2],
      [10, 2],
      [16, 4],
      [20, 4],
      [24, 4],
      [28, 2],
      [30, 2],
      [32, 2],
      [42, 4],
    ],
  ],
  [
    0x06054b50,
    [
      [8, 2],
      [10, 2],
      [12, 4],
      [16, 4],
      [20, 2],
    ],
  ],
  [
    0x06064b50,
    [
      [24, 8],
      [32, 8],
      [40, 8],
      [48, 8],
    ],
  ],
  [0x07064b50, [[8, 8]]],
]);

/** Sets one or two fields of an archive's records to an extreme value, to another record's, or off by a few. */
export function damagedZip(bytes: Uint8Array, rng: Rng): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const fields: (readonly [at: number, width: number])[] = [];
  for (let at = 0; at + 4 <= copy.length; at++)
    for (const [offset, width] of ZIP_FIELDS.get(view.getUint32(at, true)) ?? [])
      if (at + offset + width <= copy.length) fields.push([at + offset, width]);
  const small = fields.filter(([, width]) => width < 8);
  for (let i = rng.int(1, 2); i > 0; i--) {
    const [at, width] = rng.pick(fields);
    const old = view.getUint16(at, true);
    const [other] = rng.pick(small);
    const value = rng.pick([
      extreme(rng),
      [(old + rng.int(-4, 4)) & 255],
      copy.slice(other, other + width),
    ]);
    copy.set(Uint8Array.from(value).subarray(0, width), at);
  }
  return copy;
}

/** Damages one entry of an archive whose name fits `pattern`; the archive over it is right again. */
export const inside =
  (pattern: RegExp, damage: Damage): Damage =>
  (bytes, rng) => {
    const files: Record<string, Uint8Array> = unzipSync(bytes);
    const name = rng.pick(Object.keys(files).filter((file) => pattern.test(file)));
    files[name] = damage(files[name]!, rng);
    return zipSync(files, { level: damage === bomb || rng.chance(0.3) ? 6 : 0 });
  };

/** Appends up to 1 MiB of zeros, which pack to almost nothing. */
export const bomb: Damage = (bytes, rng) => joined(bytes, new Uint8Array(2 ** rng.int(10, 20)));

/** An archive whose entry unpacks to 8 MiB while its directory declares some other size. */
export const lyingBomb: Damage = (() => {
  const packed = zipSync({ "archive/data.pkl": new Uint8Array(2 ** 23) }, { level: 9 });
  const size = packed.length - 22 - 46 - "archive/data.pkl".length + 24;
  return (_, rng) => {
    const copy = packed.slice();
    new DataView(copy.buffer).setUint32(size, 2 ** rng.int(0, 22) + rng.int(-1, 1), true);
    return copy;
  };
})();

const NAMES: readonly (readonly [string, string])[] = [
  ["posix", "system"],
  ["builtins", "eval"],
  ["builtins", "set"],
  ["builtins", "bytearray"],
  ["_codecs", "encode"],
  ["collections", "OrderedDict"],
  ["torch", "Size"],
  ["torch", "device"],
  ["torch", "float32"],
  ["torch", "FloatStorage"],
  ["torch", "UntypedStorage"],
  ["torch._utils", "_rebuild_tensor_v2"],
  ["torch._utils", "_rebuild_tensor_v3"],
  ["torch._utils", "_rebuild_parameter"],
  ["numpy", "dtype"],
  ["numpy", "ndarray"],
  ["numpy._core.multiarray", "scalar"],
  ["numpy._core.multiarray", "_reconstruct"],
];
const SIZES = [-1, 0, 1, 2, 3, 4, 24, 2 ** 16, 2 ** 31 - 1, 2 ** 40, 2 ** 53 - 1];
const sizes = (rng: Rng): number[] => Array.from({ length: rng.int(0, 4) }, () => rng.pick(SIZES));

/** Pieces of pickles; most make or use something that a checkpoint is made of. */
const PIECES: readonly ((rng: Rng) => number[])[] = [
  (rng) => [rng.int(0, 255)],
  (rng) => [rng.pick([0x28, 0x29, 0x5d, 0x7d, 0x8f, 0x4e, 0x88, 0x32, 0x30, 0x31])],
  (rng) => [rng.pick([0x61, 0x65, 0x73, 0x75, 0x74, 0x85, 0x86, 0x87, 0x90, 0x91])],
  (rng) => [rng.pick([0x52, 0x81, 0x62, 0x51, 0x93])],
  (rng) => [rng.pick([0x68, 0x71]), rng.int(0, 4)],
  (rng) => op.int(rng.pick(SIZES)),
  (rng) => op.text(rng.pick(["0", "latin1", "storage", "f8", "<", "x".repeat(100), "\ufeff", ""])),
  (rng) => op.global(...rng.pick(NAMES)),
  (rng) => op.call(...rng.pick(NAMES), op.tuple(...sizes(rng).map(op.int))),
  (rng) => op.call(...rng.pick(NAMES), op.tuple(op.list(op.int(1)), op.text("latin1"))),
  (rng) =>
    op.tensor(rng.pick(["0", "1", ".."]), rng.pick(SIZES), rng.pick(SIZES), sizes(rng), sizes(rng)),
  (rng) =>
    op.tensor("0", 24, rng.int(0, 3), [rng.int(0, 3), rng.int(0, 30)], [rng.pick([0, 1, 4]), 1]),
  (rng) => [rng.pick([0x54, 0x58, 0x42, 0x8b, 0x8d, 0x8e, 0x96, 0x8a]), ...extreme(rng)],
  // Copies of one list; boxes within boxes.
  () => [...op.list(...Array.from({ length: 50 }, () => [0x4e])), 0x71, 0],
  () => [...op.global("builtins", "set"), 0x68, 0, 0x85, 0x52],
  (rng) => Array<number>(rng.int(1, 300)).fill(0x5d),
  (rng) => Array<number>(rng.int(1, 300)).fill(0x85),
];

/** Pieces one after another, or put between the bytes of a pickle. */
export function hostilePickle(bytes: Uint8Array, rng: Rng): Uint8Array {
  const code = Array.from({ length: rng.int(1, 12) }, () => rng.pick(PIECES)(rng)).flat();
  if (rng.chance(0.3)) return pickle(code);
  // Mostly a list of everything, so that the end finds one value.
  if (rng.chance(0.4)) return pickle([0x5d, 0x28, ...code, 0x65]);
  const at = rng.chance(0.5) ? bytes.length - 1 : rng.int(2, bytes.length);
  return joined(bytes.subarray(0, at), code, bytes.subarray(at));
}
