/** Tensors print as PyTorch prints them, element for element, and say what they are. */

import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import {
  ones,
  printOptions,
  setPrintOptions,
  ShapeError,
  tensor,
  zeros,
  type DType,
  type PrintOptions,
  type Tensor,
} from "../../src/index.ts";
import { format } from "../../src/print.ts";
import { exponential, fixed } from "../../src/print-numbers.ts";

interface Case {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly values?: readonly (number | string)[];
  /** The elements are (i² mod 997 − 300) · ramp. */
  readonly ramp?: number;
  readonly options: Partial<PrintOptions>;
  /** What PyTorch prints for the elements. */
  readonly text: string;
}

const cases = JSON.parse(
  readFileSync(new URL("../fixtures/printing.json", import.meta.url), "utf8"),
) as readonly Case[];

function made({ dtype, shape, values, ramp }: Case): Tensor {
  if (dtype === "int64")
    return tensor(
      BigInt64Array.from(values!, (x) => BigInt(x)),
      { shape },
    );
  const size = shape.reduce((a, b) => a * b, 1);
  const numbers = values?.map((x) =>
    x === "inf" ? Infinity : x === "-inf" ? -Infinity : Number(x),
  );
  const elements =
    numbers ?? Array.from({ length: size }, (_, i) => (((i * i) % 997) - 300) * ramp!);
  return dtype === "bool"
    ? tensor(elements.map(Boolean), { shape })
    : tensor(dtype === "float16" ? elements : Float64Array.from(elements), { dtype, shape });
}

afterEach(() => setPrintOptions({ profile: "default" }));

test.each(
  cases.map(
    (c, i) => [`${i}: ${c.dtype}[${c.shape.join()}] ${JSON.stringify(c.options)}`, c] as const,
  ),
)("%s", async (_name, given) => {
  setPrintOptions(given.options);
  const text = await made(given).format();
  // Python's words for bool are capitalised.
  const expected = given.dtype === "bool" ? given.text.toLowerCase() : given.text;
  expect(text.startsWith(`tensor(${expected},`), `${text}\n${expected}`).toBe(true);
});

describe("what follows the elements", () => {
  test("dtype, shape, and whether gradients are wanted", async () => {
    expect(await tensor([1, 2]).format()).toBe("tensor([1., 2.], dtype=float32, shape=[2])");
    const x = tensor([[0.5], [1]], { requiresGrad: true });
    expect(await x.format()).toBe(
      "tensor([[0.5000],\n        [1.0000]], dtype=float32, shape=[2,1], requiresGrad)",
    );
    expect(await zeros([0, 3]).format()).toBe("tensor([], dtype=float32, shape=[0,3])");
  });

  test("on a line of its own where the last one is full", async () => {
    setPrintOptions({ linewidth: 40 });
    expect(await ones([6]).format()).toBe(
      "tensor([1., 1., 1., 1., 1., 1.],\n       dtype=float32, shape=[6])",
    );
  });

  test("another device than the CPU", () => {
    expect(format(new Float32Array([1]), "float32", [1], { device: "webgpu" })).toBe(
      "tensor([1.], dtype=float32, shape=[1], device=webgpu)",
    );
  });

  test("consoles show dtype and shape, without computing", () => {
    const inspect = Symbol.for("nodejs.util.inspect.custom");
    const x = ones([2, 3]) as unknown as Record<symbol, () => string>;
    expect(x[inspect]!()).toBe("Tensor(shape=[2,3], dtype=float32)");
  });
});

test("a large tensor is printed from its edges only", () => {
  const touched = new Set<number>();
  const data = new Proxy(new Float32Array(1e6), {
    get: (target, key) => {
      if (typeof key === "string" && /^\d+$/.test(key)) touched.add(Number(key));
      return Reflect.get(target, key, target) as unknown;
    },
  });
  expect(format(data, "float32", [1000, 1000])).toContain("...");
  expect(touched.size).toBe(36);
});

describe("options", () => {
  test("change one by one, and a profile sets all", () => {
    setPrintOptions({ precision: 2 });
    setPrintOptions({ edgeitems: 5 });
    expect(printOptions()).toMatchObject({ precision: 2, edgeitems: 5, threshold: 1000 });
    setPrintOptions({ profile: "full" });
    expect(printOptions()).toMatchObject({ precision: 4, threshold: Infinity, edgeitems: 3 });
    setPrintOptions({ profile: "short", linewidth: 60 });
    expect(printOptions()).toMatchObject({ precision: 2, edgeitems: 2, linewidth: 60 });
  });

  test.each<object>([
    { precision: -1 },
    { precision: Infinity },
    { edgeitems: 0.5 },
    { width: 3 },
    { profile: "long" },
  ])("%o is refused", (options) => {
    expect(() => setPrintOptions(options)).toThrow(ShapeError);
    expect(() => setPrintOptions(options)).toThrow(/^setPrintOptions: /);
  });
});

test("halves go to the even digit", () => {
  expect([0.5, 1.5, 2.5, -0.5].map((x) => fixed(x, 0))).toEqual(["0", "2", "2", "-0"]);
  expect(fixed(0.03125, 4)).toBe("0.0312");
  expect(fixed(0.09375, 4)).toBe("0.0938");
  expect(fixed(1e22, 1)).toBe("10000000000000000000000.0");
  expect(exponential(100005, 4)).toBe("1.0000e+05");
  expect(exponential(100015, 4)).toBe("1.0002e+05");
  expect(exponential(2.5, 0)).toBe("2e+00");
  expect(exponential(-1e-100, 2)).toBe("-1.00e-100");
});
