/** Matrix products by the method of Goto and of BLIS: mostly of operands copied into panels, tile after tile of the result. */

import { r10, r11, r12, r14, r15, r8, r9, rax, rbp, rbx, rcx, rdi, rdx, rsi } from "./assembler.ts";
import { at, FRAME, MatmulFrame } from "./matmul-frame.ts";
import { packColumns, packLines, type PackSpec, preparePackLines } from "./matmul-pack.ts";
import { type MatmulPlan, type Product, TILE_COLUMNS, TILE_ROWS } from "./matmul-plan.ts";
import { eachTerms, lastBlock, measureTerms } from "./matmul-terms.ts";
import { emitTile } from "./matmul-tile.ts";

/** Elements for each term in a packed panel of A: a vector, of which six are used. */
const PACKED_ROWS = 8;

/** The code of a product, divided as planned. */
export const packedProduct = (spec: Product, plan: MatmulPlan): Uint8Array =>
  new PackedProduct(spec, plan).code();

/** Makes the code. Throughout, r14 is the first term of the block of terms, r13 how many times eight terms it has. */
class PackedProduct extends MatmulFrame {
  readonly #plan: MatmulPlan;
  /** Bytes from packed panel to panel. */
  readonly #panelA: number;
  readonly #panelB: number;
  readonly #packedB = FRAME;
  readonly #packedA: number;
  readonly #frame: number;

  constructor(spec: Product, plan: MatmulPlan) {
    super(spec);
    this.#plan = plan;
    const { depth } = plan;
    this.#panelA = 4 * PACKED_ROWS * depth + 64;
    this.#panelB = 4 * TILE_COLUMNS * depth;
    this.#packedA = FRAME + (plan.sourceB === "copied" ? plan.blockColumns * this.#panelB : 0);
    this.#frame = this.#packedA + (plan.packA ? plan.blockRows * this.#panelA : 0);
  }

  code(): Uint8Array {
    const { a } = this;
    const { batch, depth, k, panels, rest, columns, blockColumns, parts } = this.#plan;
    this.enter(this.#frame);
    this.range("columnFirst", "columnEnd", columns, parts.columns);
    this.range("rowFirst", "rowEnd", panels + (rest.length > 0 ? 1 : 0), parts.rows);
    this.range("batch", "batchEnd", batch, parts.batch);
    this.blocks("batch", "batchEnd", 1, undefined, () => {
      this.matrices();
      this.copy("column", "columnFirst");
      this.blocks("column", "columnEnd", blockColumns, "width", () => {
        const next = a.label();
        a.movImmediate(r14, 0);
        a.bind(next);
        measureTerms(a, this.#plan);
        if (this.#plan.sourceB === "copied") this.#packB();
        this.#rows();
        if (depth < k) {
          a.arithmeticImmediate("add", r14, depth);
          a.arithmeticImmediate("cmp", r14, k);
          a.jump(next, "less");
        }
      });
    });
    this.leave();
    return a.finish();
  }

  /** Copies panels of a matrix from r8 to r9, r11 of them, one or more; if they are lines, up to `most` at once. */
  #pack(spec: PackSpec, columns: number, byLine: boolean, bytes: number, most: number): void {
    const { a } = this;
    const end = a.label();
    if (byLine) preparePackLines(a, spec);
    for (const count of byLine && most > 1 ? [most, 1] : [1]) {
      const [next, fewer] = [a.label(), a.label()];
      a.bind(next);
      if (count > 1) {
        a.arithmeticImmediate("cmp", r11, count);
        a.jump(fewer, "less");
      }
      a.mov(rcx, r8);
      a.mov(rdx, r9);
      eachTerms(a, this.#plan, r10, (steps) =>
        byLine ? packLines(a, spec, steps, { count, columns, bytes }) : packColumns(a, spec, steps),
      );
      a.arithmeticImmediate("add", r8, count * columns * (byLine ? 4 : spec.stride));
      a.arithmeticImmediate("add", r9, count * bytes);
      a.arithmeticImmediate("sub", r11, count);
      a.jump(next, "notEqual");
      if (count > 1) a.jump(end);
      a.bind(fewer);
    }
    a.bind(end);
  }

  #packB(): void {
    const { a } = this;
    const { n, columns } = this.#plan;
    const { transB = false, alpha = 1 } = this.spec;
    a.mov(r8, at("column"));
    a.multiply(r8, r8, TILE_COLUMNS * (transB ? this.lineB : 4));
    a.arithmetic("add", r8, at("b"));
    a.multiply(rax, r14, transB ? 4 : this.lineB);
    a.arithmetic("add", r8, rax);
    a.lea(r9, { base: rbp, offset: this.#packedB });
    a.mov(r11, at("width"));
    const over = n % TILE_COLUMNS;
    const pack = (valid: number): void => {
      const spec = { width: TILE_COLUMNS, valid, stride: this.lineB, alpha };
      this.#pack(spec, TILE_COLUMNS, !transB, this.#panelB, valid < TILE_COLUMNS ? 1 : 4);
    };
    const [whole, end] = [a.label(), a.label()];
    if (over > 0) {
      // The last panel of all is incomplete, and packed by itself: r12 counts it.
      a.movImmediate(r12, 0);
      a.mov(rax, r11);
      a.arithmetic("add", rax, at("column"));
      a.arithmeticImmediate("cmp", rax, columns);
      a.jump(whole, "notEqual");
      a.movImmediate(r12, 1);
      a.arithmeticImmediate("sub", r11, 1);
      a.bind(whole);
    }
    if (n >= TILE_COLUMNS) {
      const none = a.label();
      a.arithmeticImmediate("cmp", r11, 0);
      a.jump(none, "equal");
      pack(TILE_COLUMNS);
      a.bind(none);
    }
    if (over === 0) return;
    a.arithmeticImmediate("cmp", r12, 0);
    a.jump(end, "equal");
    a.movImmediate(r11, 1);
    pack(over);
    a.bind(end);
  }

  /** All rows of the part times the panels of B. */
  #rows(): void {
    const { a } = this;
    const { panels, rest, blockRows, parts } = this.#plan;
    if (panels > 0) {
      const [whole, none] = [a.label(), a.label()];
      this.copy("row", "rowFirst");
      a.mov(rax, at("rowEnd"));
      a.arithmeticImmediate("cmp", rax, panels);
      a.jump(whole, "less");
      a.movImmediate(rax, panels);
      a.bind(whole);
      a.store(at("rowStop"), rax);
      a.arithmetic("cmp", rax, at("row"));
      a.jump(none, "equal");
      this.blocks("row", "rowStop", blockRows, "height", () => {
        a.mov(rsi, at("row"));
        a.multiply(rsi, rsi, TILE_ROWS);
        this.#block(TILE_ROWS);
      });
      a.bind(none);
    }
    const end = a.label();
    if (rest.length > 0 && parts.rows > 1) {
      a.mov(rax, at("rowEnd"));
      a.arithmeticImmediate("cmp", rax, panels + 1);
      a.jump(end, "less");
    }
    let first = panels * TILE_ROWS;
    if (rest.length > 0) {
      a.movImmediate(rax, 1);
      a.store(at("height"), rax);
    }
    for (const rows of rest) {
      a.movImmediate(rsi, first);
      this.#block(rows);
      first += rows;
    }
    a.bind(end);
  }

  /** `height` panels of rows from row rsi on times the panels of B. */
  #block(rows: number): void {
    const { a } = this;
    const { transA = false, bias = false, relu = false } = this.spec;
    const { packA, sourceB, columns, n, depth, k } = this.#plan;
    a.multiply(rdi, rsi, transA ? 4 : this.lineA);
    a.arithmetic("add", rdi, at("a"));
    a.multiply(rax, r14, transA ? this.lineA : 4);
    a.arithmetic("add", rdi, rax);
    if (packA) {
      a.mov(r8, rdi);
      a.lea(r9, { base: rbp, offset: this.#packedA });
      a.mov(r11, at("height"));
      const spec = { width: PACKED_ROWS, valid: rows, stride: this.lineA, alpha: 1 };
      this.#pack(spec, rows, transA, this.#panelA, rows < TILE_ROWS ? 1 : 8);
      a.lea(rdi, { base: rbp, offset: this.#packedA });
    }
    a.multiply(r12, rsi, this.lineC);
    a.arithmetic("add", r12, at("c"));
    a.mov(rax, at("column"));
    a.shiftLeft(rax, 6);
    a.arithmetic("add", r12, rax);
    if (bias) {
      a.arithmetic("add", rax, at("bias"));
      a.store(at("panelBias"), rax);
    }
    a.movImmediate(r15, columns);
    a.arithmetic("sub", r15, at("column"));
    // Bytes from panel to panel of B and from term to term, and by how many a block begins later for each term before it.
    const [panelBytes, termBytes, startBytes] = {
      copied: [this.#panelB, 4 * TILE_COLUMNS, 0],
      panels: [this.#panelB, 4 * TILE_COLUMNS, 4 * TILE_COLUMNS * columns],
      inPlace: [4 * TILE_COLUMNS, this.lineB, this.lineB],
    }[sourceB] as [number, number, number];
    if (sourceB === "copied") a.lea(r9, { base: rbp, offset: this.#packedB });
    else {
      a.mov(r9, at("column"));
      a.multiply(r9, r9, panelBytes);
      a.multiply(rax, r14, startBytes);
      a.arithmetic("add", r9, rax);
      a.arithmetic("add", r9, at("b"));
    }
    a.mov(r11, at("width"));

    const [rowStride, termStride] =
      packA || transA ? [4, packA ? 4 * PACKED_ROWS : this.lineA] : [this.lineA, 4];
    const [nextColumns, nextRows] = [a.label(), a.label()];
    a.bind(nextColumns);
    a.mov(r8, rdi);
    a.mov(rbx, r12);
    a.mov(r10, at("height"));
    a.bind(nextRows);
    a.mov(rax, r8);
    a.mov(rcx, r9);
    emitTile(
      a,
      {
        rows,
        rowStride,
        termStride,
        termStrideB: termBytes,
        stride: this.lineC,
        lastColumns: ((n - 1) % TILE_COLUMNS) + 1,
        others: columns > 1,
        accumulates: depth < k,
        ...(relu && { reluFrom: lastBlock(k, depth) }),
        bias: bias ? at("panelBias") : undefined,
      },
      (emit) => eachTerms(a, this.#plan, rdx, emit),
    );
    a.arithmeticImmediate("add", r8, packA ? this.#panelA : rows * rowStride);
    a.arithmeticImmediate("add", rbx, rows * this.lineC);
    a.arithmeticImmediate("sub", r10, 1);
    a.jump(nextRows, "notEqual");
    a.arithmeticImmediate("add", r9, panelBytes);
    a.arithmeticImmediate("add", r12, 4 * TILE_COLUMNS);
    if (bias) {
      a.mov(rax, at("panelBias"));
      a.arithmeticImmediate("add", rax, 4 * TILE_COLUMNS);
      a.store(at("panelBias"), rax);
    }
    a.arithmeticImmediate("sub", r15, 1);
    a.arithmeticImmediate("sub", r11, 1);
    a.jump(nextColumns, "notEqual");
  }
}
