/** The Transformer's decoder and the whole of it against PyTorch: activations, places of the normalization, masks, layouts. */
import { describe, expect, test } from "vitest";
import { compile, type Tensor } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import type {
  DecoderMasks,
  TransformerMasks,
  TransformerLayerOptions,
} from "../../src/nn/index.ts";
import { filled } from "../support/filled.ts";
import { suite, type Case } from "./parity.ts";

type Decoder = nn.TransformerDecoderLayer | nn.TransformerDecoder;

const size = { dModel: 4, nhead: 2, dimFeedforward: 6, dropout: 0, batchFirst: true };
const ALL = ["tgtMask", "memoryMask", "tgtKeyPaddingMask", "memoryKeyPaddingMask"] as const;

/** The inputs behind the first two are masks of these names. */
function decoder(build: () => Decoder, masks: readonly (keyof DecoderMasks)[] = []): Case<Decoder> {
  return {
    build,
    call: ([tgt, memory, ...given], module) =>
      module.forward(tgt!, memory!, Object.fromEntries(masks.map((name, i) => [name, given[i]!]))),
  };
}

const layer = (activation: "relu" | "gelu", normFirst: boolean): Case<Decoder> =>
  decoder(() => new nn.TransformerDecoderLayer({ ...size, activation, normFirst }));

function whole(
  options: Partial<TransformerLayerOptions> = {},
  masks: (given: readonly Tensor[]) => TransformerMasks = () => ({}),
): Case<nn.Transformer> {
  return {
    build: () =>
      new nn.Transformer({ ...size, numEncoderLayers: 1, numDecoderLayers: 2, ...options }),
    call: ([src, tgt, ...given], module) => module.forward(src!, tgt!, masks(given)),
  };
}

describe("TransformerDecoder and Transformer", () => {
  const stack = { ...size, numLayers: 2 };
  suite<nn.Module>("decoders", {
    "decoder layer, relu, post-norm": layer("relu", false),
    "decoder layer, relu, pre-norm": layer("relu", true),
    "decoder layer, gelu, post-norm": layer("gelu", false),
    "decoder layer, gelu, pre-norm": layer("gelu", true),
    "decoder layer with all masks": decoder(
      () => new nn.TransformerDecoderLayer({ ...size, layerNormEps: 1e-3 }),
      ALL,
    ),
    "decoder, post-norm": decoder(() => new nn.TransformerDecoder(stack)),
    "decoder, pre-norm with all masks": decoder(
      () => new nn.TransformerDecoder({ ...stack, normFirst: true, norm: true }),
      ALL,
    ),
    "decoder, batch second": decoder(
      () => new nn.TransformerDecoder({ ...stack, batchFirst: false }),
    ),
    "decoder, one sample": decoder(() => new nn.TransformerDecoder(stack)),
    transformer: whole(),
    "transformer with masks": whole({ activation: "gelu" }, ([causal, source, target]) => ({
      tgtMask: causal!,
      srcKeyPaddingMask: source!,
      tgtKeyPaddingMask: target!,
      memoryKeyPaddingMask: source!,
    })),
    "transformer, pre-norm": whole({ normFirst: true }),
    "transformer without bias": whole({ bias: false }),
    "transformer, batch second": whole({ batchFirst: false }),
  } as unknown as Record<string, Case>);

  test("the causal option and the causal masks are one", async () => {
    const model = new nn.Transformer({ ...size, numEncoderLayers: 1, numDecoderLayers: 1 });
    const [src, tgt] = [filled([2, 3, 4], 1), filled([2, 3, 4], 2)];
    const tgtMask = nn.Transformer.generateSquareSubsequentMask(3);
    expect(await tgtMask.toArray()).toEqual([
      [0, -Infinity, -Infinity],
      [0, 0, -Infinity],
      [0, 0, 0],
    ]);
    const [a, b] = [
      model.forward(src, tgt, { tgtIsCausal: true }),
      model.forward(src, tgt, { tgtMask }),
    ];
    expect(await a.toArray()).toEqual(await b.toArray());
    const shorter = model.forward(src, tgt.slice(1, 0, 2), { tgtIsCausal: true });
    const [first, all] = [await shorter.slice(0, 0, 1).data(), await a.data()];
    first.forEach((value, i) => expect(value).toBeCloseTo(Number(all[i]), 5));
  });

  test("defaults are PyTorch's", () => {
    const model = new nn.Transformer();
    expect([model.encoder.layers.length, model.decoder.layers.length]).toEqual([6, 6]);
    const count = model.parameters().reduce((sum, { size }) => sum + size, 0);
    expect(count).toBe(44_140_544);
    expect(model.decoder.layers[0]!.dropout3.p).toBe(0.1);
    expect(() => new nn.TransformerDecoderLayer({ ...size, activation: "tanh" as never })).toThrow(
      'TransformerDecoderLayer: activation must be "relu", "gelu" or a function, got "tanh"',
    );
  });

  test("activations of layers and weights of heads come out of a compiled function", async () => {
    const model = new nn.TransformerDecoder({ ...size, numLayers: 2 });
    const names = ["layers.0", "layers.1.linear1"] as const;
    const run = compile((tgt: Tensor, memory: Tensor) =>
      nn.captureActivations(model, names, () => model.forward(tgt, memory)),
    );
    const [tgt, memory] = [filled([2, 3, 4], 1), filled([2, 5, 4], 2)];
    const { result, activations } = await run(tgt, memory);
    expect(result.shape).toEqual([2, 3, 4]);
    const first = model.layers[0]!.forward(tgt, memory);
    expect(await (activations["layers.0"] as Tensor).toArray()).toEqual(await first.toArray());
    expect((activations["layers.1.linear1"] as Tensor).shape).toEqual([2, 3, 6]);
    expect(() => nn.captureActivations(model, ["layers.2"], () => null)).toThrow(
      'getSubmodule: TransformerDecoder has no module "layers.2"',
    );
  });
});
