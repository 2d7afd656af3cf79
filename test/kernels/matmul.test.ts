/** Matrix products in machine code, against sums in float64. */

import { expect, test } from "vitest";
import { matmulIsFaster, matmulKernel, panelsOf } from "../../src/kernels/matmul.ts";
import { type MatmulSpec, planMatmul } from "../../src/kernels/matmul-plan.ts";
import { KERNEL_DOMAIN, type Kernel } from "../../src/kernels/kernel.ts";
import { encodeModel } from "../../src/onnx/proto.ts";
import { addressOf, libraryPath, OnnxRuntime, type Pointer } from "../../src/runtime/c-api.ts";
import { OperatorFactory } from "../../src/runtime/kernel-operators.ts";
import { CodeMemory } from "../../src/runtime/machine-code.ts";

// Before any other use of the foreign functions: it chooses the size of their stack.
const ort = new OnnxRuntime(libraryPath());
const memory = CodeMemory.open();
const skip =
  memory === undefined ? "no machine code runs here: another system or processor" : undefined;

/** Runs kernels of the same kinds of operands on a pool of two threads. */
function runner(): (kernel: Kernel, inputs: readonly Float32Array[], output: Float32Array) => void {
  const factory = new OperatorFactory(ort, memory!);
  ort.check(ort.bind("CreateThreadingOptions")(ort.out));
  const threading = ort.made();
  ort.check(ort.bind("SetGlobalIntraOpNumThreads")(threading, 2));
  ort.check(ort.bind("CreateEnvWithGlobalThreadPools")(3, "matmul", threading, ort.out));
  const environment = ort.made();
  const info = ort.cpuMemory("device");

  const value = (data: Float32Array, shape: readonly number[]): Pointer => {
    const dims = new BigInt64Array(new ArrayBuffer(8 * shape.length));
    shape.forEach((size, i) => (dims[i] = BigInt(size)));
    ort.check(
      ort.bind("CreateTensorWithDataAsOrtValue")(
        info,
        addressOf(data.buffer) + BigInt(data.byteOffset),
        data.byteLength,
        addressOf(dims.buffer),
        shape.length,
        1,
        ort.out,
      ),
    );
    return ort.made();
  };

  return (kernel, inputs, output) => {
    const operators = factory.register([kernel]);
    const named = [
      ...kernel.inputs.map((type, i) => ({ ...type, name: `x${i}` })),
      ...kernel.outputs.map((type) => ({ ...type, name: "y" })),
    ];
    const model = encodeModel({
      irVersion: 9,
      opsetImports: [
        { domain: "", version: 18 },
        { domain: KERNEL_DOMAIN, version: 1 },
      ],
      producerName: "test",
      graph: {
        name: "g",
        nodes: [
          {
            name: "n",
            opType: kernel.name,
            domain: KERNEL_DOMAIN,
            inputs: named.slice(0, -1).map(({ name }) => name),
            outputs: ["y"],
            attributes: {},
          },
        ],
        initializers: [],
        inputs: named.slice(0, -1),
        outputs: named.slice(-1),
      },
    });
    ort.check(ort.bind("CreateSessionOptions")(ort.out));
    const options = ort.made();
    ort.check(ort.bind("DisablePerSessionThreads")(options));
    ort.check(ort.bind("AddCustomOpDomain")(options, operators.domain));
    const bytes = addressOf(model.buffer) + BigInt(model.byteOffset);
    ort.check(
      ort.bind("CreateSessionFromArray")(environment, bytes, model.byteLength, options, ort.out),
    );
    const session = ort.made();
    const count = inputs.length;
    const values = [...inputs, output].map((data, i) => value(data, named[i]!.shape));
    // Addresses of names, then of values, then the names themselves.
    const text = new TextEncoder().encode(named.map(({ name }) => `${name}\0`).join(""));
    const block = new ArrayBuffer(16 * (count + 1) + text.length);
    const start = addressOf(block);
    const slots = new BigUint64Array(block, 0, 2 * (count + 1));
    new Uint8Array(block).set(text, 16 * (count + 1));
    let at = start + BigInt(16 * (count + 1));
    named.forEach(({ name }, i) => {
      slots[i] = at;
      at += BigInt(name.length + 1);
      slots[count + 1 + i] = values[i]!;
    });
    const place = (i: number): Pointer => start + BigInt(8 * i);
    ort.check(
      ort.bind("Run")(
        session,
        0n,
        place(0),
        place(count + 1),
        count,
        place(count),
        1,
        place(2 * count + 1),
      ),
    );
    for (const made of values) ort.bind<void>("ReleaseValue")(made);
    ort.bind<void>("ReleaseSession")(session);
    ort.bind<void>("ReleaseSessionOptions")(options);
    operators.release();
  };
}

/** Numbers in (−1, 1), the same at every run. */
function numbers(count: number, seed: number): Float32Array {
  let state = seed * 2654435761 + 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}

const size = (shape: readonly number[]): number => shape.reduce((all, one) => all * one, 1);

/** The largest difference from the product in float64, in units of what rounding as many sums may well give. */
function error(spec: MatmulSpec, [a, b, bias]: readonly Float32Array[], c: Float32Array): number {
  const { m, n, k, transA = false, transB = false, batch = [], alpha = 1, relu = false } = spec;
  let worst = 0;
  for (let item = 0; item < size(batch); item++) {
    const [fromA, fromB] = [item * m * k, item * k * n];
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let t = 0; t < k; t++)
          sum +=
            a![fromA + (transA ? t * m + i : i * k + t)]! *
            b![fromB + (transB ? j * k + t : t * n + j)]!;
        const exact = alpha * sum + (bias?.[j] ?? 0);
        const expected = relu ? Math.max(0, exact) : exact;
        const difference = Math.abs(c[(item * m + i) * n + j]! - expected);
        worst = Math.max(worst, Number.isNaN(difference) ? Infinity : difference);
      }
  }
  return worst / (2 ** -24 * (2 + Math.abs(alpha) * k));
}

const forms = [false, true].flatMap((transA) =>
  [false, true].map((transB) => ({ transA, transB })),
);
const sizes: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [1, 7, 3],
  [5, 1, 9],
  [1, 29, 70],
  [4, 19, 45],
  [2, 3, 2],
  [6, 16, 8],
  [7, 17, 11],
  [8, 15, 19],
  [9, 33, 31],
  [12, 32, 64],
  [50, 4, 40],
  [50, 36, 40],
  [13, 25, 257],
  [22, 20, 300],
  [67, 71, 73],
  [101, 263, 53],
  [128, 64, 128],
  [70, 290, 328],
  [49, 35, 641],
  [50, 270, 642],
  [7, 9, 12481],
];

const run = memory === undefined ? undefined : runner();

function check(spec: Omit<MatmulSpec, "threads">, threads: number): void {
  const whole = { ...spec, threads };
  const kernel = matmulKernel("product", whole);
  expect(kernel.code.length).toBeLessThan(16 * 1024);
  const plain = matmulKernel("product", { ...whole, packedB: false });
  const inputs = plain.inputs.map(({ shape }, i) => numbers(size(shape), i + 1));
  const given = [...inputs];
  if (spec.packedB === true) given[1] = panelsOf(inputs[1]!, whole);
  expect(given.map(({ length }) => length)).toEqual(kernel.inputs.map(({ shape }) => size(shape)));
  // What surrounds the result must not change.
  const count = size(kernel.outputs[0]!.shape);
  const room = new Float32Array(count + 32).fill(NaN);
  run!(kernel, given, room.subarray(16, 16 + count));
  expect(error(whole, inputs, room.subarray(16, 16 + count)), JSON.stringify(whole)).toBeLessThan(
    8,
  );
  expect([...room.subarray(0, 16), ...room.subarray(16 + count)].every(Number.isNaN)).toBe(true);
}

test.skipIf(skip !== undefined)("products of all shapes and transposes", () => {
  for (const [m, n, k] of sizes)
    for (const form of forms) for (const threads of [1, 5]) check({ m, n, k, ...form }, threads);
});

test.skipIf(skip !== undefined)("a bias and a factor", () => {
  for (const [m, n, k] of sizes)
    for (const form of forms) check({ m, n, k, ...form, bias: true, alpha: -0.3 }, 2);
});

test.skipIf(skip !== undefined)("a constant matrix in panels", () => {
  for (const [m, n, k] of sizes)
    for (const form of forms) {
      check({ m, n, k, ...form, packedB: true }, 2);
      check({ m, n, k, ...form, packedB: true, bias: true, alpha: 1.7, relu: true }, 3);
    }
});

test.skipIf(skip !== undefined)("no elements below zero", () => {
  for (const [m, n, k] of sizes)
    for (const form of forms) check({ m, n, k, ...form, relu: true, bias: true }, 2);
});

test.skipIf(skip !== undefined)("a matrix of short lines, read where it lies", () => {
  for (const [m, n, k] of [
    [7, 64, 24],
    [24, 16, 24],
    [13, 128, 97],
    [20, 32, 500],
    [128, 64, 200],
  ] as const)
    for (const transA of [false, true]) {
      expect(planMatmul({ m, n, k, transA, threads: 2 }).sourceB).toBe("inPlace");
      check({ m, n, k, transA, batch: [5] }, 2);
      check({ m, n, k, transA, bias: true, relu: true }, 1);
    }
});

test.skipIf(skip !== undefined)("batches of matrices", () => {
  for (const [m, n, k] of sizes.slice(0, 10))
    for (const form of forms) check({ m, n, k, batch: [3, 2], ...form }, 4);
});

test("which products ONNX Runtime keeps", () => {
  const faster = (m: number, n: number, k: number, more = {}): boolean =>
    matmulIsFaster({ m, n, k, threads: 2, ...more });
  expect(faster(1024, 256, 256)).toBe(true);
  expect(faster(1, 256, 256, { transB: true })).toBe(true);
  expect(faster(1, 256, 256)).toBe(false);
  expect(faster(256, 1, 256)).toBe(false);
  expect(faster(256, 256, 1)).toBe(false);
  expect(faster(0, 256, 256)).toBe(false);
  expect(faster(2 ** 15, 2 ** 14, 256)).toBe(false);
});

test("panels with batches", () => {
  expect(() =>
    matmulKernel("product", { m: 3, n: 4, k: 2, batch: [2], packedB: true, threads: 1 }),
  ).toThrow("panels hold one matrix, got batch [2]");
});

test.skipIf(skip !== undefined)("NaN and infinities", () => {
  for (const [m, n, k] of [
    [7, 17, 11],
    [3, 5, 130],
    [20, 16, 641],
  ] as const)
    for (const form of forms)
      for (const relu of [false, true]) {
        const kernel = matmulKernel("product", { m, n, k, ...form, relu, threads: 1 });
        const [a, b] = kernel.inputs.map(({ shape }) => new Float32Array(size(shape)).fill(1));
        const [row, column] = [m - 1, n - 1];
        a![form.transA ? row : row * k] = NaN;
        b![form.transB ? column * k : column] = -Infinity;
        const c = new Float32Array(m * n);
        run!(kernel, [a!, b!], c);
        c.forEach((x, i) => {
          const [inRow, inColumn] = [Math.floor(i / n) === row, i % n === column];
          expect(x).toBe(inRow ? NaN : inColumn ? (relu ? 0 : -Infinity) : k);
        });
      }
});

test("sizes that no kernel has", () => {
  expect(() => matmulKernel("product", { m: 3, n: 0, k: 2, threads: 1 })).toThrow(
    "sizes must be 1 to 2²⁴ − 1 and matrices smaller than 2 GiB, got m 3, n 0, k 2, batch []",
  );
});
