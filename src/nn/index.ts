/**
 * Layers and models' building blocks: torch.nn.
 * @module learning-loop/nn
 */

export { MultiheadAttention } from "./attention.ts";
export { attentionByLoop } from "./attention-by-loop.ts";
export type { KeyValues, StepOptions } from "./attention-cache.ts";
export { captureAttention, type CapturedAttention } from "./attention-capture.ts";
export type { AttentionMasks } from "./attention-masks.ts";
export type {
  AttentionOptions,
  AttentionResult,
  MultiheadAttentionOptions,
  WeightOptions,
} from "./attention-options.ts";
export * as functional from "./functional/index.ts";
export * as init from "./init.ts";
export {
  CELU,
  ELU,
  GELU,
  Hardshrink,
  Hardsigmoid,
  Hardswish,
  LeakyReLU,
  LogSigmoid,
  Mish,
  ReLU,
  ReLU6,
  SELU,
  SiLU,
  Sigmoid,
  Softmax2d,
  Softshrink,
  Softsign,
  Tanh,
  Tanhshrink,
} from "./activation.ts";
export {
  GLU,
  Hardtanh,
  LogSoftmax,
  PReLU,
  RReLU,
  Softmax,
  Softmin,
  Softplus,
  Threshold,
} from "./activation-settings.ts";
export {
  BatchNorm1d,
  BatchNorm2d,
  InstanceNorm1d,
  InstanceNorm2d,
  type ChannelNormOptions,
} from "./batch-norm.ts";
export { ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential } from "./containers.ts";
export {
  Conv1d,
  Conv2d,
  ConvTranspose1d,
  ConvTranspose2d,
  type ConvLayerOptions,
  type ConvTransposeLayerOptions,
} from "./conv.ts";
export { CosineSimilarity, PairwiseDistance } from "./distance.ts";
export { AlphaDropout, Dropout, Dropout1d, Dropout2d } from "./dropout.ts";
export { Embedding, type EmbeddingOptions } from "./embedding.ts";
export { Layer } from "./layer.ts";
export { Bilinear, Flatten, Identity, Linear, Unflatten } from "./linear.ts";
export {
  GroupNorm,
  LayerNorm,
  LocalResponseNorm,
  RMSNorm,
  type GroupNormOptions,
  type LayerNormOptions,
  type LocalResponseNormOptions,
} from "./normalization.ts";
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AvgPool1d,
  AvgPool2d,
  LPPool2d,
  MaxPool1d,
  MaxPool2d,
  type AvgPool1dOptions,
} from "./pooling.ts";
export {
  LearnedPositionalEncoding,
  SinusoidalPositionalEncoding,
  sinusoidalEncoding,
  type OffsetOptions,
  type PositionalEncodingOptions,
} from "./positional-encoding.ts";
export type { OneDimensional } from "./functional/images.ts";
export type { AdaptiveSize } from "../ops/adaptive-pool.ts";
export type { ConvOptions, ConvTransposeOptions } from "../ops/conv.ts";
export type { PadMode } from "../ops/pad-modes.ts";
export type { AvgPoolOptions } from "../ops/avg-pool.ts";
export type { MaxPoolOptions, PoolOptions } from "../ops/pool.ts";
export type { Pair } from "../ops/windows.ts";
export {
  CircularPad1d,
  CircularPad2d,
  ConstantPad1d,
  ConstantPad2d,
  PixelShuffle,
  PixelUnshuffle,
  ReflectionPad1d,
  ReflectionPad2d,
  ReplicationPad1d,
  ReplicationPad2d,
  Upsample,
  ZeroPad1d,
  ZeroPad2d,
} from "./vision.ts";
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
export { TransformerDecoderLayer, TransformerEncoderLayer } from "./transformer-layers.ts";
export {
  Transformer,
  TransformerDecoder,
  TransformerEncoder,
  type DecoderMasks,
  type DecoderStep,
  type EncoderMasks,
  type EncoderStep,
  type TransformerLayerOptions,
  type TransformerMasks,
  type TransformerOptions,
} from "./transformer.ts";
export type { StackOptions } from "./transformer-options.ts";
export { summary, type Summary, type SummaryRow } from "./summary.ts";
export * as utils from "./utils.ts";
