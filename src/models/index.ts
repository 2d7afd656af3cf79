/**
 * Architectures: whole networks from ids or pixels to what they predict.
 * @module learning-loop/models
 */

export {
  EncoderDecoder,
  type EncoderDecoderConfig,
  type EncoderDecoderOptions,
} from "./encoder-decoder.ts";
export {
  generate,
  type Generated,
  type GenerateOptions,
  type GenerateProgress,
} from "./generate.ts";
export type { Hypothesis } from "./beam-search.ts";
export { continuePrompts, type Continuation, type ContinueOptions } from "./continue-prompts.ts";
export { DecoderOnly, type DecoderOnlyConfig, type DecoderOnlyOptions } from "./decoder-only.ts";
