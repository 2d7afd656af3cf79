/** Learning Loop: tensors, autograd, compiled functions and devices. Layers are in `learning-loop/nn`, optimizers in `/optim`. */

export { compile, type Compiled } from "./compile.ts";
export {
  arange,
  empty,
  emptyLike,
  eye,
  full,
  fullLike,
  linspace,
  logspace,
  oneHot,
  ones,
  onesLike,
  tensor,
  trilIndices,
  triuIndices,
  zeros,
  zerosLike,
  type ArrayLike,
  type CreateOptions,
} from "./creation.ts";
export { deviceDescription, parseDevice, setDevice, type DeviceOptions } from "./device.ts";
export * as autograd from "./grad.ts";
export { grad, gradcheck, type GradcheckOptions, type GradOptions } from "./grad.ts";
export type { DType, TypedArray } from "./graph/dtype.ts";
export { ShapeError, type Shape } from "./graph/shape.ts";
export { exportOnnx, type ExportOptions } from "./hub/export-onnx.ts";
export {
  atLeast1d,
  atLeast2d,
  atLeast3d,
  broadcastShapes,
  broadcastTensors,
  cartesianProd,
  cat,
  concat,
  dstack,
  hstack,
  meshgrid,
  stack,
  vstack,
  where,
} from "./joining.ts";
export type { NestedArray } from "./print.ts";
export {
  bernoulli,
  defaultGenerator,
  Generator,
  manualSeed,
  multinomial,
  normal,
  rand,
  randint,
  randLike,
  randn,
  randnLike,
  randperm,
  uniform,
  type MultinomialOptions,
  type RandomOptions,
} from "./random.ts";
export type { DeviceName } from "./runtime/executor.ts";
export {
  Tensor,
  type BackwardOptions,
  type Index,
  type ReduceOptions,
  type TensorLike,
  type Unique,
} from "./tensor.ts";
export { enableGrad, noGrad } from "./trace.ts";
