/** Losses and distances against PyTorch: values, gradients and second derivatives, as functions and as modules. */
import { describe, expect, test } from "vitest";
import { floats } from "../../bench/fixed-data.ts";
import { tensor, type Tensor } from "../../src/index.ts";
import * as F from "../../src/nn/functional/index.ts";
import * as nn from "../../src/nn/index.ts";
import { expectClose, numbersOf, type Numbers } from "../support/close.ts";
import { readFixture } from "./parity.ts";

interface Input {
  readonly shape: readonly number[];
  readonly grad: boolean;
  readonly dtype?: "int32";
  readonly values?: Numbers;
  readonly seed?: number;
  readonly low?: number;
  readonly high?: number;
}

type Argument = string | number | boolean | readonly number[];

interface Fixture {
  readonly function: string;
  readonly module?: string;
  /** The dtype, where results in the other would differ. */
  readonly only?: FloatType;
  readonly note?: string;
  /** Tensors as "#i". */
  readonly args: readonly Argument[];
  readonly options: Readonly<Record<string, Argument>>;
  readonly inputs: readonly Input[];
  readonly output: { readonly shape: readonly number[]; readonly values: Numbers };
  readonly gradients: readonly (Numbers | null)[];
  readonly second?: readonly (Numbers | null)[];
}

type Loss = (...args: unknown[]) => Tensor;
type FloatType = "float32" | "float64";

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function read({ shape, grad, dtype, values, seed, low, high }: Input, float: FloatType): Tensor {
  if (dtype !== undefined) return tensor(numbersOf(values!), { dtype, shape });
  if (values !== undefined)
    return tensor(numbersOf(values), { dtype: float, shape, requiresGrad: grad });
  const data = floats(seed!, size(shape), 1).map((v) => ((v + 1) / 2) * (high! - low!) + low!);
  return tensor(data, { dtype: float, shape, requiresGrad: grad });
}

/** Σ tᵢ · a fixed weight of its own for each element, as in the generator. */
const weighted = (t: Tensor, seed: number): Tensor =>
  t.mul(tensor(floats(seed, t.size, 1), { dtype: t.dtype, shape: t.shape })).sum();

async function check(fixture: Fixture, float: FloatType, asModule: boolean): Promise<void> {
  const inputs = fixture.inputs.map((input) => read(input, float));
  const take = (argument: Argument): unknown =>
    typeof argument === "string" && argument.startsWith("#")
      ? inputs[Number(argument.slice(1))]
      : argument;
  const args = fixture.args.map(take);
  const options = Object.fromEntries(
    Object.entries(fixture.options).map(([key, value]) => [key, take(value)]),
  );
  if (Object.keys(options).length > 0 && !asModule) args.push(options);
  const call = (): Tensor => {
    if (!asModule) return (F as unknown as Record<string, Loss>)[fixture.function]!(...args);
    const Module = (nn as unknown as Record<string, new (options: object) => nn.Module>)[
      fixture.module!
    ]!;
    return (new Module(options).forward as Loss)(...args);
  };
  const tolerance = float === "float64" ? 1e-10 : 1e-5;
  const y = call();
  expect(y.shape).toEqual(fixture.output.shape);
  const wanted = inputs.filter((input) => input.requiresGrad);
  const { second } = fixture;
  weighted(y, 500).backward({ createGraph: second !== undefined });
  const gradients = wanted.map((input) => input.grad);
  const seconds = second === undefined ? [] : gradientsOf(gradients, wanted);
  await Promise.all([
    expectClose(y, fixture.output.values, tolerance, "value"),
    compare(gradients, fixture.gradients, tolerance, "gradient"),
    compare(seconds, second ?? [], 10 * tolerance, "second derivative"),
  ]);
}

function gradientsOf(gradients: readonly (Tensor | null)[], wanted: Tensor[]): (Tensor | null)[] {
  for (const input of wanted) input.grad = null;
  const terms = gradients.flatMap((gradient, i) => (gradient ? [weighted(gradient, 600 + i)] : []));
  terms.reduce((total, term) => total.add(term)).backward();
  return wanted.map((input) => input.grad);
}

/** Where nothing depends on an input, zeros are as good as no gradient. */
async function compare(
  found: readonly (Tensor | null)[],
  expected: readonly (Numbers | null)[],
  tolerance: number,
  what: string,
): Promise<void> {
  await Promise.all(
    expected.map(async (values, i) => {
      const actual = found[i];
      if (!actual) return expect(numbersOf(values ?? []).every((value) => value === 0)).toBe(true);
      const numbers = values ?? Array<number>(actual.size).fill(0);
      await expectClose(actual, numbers, tolerance, `${what} ${i}`);
    }),
  );
}

const fixtures = readFixture<Fixture>("nn/losses");

describe.each([...new Set(fixtures.map((fixture) => fixture.function))])("%s", (name) => {
  const own = fixtures.filter((fixture) => fixture.function === name);
  for (const [i, fixture] of own.entries()) {
    const shapes = fixture.inputs.map(({ shape }) => `[${shape.join()}]`).join(" ");
    const label = `${i}: ${JSON.stringify(fixture.options)} ${shapes} ${fixture.note ?? ""}`;
    test(label, async () => {
      if (fixture.only !== "float64") await check(fixture, "float32", fixture.module !== undefined);
      if (fixture.only !== "float32") await check(fixture, "float64", false);
    });
  }
});
