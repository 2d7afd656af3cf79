/** Methods of a tensor for products of vectors and matrices. */

import type { Value } from "../graph/node.ts";
import { cdist, type CdistOptions } from "../ops/distance.ts";
import { matmul, type MatmulOptions } from "../ops/matmul.ts";
import * as products from "../ops/products.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions } from "./arguments.ts";
import type { TensorCore } from "./core.ts";
import { derive, unary } from "./derive.ts";

import { IndexingMethods } from "./indexing.ts";

/** Factors of a sum of a tensor and a product. */
export interface AddProductOptions {
  /** Factor on this tensor; at 0 it counts for nothing, NaN included. */
  readonly beta?: number;
  /** Factor on the product. */
  readonly alpha?: number;
}

export abstract class ProductMethods extends IndexingMethods {
  // ---- products --------------------------------------------------------------------------------------------------

  /** Matrix product; leading dimensions broadcast: torch.matmul. */
  matmul(other: Tensor, options: MatmulOptions = {}): Tensor {
    return derive([this, other], ([a, b]) => matmul(a!, b!, options));
  }

  /** The product of two matrices. */
  mm(other: Tensor): Tensor {
    return product("mm", this, other, [2, 2]);
  }

  /** Matrix times vector. */
  mv(vector: Tensor): Tensor {
    return product("mv", this, vector, [2, 1]);
  }

  /** Products of matrices [B, n, m] and [B, m, k]; nothing broadcasts. */
  bmm(other: Tensor): Tensor {
    return product("bmm", this, other, [3, 3]);
  }

  /** Σ of the products of two vectors. */
  dot(other: Tensor): Tensor {
    return product("dot", this, other, [1, 1]);
  }

  /** As `dot`; the two differ for complex numbers only. */
  vdot(other: Tensor): Tensor {
    return product("vdot", this, other, [1, 1]);
  }

  /** Σ over the last dimensions of both. */
  inner(other: Tensor): Tensor {
    return derive([this, other], ([a, b]) => products.inner(a!, b!));
  }

  /** this[i] · other[j] of two vectors. */
  outer(other: Tensor): Tensor {
    return derive([this, other], ([a, b]) => products.outer(a!, b!));
  }

  /** beta · this + alpha · a b for matrices. */
  addmm(a: Tensor, b: Tensor, options: AddProductOptions = {}): Tensor {
    return addProduct("addmm", [this, a, b], [2, 2], options);
  }

  /** beta · this + alpha · a b for a matrix and a vector. */
  addmv(a: Tensor, b: Tensor, options: AddProductOptions = {}): Tensor {
    return addProduct("addmv", [this, a, b], [2, 1], options);
  }

  /** beta · this + alpha · a b for batches of matrices. */
  baddbmm(a: Tensor, b: Tensor, options: AddProductOptions = {}): Tensor {
    return addProduct("baddbmm", [this, a, b], [3, 3], options);
  }

  /** Σ over pairs of dimensions: the last `dims` with the other's first ones, or those of the two lists. */
  tensordot(
    other: Tensor,
    dims: number | readonly [readonly number[], readonly number[]] = 2,
  ): Tensor {
    return derive([this, other], ([a, b]) => products.tensordot(a!, b!, dims));
  }

  /** Kronecker's product: each element times all of the other tensor. */
  kron(other: Tensor): Tensor {
    return derive([this, other], ([a, b]) => products.kron(a!, b!));
  }

  /** The vector product along a dimension of size 3, the first one unless given. */
  cross(other: Tensor, dim?: number): Tensor {
    return derive([this, other], ([a, b]) => products.cross(a!, b!, dim));
  }

  /** The sum of a matrix's diagonal. */
  trace(): Tensor {
    return unary(this, products.trace);
  }

  /** Square matrices times themselves, n ≥ 1 times. */
  matrixPower(n: number): Tensor {
    return unary(this, (x) => products.matrixPower(x, n));
  }

  /** Distances between all pairs of rows: this [B…, P, M], other [B…, R, M] → [B…, P, R]. */
  cdist(other: Tensor, options: CdistOptions = {}): Tensor {
    const given = checkOptions("cdist", options, ["p", "computeMode"]);
    return derive([this, other], ([a, b]) => cdist(a!, b!, given));
  }

  /** Covariances of rows (variables) over columns (observations). */
  cov(options: { readonly correction?: number } = {}): Tensor {
    const { correction = 1 } = checkOptions("cov", options, ["correction"]);
    return unary(this, (x) => products.cov(x, correction));
  }

  /** Correlations of rows. */
  corrcoef(): Tensor {
    return unary(this, products.corrcoef);
  }
}

const product = (
  op: string,
  x: TensorCore,
  other: Tensor,
  ranks: readonly [number, number],
): Tensor => derive([x, other], ([a, b]) => products.productOf(op, a!, b!, ranks));

const addProduct = (
  op: string,
  operands: readonly [TensorCore, Tensor, Tensor],
  ranks: readonly [number, number],
  options: AddProductOptions,
): Tensor => {
  const { beta = 1, alpha = 1 } = checkOptions(op, options, ["beta", "alpha"]);
  return derive(operands, (values) =>
    products.addProduct(op, values as readonly [Value, Value, Value], ranks, beta, alpha),
  );
};
