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
  /** Results are float32's, which float64's differ from. */
  readonly only?: "float32";
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
  const call = (): Tensor => {
    if (!asModule)
      return (F as unknown as Record<string, Loss>)[fixture.function]!(...args, options);
    const Module = (nn as unknown as Record<string, new (options: object) => nn.Module>)[
      fixture.module!
    ]!;
    return (new Module(options).forward as Loss)(...args);
  };
  const tolerance = float === "float64" ? 1e-10 : 1e-5;
  const y = fixture.options && call();
  expect(y.shape).toEqual(fixture.output.shape);
  await expectClose(y, fixture.output.values, tolerance, "value");
  const wanted = inputs.filter((input) => input.requiresGrad);
  const second = fixture.second;
  weighted(y, 500).backward({ createGraph: second !== undefined });
  const gradients = wanted.map((input) => input.grad);
  for (const [i, values] of fixture.gradients.entries()) {
    if (values === null) expect(gradients[i]).toBeNull();
    else await expectClose(gradients[i], values, tolerance, `gradient ${i}`);
  }
  if (second === undefined) return;
  for (const input of wanted) input.grad = null;
  const terms = gradients.flatMap((gradient, i) => (gradient ? [weighted(gradient, 600 + i)] : []));
  terms.reduce((total, term) => total.add(term)).backward();
  for (const [i, values] of second.entries()) {
    if (values === null || wanted[i]!.grad === null) {
      // Where nothing depends on the input, PyTorch says nothing or zeros.
      const zeros = (numbersOf(values ?? []) as number[]).every((v) => v === 0);
      if (wanted[i]!.grad === null) expect(zeros, `second derivative ${i}`).toBe(true);
      else {
        const found = [...((await wanted[i]!.grad.data()) as Float32Array)];
        expect(found.every((v) => v === 0)).toBe(true);
      }
    } else await expectClose(wanted[i]!.grad, values, 10 * tolerance, `second derivative ${i}`);
  }
}

const fixtures = readFixture<Fixture>("nn/losses");

describe.each([...new Set(fixtures.map((fixture) => fixture.function))])("%s", (name) => {
  const own = fixtures.filter((fixture) => fixture.function === name);
  for (const [i, fixture] of own.entries()) {
    const shapes = fixture.inputs.map(({ shape }) => `[${shape.join()}]`).join(" ");
    const label = `${i}: ${JSON.stringify(fixture.options)} ${shapes} ${fixture.note ?? ""}`;
    test(label, async () => {
      await check(fixture, "float32", fixture.module !== undefined);
      if (fixture.only === undefined) await check(fixture, "float64", false);
    });
  }
});
