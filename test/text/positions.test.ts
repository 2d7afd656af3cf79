/** Analysis of positional encodings against NumPy and scikit-learn, and against what the paper says of sinusoids. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { tensor, type Tensor } from "../../src/index.ts";
import {
  mixEmbeddings,
  positionalEncodingMatrix,
  positionCorrelation,
  positionDistanceMatrix,
  positionDistances,
  positionSimilarity,
} from "../../src/text/positions.ts";
import { projectTo2D } from "../../src/text/projection.ts";
import { symmetricEigen } from "../../src/text/symmetric-eigen.ts";
import { distance, expectClose } from "../support/close.ts";
import { filled } from "../support/filled.ts";

interface Rows {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
type Case = {
  readonly name: string;
  readonly explainedVarianceRatio: readonly number[];
} & Readonly<
  Record<"matrix" | "distances" | "correlation" | "cosine" | "points" | "components" | "mean", Rows>
>;
const path = new URL("../fixtures/text/positions.json", import.meta.url);
const cases = JSON.parse(readFileSync(path, "utf8")) as Case[];

const floats = async (x: Tensor): Promise<number[]> => [...((await x.data()) as Float32Array)];

describe.each(cases)("$name", (fixture) => {
  describe.each([
    ["float64", 1e-10],
    ["float32", 1e-5],
  ] as const)("in %s", (dtype, tolerance) => {
    const { shape, data } = fixture.matrix;
    const matrix = tensor(Float64Array.from(data), { shape, dtype });
    const same = async (actual: Tensor, { shape, data }: Rows, what: string) => {
      expect([actual.dtype, actual.shape]).toEqual([dtype, shape]);
      await expectClose(actual, data, tolerance, what);
    };

    test("distances, correlations and cosines are NumPy's", async () => {
      await same(positionDistanceMatrix(matrix), fixture.distances, "distances");
      await same(positionCorrelation(matrix), fixture.correlation, "correlation");
      await same(positionSimilarity(matrix, { measure: "cosine" }), fixture.cosine, "cosine");
      const n = shape[0]!;
      for (const k of [0, 1, 3]) {
        const expected = Array.from(
          { length: n - k },
          (_, i) => fixture.distances.data[i * n + i + k]!,
        );
        await same(positionDistances(matrix, k), { shape: [n - k], data: expected }, `${k} apart`);
      }
    });

    test("the projection is scikit-learn's, signs and all", async () => {
      const projection = await projectTo2D(matrix);
      await same(projection.points, fixture.points, "points");
      await same(projection.components, fixture.components, "components");
      await same(projection.mean, fixture.mean, "mean");
      expect(
        distance(projection.explainedVarianceRatio, fixture.explainedVarianceRatio),
      ).toBeLessThan(dtype === "float64" ? 1e-10 : 1e-6);
      const { mean, components } = projection;
      const again = matrix.sub(mean).matmul(components.t());
      await same(again, fixture.points, "rows projected again");
    });
  });
});

describe("sinusoids", () => {
  const [length, size] = [64, 32];
  const matrix = positionalEncodingMatrix(length, size);
  const frequencies = Array.from({ length: size / 2 }, (_, j) => 10000 ** ((-2 * j) / size));

  test("k apart are equally far from each other, wherever they stand: √Σ(2 − 2 cos kω)", async () => {
    for (const k of [1, 2, 10, 40]) {
      const far = Math.sqrt(frequencies.reduce((sum, w) => sum + 2 - 2 * Math.cos(k * w), 0));
      const expected = Array<number>(length - k).fill(far);
      await expectClose(positionDistances(matrix, k), expected, 1e-5, `${k} apart`);
    }
  });

  test("have dot products Σ cos kω, and so one length, √(D / 2)", async () => {
    const expected = Array.from({ length: length * length }, (_, i) => {
      const k = Math.floor(i / length) - (i % length);
      return frequencies.reduce((sum, w) => sum + Math.cos(k * w), 0);
    });
    await expectClose(positionSimilarity(matrix), expected, 1e-5, "dot products");
    const cosines = positionSimilarity(matrix, { measure: "cosine" });
    await expectClose(
      cosines,
      expected.map((x) => x / (size / 2)),
      1e-5,
      "cosines",
    );
  });

  test("correlate fully with themselves and most with their neighbours", async () => {
    const rows = await floats(positionCorrelation(matrix));
    const at = (i: number, j: number) => rows[i * length + j]!;
    for (let i = 0; i < length; i++) {
      expect(at(i, i)).toBeCloseTo(1, 5);
      for (let j = i + 2; j < length; j++) expect(at(i, j)).toBeLessThan(at(i, i + 1));
    }
  });
});

describe("mixEmbeddings", () => {
  const words = filled([2, 3, 4], 1);
  const positions = positionalEncodingMatrix(5, 4);

  test("weighs words against positions, for one sequence and for batches", async () => {
    const [w, p] = [await floats(words), await floats(positions)];
    const mixed = (weight: number) => w.map((x, i) => weight * x + (1 - weight) * p[i % 12]!);
    for (const weight of [0, 0.25, 1])
      await expectClose(mixEmbeddings(words, positions, weight), mixed(weight), 1e-6, `${weight}`);
    const one = mixEmbeddings(words.select(0, 0), positions, 0.25);
    expect(one.shape).toEqual([3, 4]);
    await expectClose(one, mixed(0.25).slice(0, 12), 1e-6, "one sequence");
  });

  test("lets gradients through to the embeddings", async () => {
    const x = tensor([[1, 2]], { requiresGrad: true });
    mixEmbeddings(x, positionalEncodingMatrix(1, 2), 0.25).sum().backward();
    expect(await floats(x.grad!)).toEqual([0.25, 0.25]);
  });
});

describe("projections", () => {
  test("of rows on a line have a second axis square to it, and nothing along it", async () => {
    const line = (d: number) =>
      tensor([-1, 0, 2].map((t) => Array.from({ length: d }, (_, j) => 1 + t * (j + 1))));
    for (const d of [2, 6]) {
      const { points, components, explainedVarianceRatio } = await projectTo2D(line(d));
      const [p, c] = [await floats(points), await floats(components)];
      expect(distance(explainedVarianceRatio, [1, 0])).toBeLessThan(1e-12);
      for (const i of [1, 3, 5]) expect(p[i]).toBeCloseTo(0, 6);
      const dot = (a: number, b: number) =>
        Array.from({ length: d }, (_, j) => c[a * d + j]! * c[b * d + j]!).reduce((x, y) => x + y);
      expect([dot(0, 0), dot(0, 1), dot(1, 1)].map((x) => Number(x.toFixed(6)) + 0)).toEqual([
        1, 0, 1,
      ]);
    }
  });

  test("of rows that are all alike are the origin", async () => {
    for (const shape of [
      [3, 2],
      [2, 3],
    ]) {
      const { points, explainedVarianceRatio } = await projectTo2D(
        tensor(new Float32Array(6).fill(2), { shape }),
      );
      expect((await floats(points)).every((x) => x === 0)).toBe(true);
      expect(explainedVarianceRatio).toEqual([NaN, NaN]);
    }
  });

  test("eigenvectors of a larger matrix turn it diagonal", () => {
    const n = 60;
    const matrix = new Float64Array(n * n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) matrix[i * n + j] = Math.sin(i * j) + Math.cos(i + j);
    const { values, vectors } = symmetricEigen(matrix, n);
    const product = (a: Float64Array, b: Float64Array) =>
      a.reduce((sum, x, i) => sum + x * b[i]!, 0);
    let worst = 0;
    vectors.forEach((v, a) => {
      const image = v.map((_, i) => product(matrix.subarray(i * n, (i + 1) * n), v));
      image.forEach((x, i) => (worst = Math.max(worst, Math.abs(x - values[a]! * v[i]!))));
      vectors.forEach(
        (u, b) => (worst = Math.max(worst, Math.abs(product(u, v) - (a === b ? 1 : 0)))),
      );
    });
    expect(worst).toBeLessThan(1e-12);
    expect(values).toEqual([...values].sort((a, b) => b - a));
  });
});

test("errors say what was received and what is expected", async () => {
  const matrix = filled([3, 4], 1);
  expect(() => positionDistances(matrix, 3)).toThrow(
    "positionDistances: k must be an integer from 0 to 2, less than the number of rows, got 3",
  );
  expect(() => positionDistances(matrix, 1.5)).toThrow("got 1.5");
  expect(() => positionCorrelation(filled([3], 1))).toThrow(
    "positionCorrelation: matrix must be a floating [positions, features], got float32 [3]",
  );
  expect(() => positionSimilarity(matrix, { measure: "l2" as "dot" })).toThrow(
    'positionSimilarity: measure must be "dot" or "cosine", got "l2"',
  );
  expect(() => mixEmbeddings(filled([4, 4], 1), matrix, 0.5)).toThrow(
    "mixEmbeddings: embeddings must be floating [T, 4] or [B, T, 4] with at most 3 tokens, as positions are [3,4], got float32 [4,4]",
  );
  expect(() => mixEmbeddings(matrix, matrix, 2)).toThrow(
    "mixEmbeddings: weight must be a number from 0, positions alone, to 1, embeddings alone, got 2",
  );
  await expect(projectTo2D(filled([1, 4], 1))).rejects.toThrow(
    "projectTo2D: needs at least 2 rows and 2 features, got [1,4]",
  );
  await expect(
    projectTo2D(
      tensor([
        [1, 2],
        [NaN, 1],
      ]),
    ),
  ).rejects.toThrow("projectTo2D: elements must be finite, got NaN or Infinity");
});
