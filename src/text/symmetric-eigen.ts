/** Eigenvalues and eigenvectors of small symmetric matrices in float64, for which ONNX has no operator. */

/**
 * All eigenvalues, largest first, and their unit eigenvectors, for a symmetric matrix [n, n] given row by row: reduction to
 * a tridiagonal matrix by reflections, then QR steps with Wilkinson's shift. About 5 n³ multiplications.
 * Golub and Van Loan, "Matrix Computations", 4th edition, algorithms 8.3.1 to 8.3.3.
 */
export function symmetricEigen(
  matrix: Float64Array,
  n: number,
): { readonly values: number[]; readonly vectors: Float64Array[] } {
  const rows = Array.from({ length: n }, (_, i) => matrix.slice(i * n, (i + 1) * n));
  // Rows of the transposed basis: they become the eigenvectors.
  const basis = rows.map((_, i) => new Float64Array(n).fill(1, i, i + 1));
  reflect(rows, basis);
  const diagonal = rows.map((row, i) => row[i]!);
  const beside = rows.slice(1).map((row, i) => row[i]!);
  rotate(diagonal, beside, basis);
  const order = [...diagonal.keys()].sort((a, b) => diagonal[b]! - diagonal[a]!);
  return { values: order.map((i) => diagonal[i]!), vectors: order.map((i) => basis[i]!) };
}

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** Makes the rows tridiagonal: A ← HAH and basis ← H·basis with reflections H = 1 − 2vvᵀ that clear a column each. */
function reflect(rows: Float64Array[], basis: Float64Array[]): void {
  const n = rows.length;
  for (let k = 0; k < n - 2; k++) {
    const v = new Float64Array(n);
    for (let i = k + 1; i < n; i++) v[i] = rows[i]![k]!;
    const length = Math.hypot(...v.subarray(k + 1));
    if (length === 0) continue;
    v[k + 1]! += v[k + 1]! < 0 ? -length : length;
    const size = Math.sqrt(dot(v, v));
    for (let i = k + 1; i < n; i++) v[i]! /= size;

    const product = Float64Array.from(rows, (row) => dot(row, v)); // Av
    const along = dot(product, v);
    const w = product.map((p, i) => p - along * v[i]!);
    rows.forEach((row, i) => {
      const [vi, wi] = [2 * v[i]!, 2 * w[i]!];
      for (let j = 0; j < n; j++) row[j]! -= vi * w[j]! + wi * v[j]!;
    });
    const sums = new Float64Array(n); // vᵀ·basis
    for (let i = k + 1; i < n; i++) for (let j = 0; j < n; j++) sums[j]! += v[i]! * basis[i]![j]!;
    for (let i = k + 1; i < n; i++)
      for (let j = 0; j < n; j++) basis[i]![j]! -= 2 * v[i]! * sums[j]!;
  }
}

/** Makes the tridiagonal matrix diagonal, and turns the rows of the basis along. */
function rotate(diagonal: number[], beside: number[], basis: Float64Array[]): void {
  const isSmall = (i: number): boolean =>
    Math.abs(beside[i]!) <= Number.EPSILON * (Math.abs(diagonal[i]!) + Math.abs(diagonal[i + 1]!));
  let high = diagonal.length - 1;
  // Two or three steps a value are usual; numbers whose squares overflow never come to an end.
  let left = 30 * diagonal.length;
  while (high > 0) {
    if (isSmall(high - 1)) {
      high -= 1;
      continue;
    }
    let low = high - 1;
    while (low > 0 && !isSmall(low - 1)) low -= 1;
    if (left-- === 0)
      throw new RangeError("symmetricEigen: does not converge; scale the numbers to about 1");
    step(diagonal, beside, basis, low, high);
  }
}

/** One implicit QR step on rows `low` to `high`: rotations of neighbours that chase an element off the three diagonals. */
function step(
  diagonal: number[],
  beside: number[],
  basis: Float64Array[],
  low: number,
  high: number,
): void {
  const half = (diagonal[high - 1]! - diagonal[high]!) / 2;
  const square = beside[high - 1]! ** 2;
  const shift =
    diagonal[high]! - square / (half + Math.sign(half || 1) * Math.hypot(half, beside[high - 1]!));
  let [x, z] = [diagonal[low]! - shift, beside[low]!];
  for (let k = low; k < high; k++) {
    const length = Math.hypot(x, z);
    const [c, s] = length === 0 ? [1, 0] : [x / length, z / length];
    if (k > low) beside[k - 1] = length;
    const [a, b, d] = [diagonal[k]!, beside[k]!, diagonal[k + 1]!];
    diagonal[k] = c * c * a + 2 * c * s * b + s * s * d;
    diagonal[k + 1] = s * s * a - 2 * c * s * b + c * c * d;
    beside[k] = c * s * (d - a) + (c * c - s * s) * b;
    if (k < high - 1) {
      z = s * beside[k + 1]!;
      beside[k + 1]! *= c;
    }
    x = beside[k]!;
    const [first, second] = [basis[k]!, basis[k + 1]!];
    for (let j = 0; j < first.length; j++) {
      const [p, q] = [first[j]!, second[j]!];
      first[j] = c * p + s * q;
      second[j] = c * q - s * p;
    }
  }
}
