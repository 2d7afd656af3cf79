/** Checks of one sample against expected results, on whatever executor is in use; needs neither Node nor a test runner. */

import { compile, grad, gradcheck, tensor, type DType, type Tensor } from "../../src/index.ts";
import { executor, targetOf } from "../../src/device.ts";
import type { Executor } from "../../src/runtime/executor.ts";
import { isFloat, type TypedArray } from "../../src/graph/dtype.ts";
import { formatShape } from "../../src/graph/shape.ts";
import { lowerProgram } from "../../src/onnx/lower.ts";
import { encodeModel } from "../../src/onnx/proto.ts";
import { cotangent, digest, hasGrad, sampleId, toTensor, type Sample } from "./sample.ts";

/** Elements as JSON holds them. */
type Numbers = readonly (number | string)[];

/** What PyTorch gives for a sample. */
export interface Expected {
  readonly digest: string;
  readonly outputs: readonly {
    readonly dtype: DType;
    readonly shape: readonly number[];
    readonly data: Numbers;
  }[];
  /** Gradient of Σ cotangent · output for each float input. */
  readonly grads?: readonly Numbers[];
  /** Gradient of Σ cotangent · gradient for each float input. */
  readonly second?: readonly Numbers[];
}

export type Fixture = Readonly<Record<string, Expected>>;

/** ONNX Runtime computes these in float32 only, on a CPU: finite differences need larger steps. */
const FLOAT32_ONLY = new Set(
  "gelu conv2d convTranspose2d maxPool1d maxPool2d maxPoolPositions maxPoolScatter maxPoolGather avgPool1d avgPool2d adaptiveAvgPool2d adaptiveMaxPool1d adaptiveMaxPool2d lpPool2d upsample localResponseNorm".split(
    " ",
  ),
);

/** Throws an error that lists everything wrong with a sample. `shapesOn`, unless the executor in use, has the operator Shape. */
export async function checkSample(
  sample: Sample,
  expected: Expected | undefined,
  shapesOn?: Executor,
): Promise<void> {
  const wrong: string[] = [];
  const attempt = async (what: string, task: () => Promise<void>): Promise<void> => {
    try {
      await task();
    } catch (error) {
      wrong.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  if (expected === undefined || expected.digest !== digest(sample))
    throw new Error(
      `no expected results for "${sampleId(sample)}" as it is now; see scripts/fixtures/ops.py`,
    );
  await attempt("shape", async () => checkShapes(sample, shapesOn ?? (await executor())));
  await attempt("value", async () => compareOutputs(sample, outputsOf(sample).outputs, expected));
  const { grads, second } = expected;
  if (grads !== undefined)
    await attempt("gradient", () => compareAll(sample, "input", derivatives(sample), grads));
  if (second !== undefined)
    await attempt("second derivative", () =>
      compareAll(sample, "input", secondDerivatives(sample), second),
    );
  await attempt("compiled", () => checkCompiled(sample, expected));
  // WebGPU has no float64, and finite differences of float32 say little.
  const float64 = (await executor()).device !== "webgpu";
  if (
    float64 &&
    grads !== undefined &&
    sample.noGradcheck === undefined &&
    isDifferentiable(sample)
  )
    await attempt("finite differences", () => checkDifferences(sample));
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
}

interface Evaluated {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

const listed = (result: Tensor | readonly Tensor[]): readonly Tensor[] =>
  Array.isArray(result) ? (result as readonly Tensor[]) : [result as Tensor];

function outputsOf(sample: Sample): Evaluated {
  const inputs = sample.inputs.map((input) =>
    toTensor(input, hasGrad(sample) && isFloat(input.dtype)),
  );
  return { inputs, outputs: listed(sample.run(...inputs)) };
}

const isDifferentiable = (sample: Sample): boolean =>
  outputsOf(sample).outputs.some((output) => output.requiresGrad);

const weightsFor = (x: Tensor, which: number): Tensor =>
  tensor(Float64Array.from(cotangent(x.size, which)), { shape: x.shape, dtype: x.dtype });

function gradientsOf({ inputs, outputs }: Evaluated, createGraph = false): Tensor[] {
  const active = outputs.filter((output) => output.requiresGrad);
  return grad(
    active,
    inputs.filter((input) => input.requiresGrad),
    {
      gradOutputs: active.map((output) => weightsFor(output, outputs.indexOf(output))),
      allowUnused: true,
      createGraph,
    },
  );
}

const derivatives = (sample: Sample): Tensor[] => gradientsOf(outputsOf(sample));

function secondDerivatives(sample: Sample): Tensor[] {
  const evaluated = outputsOf(sample);
  const inputs = evaluated.inputs.filter((input) => input.requiresGrad);
  const first = gradientsOf(evaluated, true);
  return grad(first, inputs, {
    gradOutputs: first.map((g, i) => weightsFor(g, i + 1)),
    allowUnused: true,
  });
}

// ---- comparison --------------------------------------------------------------------------------------------------

function toleranceOf(sample: Sample, dtype: DType): number {
  if (!isFloat(dtype)) return 0;
  const sharp = dtype === "float64" && !FLOAT32_ONLY.has(sample.op);
  return sharp ? 1e-10 : (sample.rtol ?? 1e-5);
}

function compare(got: TypedArray, expected: Numbers, tolerance: number): void {
  if (got.length !== expected.length)
    throw new Error(`${got.length} elements instead of ${expected.length}`);
  for (let i = 0; i < got.length; i++) {
    const [a, b] = [Number(got[i]), Number(expected[i])];
    const near = Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b));
    if (!near && !Object.is(a, b) && a !== b)
      throw new Error(`element ${i} is ${a} instead of ${b} of [${expected.join(", ")}]`);
  }
}

async function compareOutputs(
  sample: Sample,
  outputs: readonly Tensor[],
  { outputs: expected }: Expected,
): Promise<void> {
  if (outputs.length !== expected.length)
    throw new Error(`${outputs.length} results instead of ${expected.length}`);
  for (const [i, output] of outputs.entries()) {
    const { dtype, shape, data } = expected[i]!;
    const got = `${output.dtype}${formatShape(output.shape)}`;
    if (got !== `${dtype}${formatShape(shape)}`)
      throw new Error(`inferred ${got} instead of ${dtype}${formatShape(shape)}`);
    compare(await output.data(), data, toleranceOf(sample, dtype));
  }
}

async function compareAll(
  sample: Sample,
  what: string,
  got: readonly Tensor[],
  expected: readonly Numbers[],
): Promise<void> {
  for (const [i, x] of got.entries()) {
    try {
      compare(await x.data(), expected[i] ?? [], toleranceOf(sample, x.dtype));
    } catch (error) {
      throw new Error(`${what} ${i}: ${(error as Error).message}`, { cause: error });
    }
  }
}

// ---- checks ------------------------------------------------------------------------------------------------------

/**
 * Shapes as ONNX Runtime finds them, from a program whose only results are the shapes: nothing we inferred is in it.
 * (That dtypes are right follows from programs loading at all: a declared dtype that is not the operator's is refused.)
 */
async function checkShapes(sample: Sample, on: Executor): Promise<void> {
  const inputs = sample.inputs.map((input) => toTensor(input));
  const outputs = listed(sample.run(...inputs));
  const lowered = lowerProgram({
    inputs: inputs.map((x) => x.value),
    outputs: outputs.map((x) => x.value),
    target: targetOf(on),
  });
  const shapes = lowered.outputs.map(({ name, shape }) => ({
    name: `${name}_shape`,
    dtype: "int64" as const,
    shape: [shape.length],
  }));
  const { graph } = lowered.model;
  const model = encodeModel({
    ...lowered.model,
    graph: {
      ...graph,
      outputs: shapes,
      nodes: [
        ...graph.nodes,
        ...lowered.outputs.map(({ name }) => ({
          name: `${name}_shape`,
          opType: "Shape",
          inputs: [name],
          outputs: [`${name}_shape`],
          attributes: {},
        })),
      ],
    },
  });
  const program = await on.load(model, lowered.inputs, shapes);
  const buffers = [];
  for (const input of inputs) {
    const { value } = input;
    buffers.push(await on.upload(await input.data(), value.dtype, value.shape));
  }
  const results = await on.run(program, buffers);
  for (const [i, output] of outputs.entries()) {
    const found = Array.from(await on.read(results[i]!), Number);
    if (formatShape(found) !== formatShape(output.shape))
      throw new Error(
        `inferred ${formatShape(output.shape)}, ONNX Runtime computes ${formatShape(found)}`,
      );
  }
  program.release();
}

/** Values and gradients once more, from one compiled program. */
async function checkCompiled(sample: Sample, expected: Expected): Promise<void> {
  const step = compile((...inputs: Tensor[]) => {
    const outputs = listed(sample.run(...inputs));
    const wanted = expected.grads !== undefined && outputs.some((output) => output.requiresGrad);
    return { outputs, grads: wanted ? gradientsOf({ inputs, outputs }) : [] };
  });
  const { outputs, grads } = await step(...outputsOf(sample).inputs);
  await compareOutputs(sample, outputs, expected);
  await compareAll(sample, "gradient of input", grads, expected.grads ?? []);
}

/** Gradients against finite differences in float64, or with larger steps where kernels are float32. */
async function checkDifferences(sample: Sample): Promise<void> {
  const floats = sample.inputs.filter((input) => isFloat(input.dtype));
  const fn = (...given: Tensor[]): Tensor => {
    let next = 0;
    const results = listed(
      sample.run(
        ...sample.inputs.map((input) => (isFloat(input.dtype) ? given[next++]! : toTensor(input))),
      ),
    ).filter((output) => output.requiresGrad);
    return results
      .map((output) => output.mul(weightsFor(output, 3)).sum())
      .reduce((a, b) => a.add(b));
  };
  await gradcheck(
    fn,
    floats.map((input) => toTensor({ ...input, dtype: "float64" })),
    FLOAT32_ONLY.has(sample.op)
      ? { eps: 1e-2, atol: 2e-3, rtol: 5e-3 }
      : { eps: 1e-6, atol: 1e-6, rtol: 1e-5 },
  );
}
