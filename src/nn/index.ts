/** Layers and models' building blocks: torch.nn. */

export {
  MultiheadAttention,
  scaledDotProductAttention,
  type AttentionMasks,
  type AttentionOptions,
} from "./attention.ts";
export * as functional from "./functional/index.ts";
export * as init from "./init.ts";
export { GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Tanh } from "./activation.ts";
export { Sequential } from "./containers.ts";
export { Dropout } from "./dropout.ts";
export { Embedding } from "./embedding.ts";
export { Layer } from "./layer.ts";
export { Linear } from "./linear.ts";
export { LayerNorm } from "./normalization.ts";
export { Module, Parameter, type LoadReport, type StateDict } from "./module.ts";
export {
  TransformerEncoder,
  TransformerEncoderLayer,
  type EncoderMasks,
  type TransformerLayerOptions,
} from "./transformer.ts";
