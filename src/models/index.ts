/**
 * Architectures: whole networks from ids or pixels to what they predict.
 * @module learning-loop/models
 */

export {
  EncoderDecoder,
  type EncoderDecoderConfig,
  type EncoderDecoderOptions,
} from "./encoder-decoder.ts";
