/** Steps over cached keys and values give what the forward pass over the whole sequence gives. */
import { describe, expect, test } from "vitest";
import { arange, cat, compile, noGrad, tensor, zeros, type Tensor } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import { distance } from "../support/close.ts";
import { filled } from "../support/filled.ts";

const size = { dModel: 8, nhead: 2, dimFeedforward: 12, dropout: 0.3, batchFirst: true };

const numbers = async (x: Tensor): Promise<number[]> =>
  Array.from((await x.data()) as Float32Array);

async function expectEqual(got: Tensor, wanted: Tensor): Promise<void> {
  expect(got.shape).toEqual(wanted.shape);
  expect(distance(await numbers(got), await numbers(wanted))).toBeLessThan(1e-6);
}

const int = (value: number): Tensor => tensor(value, { dtype: "int32" });

describe("cached keys and values", () => {
  for (const options of [
    { batchFirst: true },
    { bias: false, batchFirst: true },
    { kdim: 3, vdim: 5, batchFirst: true },
    {},
  ])
    test(`attend with keyValues is forward: ${JSON.stringify(options)}`, async () => {
      const attention = new nn.MultiheadAttention(8, 2, options);
      const [kdim, vdim] = [options.kdim ?? 8, options.vdim ?? 8];
      const [query, key, value] = [filled([2, 3, 8], 1), filled([2, 5, kdim], 2), filled([2, 5, vdim], 3)]; // prettier-ignore
      const inward = (x: Tensor): Tensor => (options.batchFirst ? x : x.transpose(0, 1));
      const keyPaddingMask = arange(5)
        .expand([2, 5])
        .gt(tensor([[3], [1]]));
      const masks = { keyPaddingMask, needWeights: true };
      const given = [query, key, value].map(inward) as [Tensor, Tensor, Tensor];
      const whole = attention.forward(...given, masks);
      const memory = attention.keyValues(given[1], given[2]);
      expect(memory.key.shape).toEqual([2, 2, 5, 4]);
      const cached = attention.attend(given[0], memory, masks);
      await expectEqual(cached.output, whole.output);
      await expectEqual(cached.weights!, whole.weights!);
      if (kdim !== 8) return;
      const own = attention.keyValues(given[1]);
      const across = attention.forward(given[0], given[1], given[1]);
      await expectEqual(attention.attend(given[0], own).output, across.output);
    });

  test("one sample", async () => {
    const attention = new nn.MultiheadAttention(8, 2);
    const [query, memory] = [filled([3, 8], 1), filled([5, 8], 2)];
    const { output } = attention.attend(query, attention.keyValues(memory));
    await expectEqual(output, attention.forward(query, memory, memory).output);
  });

  for (const batchFirst of [true, false])
    test(`compiled steps of a decoder are its causal forward, batchFirst ${batchFirst}`, async () => {
      const [rows, length, capacity] = [2, 5, 7];
      const decoder = new nn.TransformerDecoder({ ...size, batchFirst, numLayers: 2, norm: true });
      decoder.eval();
      const inward = (x: Tensor): Tensor => (batchFirst ? x : x.transpose(0, 1));
      const [tgt, memory] = [filled([rows, length, 8], 1), filled([rows, 4, 8], 2)].map(inward);
      const memoryKeyPaddingMask = arange(4)
        .expand([rows, 4])
        .gt(tensor([[3], [1]]));
      const cache = decoder.emptyCache(rows, capacity);
      const step = compile((x: Tensor, given: nn.KeyValues[], position: Tensor) =>
        noGrad(() => decoder.step(x, { cache, memory: given, position, memoryKeyPaddingMask })),
      );
      const project = compile((x: Tensor) => decoder.keyValues(x));
      const dim = batchFirst ? 1 : 0;
      const whole = decoder.forward(tgt!, memory!, { tgtIsCausal: true, memoryKeyPaddingMask });
      // The second time over what the first left behind.
      for (let round = 0; round < 2; round++) {
        const given = await project(memory!);
        for (let t = 0; t < length; t++)
          await expectEqual(
            await step(tgt!.slice(dim, t, t + 1), given, int(t)),
            whole.slice(dim, t, t + 1),
          );
      }
      expect(step.traces).toBe(1);
    });

  test("a prompt at once, then steps, of a decoder-only model with padding on the left", async () => {
    const encoder = new nn.TransformerEncoder({ ...size, numLayers: 2, normFirst: true });
    encoder.eval();
    const src = filled([2, 6, 8], 1);
    const padding = arange(6)
      .expand([2, 6])
      .lt(tensor([[0], [2]]));
    const slots = cat([padding, tensor([[false], [false]])], 1); // a capacity of 7
    const whole = encoder.forward(src, { isCausal: true, srcKeyPaddingMask: padding });
    const cache = encoder.emptyCache(2, 7);
    const options = { cache, srcKeyPaddingMask: slots };
    const prompt = encoder.step(src.slice(1, 0, 4), { ...options, position: 0 });
    await expectEqual(prompt, whole.slice(1, 0, 4));
    for (const t of [4, 5]) {
      const next = encoder.step(src.slice(1, t, t + 1), { ...options, position: int(t) });
      await expectEqual(next, whole.slice(1, t, t + 1));
    }
  });

  test("hypotheses of one sample side by side, in slots of their own", async () => {
    const decoder = new nn.TransformerDecoder({ ...size, numLayers: 2 });
    decoder.eval();
    const [beams, length] = [3, 4];
    const [tgt, memory] = [filled([beams, length, 8], 1), filled([1, 5, 8], 2)];
    const whole = decoder.forward(tgt, memory.expand([beams, 5, 8]), { tgtIsCausal: true });
    const cache = decoder.emptyCache(1, beams * length);
    const options = { cache, memory: decoder.keyValues(memory) };
    for (let t = 0; t < length; t++) {
      // Slot s holds time ⌊s / beams⌋ of hypothesis s mod beams.
      const slots = arange(beams * length);
      const mine = slots.remainder(beams).eq(arange(beams).unsqueeze(1));
      const tgtMask = mine.logicalAnd(slots.lt((t + 1) * beams)).logicalNot();
      const x = tgt.slice(1, t, t + 1).transpose(0, 1); // [1, beams, E]
      const y = decoder.step(x, { ...options, position: int(t * beams), tgtMask });
      await expectEqual(y.transpose(0, 1), whole.slice(1, t, t + 1));
    }
  });

  test("the cache does not stop gradients of what does not pass through it", async () => {
    const attention = new nn.MultiheadAttention(8, 2, { batchFirst: true });
    const memory = attention.keyValues(filled([2, 5, 8], 2));
    attention
      .attend(filled([2, 3, 8], 1), memory)
      .output.sum()
      .backward();
    const grad = await numbers(attention.in_proj_weight!.grad!);
    for (const part of [0, 1, 2]) {
      const own = grad.slice(part * 64, (part + 1) * 64);
      expect(own.some((value) => value !== 0)).toBe(true);
    }
  });

  test("says what does not fit", () => {
    const attention = new nn.MultiheadAttention(8, 2, { batchFirst: true });
    const cache = attention.emptyCache(2, 4);
    const x = zeros([2, 1, 8]);
    expect(() => attention.step(x, { cache, position: 4 })).toThrow(
      "MultiheadAttention.step: 1 position(s) from 4 do not fit a cache of capacity 4; make a larger one",
    );
    expect(() => attention.step(x, { cache, position: zeros([]) })).toThrow(
      "position must be one int32 or a number, got float32 []",
    );
    expect(() => attention.step(zeros([3, 1, 8]), { cache, position: 0 })).toThrow(
      "expected keys and values [3, 2, length, 4], got [2,2,4,4] and [2,2,4,4]; make them with emptyCache",
    );
    const decoder = new nn.TransformerDecoder({ ...size, numLayers: 2 });
    expect(() => decoder.step(x, { cache: [cache], memory: [], position: 0 })).toThrow(
      "TransformerDecoder.step: cache must hold keys and values for each of the 2 layers, got 1",
    );
  });
});
