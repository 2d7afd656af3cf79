/** Masked attention and cached decoding on WebGPU in Node: the CPU's numbers, without leaving the GPU, in place. */

import { beforeAll, expect, test } from "vitest";
import { arange, compile, grad, manualSeed, noGrad, setDevice, tensor, type Tensor } from "../../src/index.ts"; // prettier-ignore
import { EncoderDecoder, generate } from "../../src/models/index.ts";
import * as nn from "../../src/nn/index.ts";
import { distance } from "../support/close.ts";
import { filled } from "../support/filled.ts";

function fill<M extends nn.Module>(module: M): M {
  const state = Object.entries(module.stateDict());
  module.loadStateDict(Object.fromEntries(state.map(([k, v], i) => [k, filled(v.shape, i)])));
  return module;
}

/** Outputs and gradients where queries may attend to nothing, by bool and by float masks. */
async function masked(): Promise<number[]> {
  const attention = fill(new nn.MultiheadAttention(6, 2, { batchFirst: true }));
  const keyPaddingMask = arange(4)
    .expand([2, 4])
    .ge(tensor([[3], [0]]));
  const row = arange(4).eq(2).unsqueeze(1).expand([4, 4]);
  const attnMask = filled([4, 4], 7).maskedFill(row, -Infinity);
  const numbers: number[] = [];
  const options = [{ keyPaddingMask }, { attnMask }, { keyPaddingMask, attnMask }, { keyPaddingMask, isCausal: true }]; // prettier-ignore
  for (const masks of options) {
    const run = compile((x: Tensor) => {
      const { output } = attention.forward(x, x, x, masks);
      return [output, ...grad(output.square().sum(), [x, ...attention.parameters()])];
    });
    for (const result of await run(filled([2, 4, 6], 1).requiresGrad_()))
      numbers.push(...((await result.data()) as Float32Array));
  }
  return numbers;
}

/** Outputs of steps over a cache, and whether it stays where it is. */
async function decoded(): Promise<{ numbers: number[]; moved: boolean }> {
  const size = { dModel: 8, nhead: 2, dimFeedforward: 12, batchFirst: true, numLayers: 2 };
  const decoder = fill(new nn.TransformerDecoder(size)).eval();
  const cache = decoder.emptyCache(2, 4);
  const step = compile((x: Tensor, source: Tensor, position: Tensor) =>
    noGrad(() => decoder.step(x, { cache, memory: decoder.keyValues(source), position })),
  );
  const numbers: number[] = [];
  const places: unknown[] = [];
  for (let t = 0; t < 4; t++) {
    const position = tensor(t, { dtype: "int32" });
    const y = await step(filled([2, 1, 8], t), filled([2, 3, 8], 3), position);
    numbers.push(...((await y.data()) as Float32Array));
    places.push(cache[0]!.key.value.storage);
  }
  return { numbers, moved: places.slice(1).some((place) => place !== places[0]) };
}

/** What greedy and beam search find, over several capacities. */
async function found(): Promise<number[][]> {
  manualSeed(3);
  const size = { vocabSize: 40, dModel: 16, nhead: 4, dimFeedforward: 24, maxLength: 48 };
  const model = new EncoderDecoder({ ...size, padId: 0, numEncoderLayers: 1, numDecoderLayers: 2 });
  model.eval();
  const sources = [[5, 6, 7, 9, 3, 22, 2], [4, 2], [30, 31, 3, 2]]; // prettier-ignore
  const ids: number[][] = [];
  for (const beams of [1, 3]) {
    const options = { bosId: 1, eosId: 2, beams, minLength: 4, maxLength: 20 };
    ids.push(...(await generate(model, sources, options)).map((best) => best.ids));
  }
  return ids;
}

let sequences: number[][] = [];
const expected = new Map<string, number[]>();

beforeAll(async () => {
  await setDevice("cpu");
  expected.set("masked", await masked()).set("decoded", (await decoded()).numbers);
  sequences = await found();
  await setDevice("webgpu", { strict: true });
});

test("masks", async () => {
  expect(distance(await masked(), expected.get("masked")!)).toBeLessThan(1e-4);
});

test("steps over a cache", async () => {
  const { numbers, moved } = await decoded();
  expect(distance(numbers, expected.get("decoded")!)).toBeLessThan(1e-4);
  expect(moved).toBe(false);
});

test("greedy and beam search", async () => {
  expect(await found()).toEqual(sequences);
});
