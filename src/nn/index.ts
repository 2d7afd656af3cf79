/** Layers and models' building blocks: torch.nn. */

export {
  MultiheadAttention,
  scaledDotProductAttention,
  type AttentionMasks,
  type AttentionOptions,
} from "./attention.ts";
export * as functional from "./functional.ts";
export * as init from "./init.ts";
export {
  Dropout,
  Embedding,
  GELU,
  Layer,
  LayerNorm,
  LeakyReLU,
  Linear,
  ReLU,
  Sequential,
  Sigmoid,
  SiLU,
  Tanh,
} from "./layers.ts";
export { Module, Parameter, type LoadReport, type StateDict } from "./module.ts";
export {
  TransformerEncoder,
  TransformerEncoderLayer,
  type EncoderMasks,
  type TransformerLayerOptions,
} from "./transformer.ts";
