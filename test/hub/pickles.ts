/** Checkpoints written opcode by opcode: also such as PyTorch would never write. */
import { zipSync } from "fflate";

const u32 = (n: number): number[] => [n & 255, (n >> 8) & 255, (n >> 16) & 255, (n >>> 24) & 255];

/** Pieces of pickles, each of which leaves one object on the stack. */
export const op = {
  text: (text: string): number[] => {
    const bytes = [...new TextEncoder().encode(text)];
    return [0x58, ...u32(bytes.length), ...bytes];
  },
  int: (n: number): number[] =>
    Math.abs(n) < 2 ** 31
      ? [0x4a, ...u32(n)]
      : [0x8a, 8, ...new Uint8Array(BigInt64Array.of(BigInt(n)).buffer)],
  tuple: (...items: number[][]): number[] => [0x28, ...items.flat(), 0x74],
  list: (...items: number[][]): number[] => [0x5d, 0x28, ...items.flat(), 0x65],
  dict: (items: Readonly<Record<string, number[]>>): number[] => [
    ...[0x7d, 0x28],
    ...Object.entries(items).flatMap(([key, value]) => [...op.text(key), ...value]),
    0x75,
  ],
  global: (module: string, name: string): number[] => [
    0x63,
    ...new TextEncoder().encode(`${module}\n${name}\n`),
  ],
  call: (module: string, name: string, args: number[]): number[] => [
    ...op.global(module, name),
    ...args,
    0x52,
  ],
  storage: (key: string, count: number): number[] => [
    ...op.tuple(
      op.text("storage"),
      op.global("torch", "FloatStorage"),
      op.text(key),
      op.text("cpu"),
      op.int(count),
    ),
    0x51,
  ],
  tensor: (
    key: string,
    count: number,
    offset: number,
    size: readonly number[],
    stride: readonly number[],
  ): number[] =>
    op.call(
      "torch._utils",
      "_rebuild_tensor_v2",
      op.tuple(
        op.storage(key, count),
        op.int(offset),
        op.tuple(...size.map(op.int)),
        op.tuple(...stride.map(op.int)),
        [0x89],
        op.call("collections", "OrderedDict", op.tuple()),
      ),
    ),
};

/** A pickle of protocol 2. */
export const pickle = (code: readonly number[]): Uint8Array =>
  Uint8Array.from([0x80, 2, ...code, 0x2e]);

/** A checkpoint with this pickle and these storages. */
export const archive = (
  code: readonly number[],
  storages: Readonly<Record<string, Uint8Array>>,
): Uint8Array =>
  zipSync(
    {
      "archive/data.pkl": pickle(code),
      ...Object.fromEntries(
        Object.entries(storages).map(([key, bytes]) => [`archive/data/${key}`, bytes]),
      ),
      "archive/version": new TextEncoder().encode("3\n"),
    },
    { level: 0 },
  );
