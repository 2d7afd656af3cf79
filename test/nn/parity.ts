/** Runs a layer or function on the inputs of a PyTorch fixture and compares outputs, gradients and state-dict keys. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { floats, integers } from "../../bench/fixed-data.ts";
import { tensor, type DType, type Tensor } from "../../src/index.ts";
import type { Module } from "../../src/nn/index.ts";
import { expectClose, numbersOf, type Numbers } from "../support/close.ts";

/** Elements by formula (`seed` with `bound` or `limit`) or one by one. */
interface InputSpec {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly values?: Numbers;
  readonly seed?: number;
  readonly bound?: number;
  readonly limit?: number;
}

interface Fixture {
  readonly name: string;
  readonly inputs: readonly InputSpec[];
  readonly state: readonly (readonly [key: string, shape: readonly number[]])[];
  /** Names in PyTorch's order, as `parameterGradients`. */
  readonly parameters: readonly string[];
  readonly outputs: readonly { readonly shape: readonly number[]; readonly values: Numbers }[];
  readonly inputGradients: readonly (Numbers | false)[];
  readonly parameterGradients: readonly Numbers[];
}

/** What a case computes: `module` is built anew for each, and undefined for functions. */
export interface Case<M extends Module = Module> {
  readonly build?: () => M;
  readonly call: (inputs: readonly Tensor[], module: M) => Tensor | readonly (Tensor | null)[];
}

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export function readFixture<T>(name: string): readonly T[] {
  const file = new URL(`../fixtures/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as T[];
}

/** A tensor by the formula shared with scripts/fixtures/nn_common.py. */
export const formula = (seed: number, shape: readonly number[], bound = 1): Tensor =>
  tensor(floats(seed, size(shape), bound), { shape });

function input({ dtype, shape, values, seed = 0, bound = 1, limit }: InputSpec): Tensor {
  const requiresGrad = dtype === "float32";
  if (values !== undefined) return tensor(numbersOf(values), { dtype, shape, requiresGrad });
  if (limit !== undefined) return tensor(integers(seed, size(shape), limit), { shape });
  return tensor(floats(seed, size(shape), bound), { shape, requiresGrad });
}

const TOLERANCE = 1e-5;

async function check<M extends Module>(fixture: Fixture, { build, call }: Case<M>): Promise<void> {
  const module = build?.() as M;
  if (build) {
    const state = Object.entries(module.stateDict());
    expect(state.map(([key, { shape }]) => [key, shape])).toEqual(fixture.state);
    const names = Array.from(module.namedParameters(), ([name]) => name);
    expect(names).toEqual(fixture.parameters);
    module.loadStateDict(
      Object.fromEntries(
        fixture.state.map(([key, shape], i) => [key, formula(1000 + i, shape, 0.5)]),
      ),
    );
  }
  const inputs = fixture.inputs.map(input);
  const result = call(inputs, module);
  const outputs = (Array.isArray(result) ? result : [result]) as readonly Tensor[];
  outputs
    .map((y, i) => y.mul(formula(500 + i, y.shape)).sum())
    .reduce((total, term) => total.add(term))
    .backward();
  expect(outputs.map(({ shape }) => shape)).toEqual(fixture.outputs.map(({ shape }) => shape));
  for (const [i, { values }] of fixture.outputs.entries())
    await expectClose(outputs[i], values, TOLERANCE, `output ${i}`);
  for (const [i, values] of fixture.inputGradients.entries()) {
    if (values === false) expect(inputs[i]!.grad, `gradient of input ${i}`).toBeNull();
    else await expectClose(inputs[i]!.grad, values, TOLERANCE, `gradient of input ${i}`);
  }
  const parameters = module?.parameters() ?? [];
  for (const [i, values] of fixture.parameterGradients.entries())
    await expectClose(
      parameters[i]!.grad,
      values,
      TOLERANCE,
      `gradient of ${fixture.parameters[i]}`,
    );
}

/** One test for each case; a fixture without a case, and a case without fixture, fail. */
export function suite<M extends Module>(name: string, cases: Readonly<Record<string, Case<M>>>) {
  const fixtures = readFixture<Fixture>(`nn/${name}`);
  test("every fixture has a case and every case a fixture", () => {
    expect(Object.keys(cases).toSorted()).toEqual(fixtures.map((f) => f.name).toSorted());
  });
  for (const fixture of fixtures) {
    const one = cases[fixture.name];
    if (one) test(fixture.name, () => check(fixture, one));
  }
}
