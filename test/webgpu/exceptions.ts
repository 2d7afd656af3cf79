/** The one table of what WebGPU does not do as the other devices do, and why. */

import { sampleId, toTensor, type Sample } from "../ops/sample.ts";

export interface Exception {
  /** `cpu`: right, but a part of it runs on the CPU. `never`: it is not run. */
  readonly runs: "cpu" | "never";
  readonly reason: string;
}

interface Rule extends Exception {
  /** Operations, all unless given. */
  readonly ops?: string;
  /** Operations to which it does not apply. */
  readonly except?: string;
  /** What must be in the sample's name, which holds its expression, its inputs' types and its note. */
  readonly name?: RegExp;
  /** The dtype of some input. */
  readonly input?: string;
  /** The dtype of some result. */
  readonly result?: string;
}

const NO_FLOAT64 = { runs: "never", reason: "shaders have no float64; it is refused" } as const;
const NO_INT64 = { runs: "cpu", reason: "shaders have no 64-bit integers" } as const;
const FLOATS_ONLY = { runs: "cpu", reason: "ONNX Runtime's kernel is for floats only" } as const;
const NO_KERNEL = { runs: "cpu", reason: "ONNX Runtime has no kernel for it" } as const;
/** Their kernels take int64 positions. */
const WITH_INDEX = "gather scatterAdd indexSelect";

const rules: readonly Rule[] = [
  { input: "float64", ...NO_FLOAT64 },
  { result: "float64", ...NO_FLOAT64 },
  { name: /float16/, runs: "never", reason: "needs the GPU feature shader-f16" },
  {
    ops:
      "exp log log1p expm1 cosh asinh acosh atanh sigmoid relu pow softmax exp2 log2 log10 erfinv logit xlogy fmod " +
      "floorDivide clamp sign amax amin max min argmax argmin sort topk median nanmedian",
    name: /special values|NaN among many/,
    runs: "never",
    reason: "shaders may assume that there is no NaN and no infinity (WGSL, section 15.7)",
  },
  {
    ops: "isclose",
    input: "int64",
    runs: "never",
    reason: "integers are compared as float64; in browsers ONNX Runtime loads no such program",
  },
  { input: "int64", except: WITH_INDEX, ...NO_INT64 },
  { ops: WITH_INDEX, name: /\| int64\[/, ...NO_INT64 },
  // Its gradient reshapes the positions.
  { ops: "indexSelect", name: /float32\[.* int64\[/, ...NO_INT64 },
  { result: "int64", except: "cast full iota", ...NO_INT64 },
  { ops: "relu pow prod cumsum argmax argmin topk sort", input: "uint32", ...NO_INT64 },
  { ops: "bitwiseLeftShift bitwiseRightShift", name: /x1/, input: "int32", ...NO_INT64 },
  { ops: "bitwiseAnd bitwiseOr bitwiseXor bitwiseNot", input: "int32", ...NO_KERNEL },
  { ops: "matmul topk sort argsort median nanmedian", input: "int32", ...FLOATS_ONLY },
];

/** Absolute errors that WGSL allows its functions are up to 2⁻¹¹ (WGSL, Accuracy of Built-in Functions). */
const COARSE = new Set("sin cos tan asin acos atan sinc lgamma digamma".split(" "));

/** The exception that applies to a sample; null where it runs on the GPU alone and gives what other devices give. */
export function exceptionOf(sample: Sample): Exception | null {
  const id = sampleId(sample);
  const result = sample.run(...sample.inputs.map((input) => toTensor(input)));
  const results = Array.isArray(result) ? result : [result];
  const has = (tensors: readonly { dtype: string }[], dtype: string | undefined): boolean =>
    dtype === undefined || tensors.some((tensor) => tensor.dtype === dtype);
  const lists = (ops: string | undefined): boolean => ops?.split(" ").includes(sample.op) ?? false;
  const applies = ({ ops, except, name, input, result: output }: Rule): boolean =>
    (ops === undefined || lists(ops)) &&
    !lists(except) &&
    (name === undefined || name.test(id)) &&
    has(sample.inputs, input) &&
    has(results, output);
  return rules.find(applies) ?? null;
}

/** A sample with the accuracy that WebGPU promises. */
export const withAccuracy = (sample: Sample): Sample =>
  COARSE.has(sample.op) ? { ...sample, rtol: 2 ** -11 } : sample;
