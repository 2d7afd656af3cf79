/** Matrix products in float32 as kernels: code made for the shapes. */

import type { TypeSpec } from "../graph/node.ts";
import { numel, type Shape } from "../graph/shape.ts";
import { Assembler, rsi } from "./assembler.ts";
import type { Kernel } from "./kernel.ts";
import { dotGroups, type DotParts, dotProduct } from "./matmul-dot.ts";
import { layoutsOf } from "./matmul-layout.ts";
import { packedProduct } from "./matmul-packed.ts";
import { packPanels, panelElements } from "./panels.ts";
import { type MatmulSpec, planMatmul, type Product } from "./matmul-plan.ts";

/** Bytes that a matrix must stay below: offsets in code have 32 bits. */
const MOST_BYTES = 2 ** 31;
/** Elements that sizes, and ways from line to line, must stay below: one offset reaches up to 23 lines ahead. */
const MOST_LENGTH = 2 ** 24;
/** Terms below which copying into panels costs more than it gives. */
const FEWEST_TERMS = 8;

/**
 * Whether a kernel can compute the product and is faster than ONNX Runtime with AVX2, as measured against version 1.30 on
 * AMD Zen 3: by 2 to 15 % where many rows meet many columns, two to four times where few rows meet a transposed matrix.
 * ONNX Runtime is better with a row times a matrix that is not transposed, a matrix times a column, and few terms. It may be better with
 * AVX-512, which kernels do not use, and with a constant B that kernels are not given in panels: it makes its own once.
 */
export function matmulIsFaster(spec: MatmulSpec): boolean {
  if (!fits(spec)) return false;
  if (spec.n === 1 && spec.m > 1 && spec.bias !== true) return false;
  return spec.m === 1 ? takesDots(simplified(spec)) : spec.k >= FEWEST_TERMS;
}

function fits(spec: MatmulSpec): boolean {
  const { m, n, k, batch = [] } = spec;
  const { a, b, c } = layoutsOf(spec);
  return (
    Math.min(m, n, k, ...batch) >= 1 &&
    Math.max(m, n, k, a.line, b.line, c.line) < MOST_LENGTH &&
    4 * Math.max(m * n, m * k, k * n) < MOST_BYTES &&
    [a, b, c].every(({ offset, matrices }) => 4 * Math.max(offset, ...matrices) < MOST_BYTES)
  );
}

/**
 * The kernel of a product: inputs A, B and, if asked for, the bias; output C of shape [...batch, m, n], or of other types
 * where layouts are given, which must hold them; with `packedB` the second input is what `panelsOf` makes. Each part needs
 * less than 1 MiB of its thread's stack. Throws a RangeError for sizes below 1, for sizes and ways from line to line from 2²⁴
 * elements on, for matrices of 2 GiB, and for panels with batches.
 */
export function matmulKernel(name: string, spec: MatmulSpec): Kernel {
  const { m, n, k, transA = false, transB = false, batch = [], bias = false } = spec;
  if (!fits(spec))
    throw new RangeError(
      `matmulKernel: sizes must be 1 to 2²⁴ − 1 and matrices smaller than 2 GiB, got m ${m}, n ${n}, k ${k}, batch [${batch.join(", ")}]` +
        (["a", "b", "c"] as const)
          .map((name) =>
            spec[name] === undefined ? "" : `, ${name} ${JSON.stringify(spec[name])}`,
          )
          .join(""),
    );
  if (spec.packedB === true && batch.length > 0)
    throw new RangeError(`matmulKernel: panels hold one matrix, got batch [${batch.join(", ")}]`);
  const tensor = (shape: Shape): TypeSpec => ({ dtype: "float32", shape });
  return {
    name,
    inputs: [
      tensor([...batch, ...(transA ? [k, m] : [m, k])]),
      tensor(
        spec.packedB === true
          ? [panelElements(planMatmul(spec))]
          : [...batch, ...(transB ? [n, k] : [k, n])],
      ),
      ...(bias ? [tensor([n])] : []),
    ],
    outputs: [tensor([...batch, m, n])],
    ...work(simplified(spec)),
  };
}

/** One of the products that a kernel computes. */
export interface JoinedProduct {
  readonly spec: MatmulSpec;
  /** Which of the kernel's inputs it takes. */
  readonly inputs: readonly number[];
}

/** The kernel of products that each write their part of one output, as their layouts of C tell. */
export function joinedMatmulKernel(
  name: string,
  products: readonly JoinedProduct[],
  { inputs, outputs }: Pick<Kernel, "inputs" | "outputs">,
): Kernel {
  const works = products.map((product) =>
    work({ ...simplified(product.spec), places: [...product.inputs, inputs.length] }),
  );
  const [only, ...others] = works;
  if (only !== undefined && others.length === 0) return { name, inputs, outputs, ...only };
  const a = new Assembler();
  const labels = works.map(() => a.label());
  works.forEach(({ parts }, i) => {
    if (i === works.length - 1) return a.jump(labels[i]!);
    a.arithmeticImmediate("cmp", rsi, parts);
    a.jump(labels[i]!, "less");
    a.arithmeticImmediate("sub", rsi, parts);
  });
  works.forEach(({ code }, i) => a.include(code, labels[i]!));
  const parts = works.reduce((sum, { parts }) => sum + parts, 0);
  return { name, inputs, outputs, parts, code: a.finish() };
}

/** The same product in another form where a matrix is a vector without gaps, whose transpose is itself in memory. */
function simplified(spec: MatmulSpec): Product {
  const { m, n, transA = false, transB = false } = spec;
  // Panels have the order of B's columns.
  if (spec.packedB === true) return spec;
  const { a, b, c } = layoutsOf(spec);
  const eitherB = n === 1 && (transB || b.line === 1);
  const eitherA = m === 1 && (!transA || a.line === 1);
  return { ...spec, a, b, c, transA: transA && !eitherA, transB: transB || eitherB };
}

function work(product: Product): Pick<Kernel, "parts" | "code"> {
  if (takesDots(product)) {
    const parts = dotParts(product);
    return { parts: parts.batch * parts.columns, code: dotProduct(product, parts) };
  }
  const plan = planMatmul(product);
  const { parts } = plan;
  return {
    parts: parts.batch * parts.rows * parts.columns,
    code: packedProduct(product, plan),
  };
}

/** The constant B of a product as its kernel takes it with `packedB`. */
export const panelsOf = (b: Float32Array, spec: MatmulSpec): Float32Array =>
  packPanels(b, spec, planMatmul({ ...spec, packedB: true }));

/** Whether sums along lines beat copying B into panels, which few rows do not repay: as measured. */
const takesDots = ({ m, k, transA = false, transB = false, packedB = false }: Product): boolean =>
  !transA && transB && !packedB && m <= (k >= 512 ? 48 : k >= 128 ? 32 : 16);

/** Multiply-adds for which another thread is worth its start. */
const PART_WORK = 2 ** 16;

function dotParts(product: Product): DotParts {
  const { m, n, k, threads, batch = [] } = product;
  const matrices = numel(batch);
  const most = Math.max(1, Math.min(threads, Math.floor((matrices * m * n * k) / PART_WORK)));
  const parts = { batch: Math.min(most, matrices), columns: 1 };
  // Whole matrices, unless some thread would have one more than others.
  if (matrices % most === 0) return parts;
  return { batch: 1, columns: Math.min(most, dotGroups(product)) };
}
