/** Attention as a loop over heads equals the fast one; everything that it computes can be captured by name. */
import { describe, expect, test } from "vitest";
import { arange, compile, tensor, type Tensor } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import { distance } from "../support/close.ts";
import { filled } from "../support/filled.ts";

const numbers = async (x: Tensor): Promise<number[]> =>
  Array.from((await x.data()) as Float32Array);

async function expectEqual(got: Tensor, wanted: Tensor): Promise<void> {
  expect(got.shape).toEqual(wanted.shape);
  expect(distance(await numbers(got), await numbers(wanted))).toBeLessThan(1e-6);
}

// Of sample 1 every key is padding; query 2 may attend to nothing.
const keyPaddingMask = arange(5)
  .expand([2, 5])
  .ge(tensor([[3], [0]]));
const pairs = arange(5).gt(tensor([[1], [4], [-1], [2]]));
const heads = arange(4).unsqueeze(1).eq(arange(5)).expand([4, 4, 5]);
const floats = filled([4, 5], 7).maskedFill(pairs, -Infinity);

describe("attentionByLoop", () => {
  const masks: Record<string, nn.AttentionMasks> = {
    "no mask": {},
    padding: { keyPaddingMask },
    pairs: { attnMask: pairs },
    "a mask for each head": { attnMask: heads },
    "numbers and padding": { attnMask: floats, keyPaddingMask },
    "causal and padding": { isCausal: true, keyPaddingMask },
  };
  const kinds = [{ batchFirst: true }, { kdim: 3, vdim: 7 }, { bias: false, batchFirst: true }];
  for (const [name, given] of Object.entries(masks))
    for (const options of kinds)
      test(`is forward with ${name}, ${JSON.stringify(options)}`, async () => {
        const { kdim = 6, vdim = 6, batchFirst = false } = options as nn.MultiheadAttentionOptions;
        const attention = new nn.MultiheadAttention(6, 2, options);
        const results: Tensor[][] = [];
        for (const loop of [false, true]) {
          const inputs = [filled([2, 4, 6], 1), filled([2, 5, kdim], 2), filled([2, 5, vdim], 3)];
          const [q, k, v] = inputs.map((x) => (batchFirst ? x : x.transpose(0, 1)).detach().requiresGrad_()) as [Tensor, Tensor, Tensor]; // prettier-ignore
          attention.zeroGrad();
          const full = { ...given, needWeights: true, averageAttnWeights: false };
          const { output, weights } = loop
            ? nn.attentionByLoop(attention, q, k, v, given)
            : attention.forward(q, k, v, full);
          output.mul(filled(output.shape, 4)).sum().backward();
          const grads = [q, k, v, ...attention.parameters()].map((leaf) => leaf.grad!);
          results.push([output, weights!, ...grads]);
        }
        for (const [i, wanted] of results[0]!.entries()) await expectEqual(results[1]![i]!, wanted);
      });

  test("is forward of one sample", async () => {
    const attention = new nn.MultiheadAttention(6, 2);
    const [q, k] = [filled([4, 6], 1), filled([5, 6], 2)];
    const attnMask = heads.slice(0, 0, 2);
    const options = { attnMask, needWeights: true, averageAttnWeights: false };
    const wanted = attention.forward(q, k, k, options);
    const { output, weights } = nn.attentionByLoop(attention, q, k, k, { attnMask });
    await expectEqual(output, wanted.output);
    await expectEqual(weights, wanted.weights!);
  });
});

describe("captureAttention", () => {
  const size = { dModel: 6, nhead: 2, dimFeedforward: 8, dropout: 0.4, batchFirst: true };
  const model = new nn.Transformer({ ...size, numEncoderLayers: 1, numDecoderLayers: 2 }).eval();
  const [src, tgt] = [filled([2, 5, 6], 1), filled([2, 4, 6], 2)];
  const masks = { tgtIsCausal: true, memoryKeyPaddingMask: keyPaddingMask };

  test("names every attention and what it computes", async () => {
    const { result, attention } = nn.captureAttention(model, () => model.forward(src, tgt, masks));
    expect(Object.keys(attention)).toEqual([
      "encoder.layers.0.self_attn",
      "decoder.layers.0.self_attn",
      "decoder.layers.0.multihead_attn",
      "decoder.layers.1.self_attn",
      "decoder.layers.1.multihead_attn",
    ]);
    await expectEqual(result, model.forward(src, tgt, masks));
    const across = attention["decoder.layers.0.multihead_attn"]!;
    const shapes = Object.entries(across).map(([name, x]) => [name, (x as Tensor).shape]);
    expect(Object.fromEntries(shapes)).toEqual({
      query: [2, 2, 4, 3],
      key: [2, 2, 5, 3],
      value: [2, 2, 5, 3],
      scores: [2, 2, 4, 5],
      weights: [2, 2, 4, 5],
      heads: [2, 2, 4, 3],
      output: [2, 4, 6],
    });
    const { query, key, value, scores, weights, heads: parts, output } = across;
    const raw = query.matmul(key, { transB: true }).div(Math.sqrt(3));
    const hidden = keyPaddingMask.reshape([2, 1, 1, 5]);
    const [shown, wanted] = [await numbers(scores), await numbers(raw.maskedFill(hidden, -Infinity))]; // prettier-ignore
    expect(distance(shown, wanted)).toBeLessThan(1e-6);
    expect(shown.filter((score) => score === -Infinity).length).toBe(2 * 4 * (2 + 5));
    // Sample 1 may attend to nothing.
    await expectEqual(weights.slice(0, 0, 1), scores.slice(0, 0, 1).softmax(-1));
    expect((await numbers(weights.slice(0, 1))).every((weight) => weight === 0)).toBe(true);
    await expectEqual(parts, weights.matmul(value));
    const joined = parts.permute([0, 2, 1, 3]).reshape([2, 4, 6]);
    await expectEqual(output, model.decoder.layers[0]!.multihead_attn.out_proj.forward(joined));
  });

  test("works in a compiled function, and with cached keys and values", async () => {
    const { decoder } = model;
    const cache = decoder.emptyCache(2, 4);
    const step = compile((x: Tensor, memory: Tensor, position: Tensor) =>
      nn.captureAttention(decoder, () =>
        decoder.step(x, { cache, memory: decoder.keyValues(memory), position }),
      ),
    );
    const whole = nn.captureAttention(decoder, () =>
      decoder.forward(tgt, src, { tgtIsCausal: true }),
    );
    for (let t = 0; t < 4; t++) {
      const position = tensor(t, { dtype: "int32" });
      const { attention } = await step(tgt.slice(1, t, t + 1), src, position);
      for (const name of ["layers.0.multihead_attn", "layers.1.self_attn"])
        await expectEqual(
          attention[name]!.weights,
          whole.attention[name]!.weights.slice(2, t, t + 1),
        );
    }
  });

  test("captures what lies below the model given, in captures around captures too", () => {
    const layer = model.decoder.layers[1]!;
    const outer = nn.captureAttention(model, () =>
      nn.captureAttention(layer, () => model.forward(src, tgt)),
    );
    expect(Object.keys(outer.attention).length).toBe(5);
    expect(Object.keys(outer.result.attention)).toEqual(["self_attn", "multihead_attn"]);
    expect(Object.keys(nn.captureAttention(layer.self_attn, () => layer.forward(tgt, src)).attention)).toEqual([""]); // prettier-ignore
  });

  test("says when no attention was called", () => {
    expect(() => nn.captureAttention(model.encoder, () => null)).toThrow(
      "captureAttention: no attention of TransformerEncoder was called",
    );
  });
});
