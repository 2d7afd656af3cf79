/** The Transformer encoder against PyTorch: activations, places of the normalization, masks, layouts. */
import { describe } from "vitest";
import type { Tensor } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import type { EncoderMasks } from "../../src/nn/index.ts";
import { suite, type Case } from "./parity.ts";

type Encoder = nn.TransformerEncoderLayer | nn.TransformerEncoder;

const size = { dModel: 6, nhead: 2, dimFeedforward: 8, dropout: 0, batchFirst: true };

/** The inputs behind the first are masks of these names. */
function encoder(build: () => Encoder, masks: readonly (keyof EncoderMasks)[] = []): Case<Encoder> {
  return {
    build,
    call: ([src, ...given]: readonly Tensor[], module) =>
      module.forward(src!, Object.fromEntries(masks.map((name, i) => [name, given[i]!]))),
  };
}

const layer = (activation: "relu" | "gelu", normFirst: boolean): Case<Encoder> =>
  encoder(() => new nn.TransformerEncoderLayer({ ...size, activation, normFirst }));

describe("TransformerEncoder", () =>
  suite("encoders", {
    "encoder layer, relu, post-norm": layer("relu", false),
    "encoder layer, relu, pre-norm": layer("relu", true),
    "encoder layer, gelu, post-norm": layer("gelu", false),
    "encoder layer, gelu, pre-norm": layer("gelu", true),
    "encoder layer with both masks": encoder(
      () => new nn.TransformerEncoderLayer({ ...size, layerNormEps: 1e-3 }),
      ["mask", "srcKeyPaddingMask"],
    ),
    "encoder, post-norm with padding": encoder(
      () => new nn.TransformerEncoder({ ...size, numLayers: 2 }),
      ["srcKeyPaddingMask"],
    ),
    "encoder, pre-norm with both masks": encoder(
      () =>
        new nn.TransformerEncoder({
          ...size,
          numLayers: 2,
          normFirst: true,
          activation: "gelu",
          norm: true,
        }),
      ["mask", "srcKeyPaddingMask"],
    ),
    "encoder, batch second": encoder(
      () => new nn.TransformerEncoder({ ...size, numLayers: 2, batchFirst: false }),
    ),
  }));
