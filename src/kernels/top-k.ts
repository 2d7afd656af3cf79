/**
 * The k largest elements of each row, in order. The maxima of blocks of 32 elements are found first; then, k times, the
 * largest maximum leads to the block with the next element, which is marked as taken and the block's maximum found anew.
 * NaN is not found; where there is nothing else, positions are in the row, and nothing else is said of them.
 */

import { numel, type Shape } from "../graph/shape.ts";
import type { NodeProto } from "../onnx/proto.ts";
import {
  type Address,
  Assembler,
  r10,
  r12,
  r13,
  r14,
  r15,
  r9,
  rax,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
  rsp,
  type Ymm,
} from "./assembler.ts";
import { axisOf, numberAttribute } from "./attributes.ts";
import { predicates } from "./formula.ts";
import { type Kernel, MOST_ELEMENTS } from "./kernel.ts";
import type { NodeKernel } from "./kernel-set.ts";
import { LANES, laneMask } from "./lanes.ts";
import type { Surroundings } from "./program.ts";
import { takeStack } from "./stack-frame.ts";

/** Elements of a block: as many as its marks have bits. */
const BLOCK = 32;
/** Longest rows, whose blocks' maxima and marks lie on the stack. */
const LONGEST_ROW = 2 ** 18;
/** Below so many elements ONNX Runtime is as quick. */
const FEWEST_ELEMENTS = 2 ** 13;

/** The largest of rows [rows, columns]. */
export interface TopK {
  readonly rows: number;
  readonly columns: number;
  readonly k: number;
}

/** The kernel of a TopK that finds fewer than 32 of the largest of rows; null for another node. */
export function topKOf(
  { program }: Surroundings,
  node: NodeProto,
  threads: number,
): NodeKernel | null {
  const [x, count] = node.inputs as [string, string];
  if (node.opType !== "TopK" || numberAttribute(node, "largest", 1) !== 1) return null;
  const type = program.types.get(x);
  const [k] = program.integers(count) ?? [];
  if (type?.dtype !== "float32" || k === undefined) return null;
  const { shape } = type;
  const columns = shape.at(-1) ?? 0;
  const isLast = axisOf(node, shape.length, -1) === shape.length - 1;
  const elements = numel(shape);
  // A block of which everything was taken looks like one of −∞. With so few that is only the last one, if it is smaller, and
  // any other of −∞ is found before it.
  const fits = k > 0 && k < BLOCK && k <= columns && columns <= LONGEST_ROW;
  if (!isLast || !fits || elements < FEWEST_ELEMENTS || elements >= MOST_ELEMENTS) return null;
  return {
    key: ["top-k", shape, k],
    make: (name) => topKKernel(name, shape, k, threads),
    inputs: [x],
  };
}

/** The kernel: values and int64 positions of the k largest of each row; threads share the rows. */
export function topKKernel(name: string, shape: Shape, k: number, threads: number): Kernel {
  const columns = shape.at(-1)!;
  const rows = numel(shape) / columns;
  const each = Math.ceil(rows / Math.min(rows, 2 * threads));
  const found = shape.with(-1, k);
  return {
    name,
    inputs: [{ dtype: "float32", shape }],
    outputs: [
      { dtype: "float32", shape: found },
      { dtype: "int64", shape: found },
    ],
    parts: Math.ceil(rows / each),
    code: new TopKCode({ rows, columns, k }, each).code(),
  };
}

/** Emits the code: r12 is the row, r13 and r14 where its results belong, rcx the block at work. */
class TopKCode {
  readonly #a = new Assembler();
  readonly #spec: TopK;
  /** Rows of a part. */
  readonly #each: number;
  /** How many blocks are whole, and elements of the one that is not. */
  readonly #whole: number;
  readonly #left: number;
  /** Maxima, in whole vectors. */
  readonly #maxima: number;
  /** On the stack: the stack at entry, maxima, marks of eight bytes. */
  readonly #maximaAt = 32;
  readonly #marksAt: number;
  readonly #frame: number;
  readonly #least = new Float32Array(LANES).fill(-Infinity);

  constructor(spec: TopK, each: number) {
    this.#spec = spec;
    this.#each = each;
    this.#whole = Math.floor(spec.columns / BLOCK);
    this.#left = spec.columns % BLOCK;
    this.#maxima = Math.ceil(spec.columns / BLOCK / LANES) * LANES;
    this.#marksAt = this.#maximaAt + 4 * this.#maxima;
    this.#frame = this.#marksAt + 8 * this.#maxima;
  }

  code(): Uint8Array {
    const a = this.#a;
    const { rows, columns, k } = this.#spec;
    const saved = [rbx, r12, r13, r14, r15];
    for (const register of saved) a.push(register);
    takeStack(a, this.#frame);
    a.store({ base: rsp }, rax);
    const [next, end, enough] = [a.label(), a.label(), a.label()];
    a.multiply(rax, rsi, this.#each);
    a.movImmediate(r15, rows);
    a.arithmetic("sub", r15, rax);
    a.arithmeticImmediate("cmp", r15, this.#each);
    a.jump(enough, "less");
    a.movImmediate(r15, this.#each);
    a.bind(enough);
    [r12, r13, r14].forEach((pointer, i) => {
      a.multiply(rdx, rax, [4 * columns, 4 * k, 8 * k][i]!);
      a.mov(pointer, { base: rdi, offset: 8 * i });
      a.arithmetic("add", pointer, rdx);
    });
    a.bind(next);
    a.arithmeticImmediate("cmp", r15, 1);
    a.jump(end, "less");
    this.#findMaxima();
    const another = a.label();
    a.movImmediate(rbx, 0);
    a.bind(another);
    this.#take();
    a.arithmeticImmediate("add", rbx, 1);
    a.arithmeticImmediate("cmp", rbx, k);
    a.jump(another, "less");
    a.arithmeticImmediate("add", r12, 4 * columns);
    a.arithmeticImmediate("add", r13, 4 * k);
    a.arithmeticImmediate("add", r14, 8 * k);
    a.arithmeticImmediate("sub", r15, 1);
    a.jump(next);
    a.bind(end);
    a.mov(rsp, { base: rsp });
    for (const register of saved.toReversed()) a.pop(register);
    a.vzeroupper();
    a.ret();
    return a.finish();
  }

  /** The maxima of all blocks, none of whose elements is taken. */
  #findMaxima(): void {
    const a = this.#a;
    const [largest, none] = [2, 3];
    const blocks = this.#whole + (this.#left > 0 ? 1 : 0);
    const blockMaximum = (size: number): void => {
      a.two("vmovups", largest, none);
      for (let vector = 0; vector < size / LANES; vector++)
        this.#include(largest, this.#load(vector, size));
      this.#finish(largest);
    };
    a.two("vmovups", none, a.constant(this.#least));
    a.mov(r9, r12);
    if (this.#whole > 0) {
      const next = a.label();
      a.movImmediate(rcx, 0);
      a.bind(next);
      blockMaximum(BLOCK);
      a.vstoreOne(this.#maximum(rcx), largest);
      a.arithmeticImmediate("add", r9, 4 * BLOCK);
      a.arithmeticImmediate("add", rcx, 1);
      a.arithmeticImmediate("cmp", rcx, this.#whole);
      a.jump(next, "less");
    }
    for (let i = this.#whole; i < this.#maxima; i++)
      a.vstoreOne({ base: rsp, offset: this.#maximaAt + 4 * i }, none);
    if (this.#left > 0) {
      blockMaximum(this.#left);
      a.vstoreOne({ base: rsp, offset: this.#maximaAt + 4 * this.#whole }, largest);
    }
    const next = a.label();
    a.movImmediate(rax, 0);
    a.movImmediate(rcx, 0);
    a.bind(next);
    a.store(this.#marks(rcx), rax);
    a.arithmeticImmediate("add", rcx, 1);
    a.arithmeticImmediate("cmp", rcx, blocks);
    a.jump(next, "less");
  }

  /** Takes the next element, the first of equal ones. */
  #take(): void {
    const a = this.#a;
    const [largest, found] = [2, 3];
    const over = (body: () => void): void => {
      const next = a.label();
      a.movImmediate(rcx, 0);
      a.bind(next);
      body();
      a.arithmeticImmediate("add", rcx, LANES);
      a.arithmeticImmediate("cmp", rcx, this.#maxima);
      a.jump(next, "less");
    };
    a.two("vmovups", largest, a.constant(this.#least));
    over(() => a.three("vmaxps", largest, largest, this.#maximum(rcx)));
    this.#finish(largest);
    const [block, end] = [a.label(), a.label()];
    over(() => {
      a.vcmpps(found, largest, this.#maximum(rcx), predicates.equal);
      a.vmovmskps(rax, found);
      a.arithmeticImmediate("cmp", rax, 0);
      a.jump(block, "notEqual");
    });
    a.bind(block);
    a.lowestOne(rax, rax);
    a.arithmetic("add", rcx, rax);
    a.multiply(r9, rcx, 4 * BLOCK);
    a.arithmetic("add", r9, r12);
    if (this.#left === 0) return this.#takeFrom(BLOCK);
    const whole = a.label();
    if (this.#whole > 0) {
      a.arithmeticImmediate("cmp", rcx, this.#whole);
      a.jump(whole, "less");
    }
    this.#takeFrom(this.#left);
    if (this.#whole > 0) {
      a.jump(end);
      a.bind(whole);
      this.#takeFrom(BLOCK);
    }
    a.bind(end);
  }

  /** Takes the first element that equals register 2 and is not taken from the block of `size` at r9. */
  #takeFrom(size: number): void {
    const a = this.#a;
    const [largest, equal, marks] = [2, 3, 4];
    const vectors = Math.ceil(size / LANES);
    const there = a.label();
    a.movImmediate(rax, 0);
    for (let vector = vectors - 1; vector >= 0; vector--) {
      a.vcmpps(equal, largest, this.#load(vector, size), predicates.equal);
      a.vmovmskps(rdx, equal);
      a.shiftLeft(rax, LANES);
      a.arithmetic("or", rax, rdx);
    }
    // Without those behind the row's end, and the marked ones.
    if (size < BLOCK) a.arithmeticImmediate("and", rax, 2 ** size - 1);
    a.movImmediate(r10, -1);
    a.arithmetic("sub", r10, this.#marks(rcx));
    a.arithmetic("and", rax, r10);
    a.arithmeticImmediate("cmp", rax, 0);
    a.jump(there, "notEqual");
    // Nothing is equal where only NaN are left.
    a.movImmediate(rax, 1);
    a.bind(there);
    a.lowestOne(rax, rax);
    a.mov(rdx, this.#marks(rcx));
    a.setBit(rdx, rax);
    a.store(this.#marks(rcx), rdx);
    a.multiply(rdx, rcx, BLOCK);
    a.arithmetic("add", rdx, rax);
    a.store({ base: r14, index: rbx, scale: 8 }, rdx);
    // Not the maximum itself: 0 and −0 are equal.
    a.two("vbroadcastss", equal, { base: r9, index: rax, scale: 4 });
    a.vstoreOne({ base: r13, index: rbx, scale: 4 }, equal);

    a.two("vbroadcastss", marks, this.#marks(rcx));
    a.two("vmovups", largest, a.constant(this.#least));
    for (let vector = 0; vector < vectors; vector++) {
      const value = this.#load(vector, size);
      const bits = Uint32Array.from({ length: LANES }, (_, lane) => 2 ** (LANES * vector + lane));
      a.three("vandps", equal, marks, a.constant(bits));
      a.three("vpcmpeqd", equal, equal, a.constant(bits));
      a.vblendvps(value, value, a.constant(this.#least), equal);
      this.#include(largest, value);
    }
    this.#finish(largest);
    a.vstoreOne(this.#maximum(rcx), largest);
  }

  /** Eight elements of the block of `size` at r9, −∞ behind its end, in register 0. */
  #load(vector: number, size: number): Ymm {
    const a = this.#a;
    const [value, mask, least] = [0, 1, 5];
    const from = { base: r9, offset: 4 * LANES * vector };
    const lanes = Math.min(LANES, size - LANES * vector);
    if (lanes === LANES) {
      a.two("vmovups", value, from);
      return value;
    }
    a.two("vmovups", mask, a.constant(laneMask(lanes)));
    a.vmaskLoad(value, mask, from);
    a.two("vmovups", least, a.constant(this.#least));
    a.vblendvps(value, least, value, mask);
    return value;
  }

  /** Takes eight elements into maxima, but NaN: the second operand is the result where one is NaN. */
  #include(maxima: Ymm, value: Ymm): void {
    this.#a.three("vmaxps", maxima, value, maxima);
  }

  /** Puts eight maxima together to one, in all places; overwrites register 0. */
  #finish(maxima: Ymm): void {
    const a = this.#a;
    a.vpermHalves(0, maxima, maxima, 1, 0);
    this.#include(maxima, 0);
    for (const order of [0b01_00_11_10, 0b10_11_00_01]) {
      a.vshufps(0, maxima, maxima, order);
      this.#include(maxima, 0);
    }
  }

  #maximum(block: number): Address {
    return { base: rsp, index: block, scale: 4, offset: this.#maximaAt };
  }

  #marks(block: number): Address {
    return { base: rsp, index: block, scale: 8, offset: this.#marksAt };
  }
}
