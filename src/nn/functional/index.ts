/** Stateless twins of the layers: torch.nn.functional. */

export * from "./activation.ts";
export { scaledDotProductAttention, type DotProductAttentionOptions } from "./attention.ts";
export * from "./conv.ts";
export * from "./dropout.ts";
export * from "./linear.ts";
export * from "./binary-loss.ts";
export * from "./cross-entropy.ts";
export * from "./ctc.ts";
export * from "./distance.ts";
export * from "./loss.ts";
export type { LossOptions, Reduction } from "./loss-options.ts";
export * from "./margin-loss.ts";
export * from "./normalization.ts";
export * from "./patches.ts";
export * from "./pooling.ts";
export * from "./vision.ts";
