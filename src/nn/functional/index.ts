/** Stateless twins of the layers: torch.nn.functional. */

export * from "./activation.ts";
export * from "./conv.ts";
export * from "./dropout.ts";
export * from "./linear.ts";
export * from "./loss.ts";
export * from "./normalization.ts";
export * from "./pooling.ts";
