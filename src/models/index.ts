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
