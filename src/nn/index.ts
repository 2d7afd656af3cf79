/** Layers and models' building blocks: torch.nn. */

export {
  MultiheadAttention,
  type AttentionMasks,
  type AttentionOptions,
  type MultiheadAttentionOptions,
} from "./attention.ts";
export * as functional from "./functional/index.ts";
export * as init from "./init.ts";
export { GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Tanh } from "./activation.ts";
export { Sequential } from "./containers.ts";
export { CosineSimilarity, PairwiseDistance } from "./distance.ts";
export { Dropout } from "./dropout.ts";
export { Embedding } from "./embedding.ts";
export { Layer } from "./layer.ts";
export { Linear } from "./linear.ts";
export { LayerNorm } from "./normalization.ts";
export {
  BCELoss,
  BCEWithLogitsLoss,
  CTCLoss,
  CosineEmbeddingLoss,
  CrossEntropyLoss,
  GaussianNLLLoss,
  HingeEmbeddingLoss,
  HuberLoss,
  KLDivLoss,
  L1Loss,
  MSELoss,
  MarginRankingLoss,
  MultiLabelMarginLoss,
  MultiLabelSoftMarginLoss,
  MultiMarginLoss,
  NLLLoss,
  PoissonNLLLoss,
  SmoothL1Loss,
  SoftMarginLoss,
  TripletMarginLoss,
  TripletMarginWithDistanceLoss,
} from "./loss.ts";
export {
  captureActivations,
  type ForwardHook,
  type ForwardPreHook,
  type HookHandle,
} from "./hooks.ts";
export { Module, Parameter, type LoadReport, type StateDict } from "./module.ts";
export {
  GRU,
  LSTM,
  RNN,
  type LstmOptions,
  type RecurrentOptions,
  type RnnOptions,
  type SequenceOptions,
} from "./recurrent.ts";
export { GRUCell, LSTMCell, RNNCell, type CellOptions } from "./recurrent-cells.ts";
export {
  Transformer,
  TransformerDecoder,
  TransformerDecoderLayer,
  TransformerEncoder,
  TransformerEncoderLayer,
  type DecoderMasks,
  type EncoderMasks,
  type TransformerLayerOptions,
  type TransformerMasks,
  type TransformerOptions,
} from "./transformer.ts";
