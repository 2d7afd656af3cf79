/** Prompts are continued as by repeated forward passes, and drawn from the right distribution. */
import { expect, test } from "vitest";
import { manualSeed, noGrad, tensor } from "../../src/index.ts";
import { continuePrompts, DecoderOnly } from "../../src/models/index.ts";
import type { ContinueOptions } from "../../src/models/index.ts";

function makeModel(options: { positions?: "sinusoidal"; normFirst?: boolean } = {}): DecoderOnly {
  manualSeed(5);
  const model = new DecoderOnly({
    ...{ vocabSize: 12, dModel: 16, nhead: 4, numLayers: 2, dimFeedforward: 24, maxLength: 40 },
    ...options,
  });
  // As after training: other tokens than the last are likely.
  noGrad(() => model.embedding.weight.mul_(30));
  model.eval();
  return model;
}

async function probabilities(model: DecoderOnly, ids: readonly number[]): Promise<number[]> {
  const row = tensor([ids], { dtype: "int32" });
  const last = noGrad(() => model.forward(row).select(1, -1).softmax(-1));
  return Array.from((await last.data()) as Float32Array);
}

const prompts = [[3, 4, 5], [7], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6], [9, 9]];

test.each([{}, { positions: "sinusoidal", normFirst: false }] as const)(
  "greedily, prompts of different lengths: %j",
  async (options) => {
    const model = makeModel(options);
    const found = await continuePrompts(model, prompts, { maxLength: 20 });
    for (const [i, prompt] of prompts.entries()) {
      const ids = [...prompt];
      let score = 0;
      for (let n = 0; n < 20; n++) {
        const p = await probabilities(model, ids);
        const most = Math.max(...p);
        score += Math.log(most);
        ids.push(p.indexOf(most));
      }
      expect(found[i]!.ids).toEqual(ids.slice(prompt.length));
      expect(found[i]!.score).toBeCloseTo(score, 3);
      expect(found[i]!.complete).toBe(false);
    }
  },
);

test("the end is the end", async () => {
  const model = makeModel();
  const [whole] = await continuePrompts(model, [[3, 4]], { maxLength: 8 });
  const eosId = whole!.ids.at(-1)!;
  const [ended] = await continuePrompts(model, [[3, 4]], { maxLength: 8, eosId });
  expect(ended!.complete).toBe(true);
  expect(ended!.ids).toEqual(whole!.ids.slice(0, whole!.ids.indexOf(eosId)));
});

/** How often each token follows a prompt, of 64 · `rounds` draws. */
async function frequencies(model: DecoderOnly, options: ContinueOptions): Promise<number[]> {
  const counts = new Array<number>(12).fill(0);
  const rounds = 16;
  const many = new Array<number[]>(64).fill([3, 4, 5]);
  for (let seed = 0; seed < rounds; seed++) {
    const found = await continuePrompts(model, many, { ...options, maxLength: 1, seed });
    for (const { ids } of found) counts[ids[0]!]!++;
  }
  return counts.map((count) => count / (64 * rounds));
}

test.each([
  ["temperature 1", { temperature: 1 }],
  ["temperature 2, four likeliest", { temperature: 2, topK: 4 }],
  ["nucleus", { temperature: 1.5, topP: 0.7 }],
  ["both", { temperature: 3, topK: 6, topP: 0.8 }],
])("draws have the right probabilities: %s", async (_, options: ContinueOptions) => {
  const model = makeModel();
  const p = await probabilities(model, [3, 4, 5]);
  const { temperature = 1, topK = 12, topP = 1 } = options;
  const order = p.map((_, id) => id).sort((a, b) => p[b]! - p[a]!);
  const heated = order.slice(0, topK).map((id) => p[id]! ** (1 / temperature));
  const total = heated.reduce((a, b) => a + b, 0);
  const expected = new Array<number>(12).fill(0);
  let before = 0;
  let kept = 0;
  for (const [i, weight] of heated.entries()) {
    if (before < topP) {
      expected[order[i]!] = weight / total;
      kept += weight / total;
    }
    before += weight / total;
  }
  const found = await frequencies(model, options);
  found.forEach((frequency, id) => {
    const q = expected[id]! / kept;
    // Four standard deviations of 1,024 draws.
    expect(Math.abs(frequency - q)).toBeLessThanOrEqual(4 * Math.sqrt((q * (1 - q)) / 1024) + 1e-9);
  });
});

test("the same seed draws the same tokens", async () => {
  const model = makeModel();
  const draw = (seed: number) =>
    continuePrompts(model, prompts, { maxLength: 10, temperature: 1, seed });
  const first = await draw(1);
  expect(await draw(1)).toEqual(first);
  expect(await draw(2)).not.toEqual(first);
});

test("errors", async () => {
  const model = makeModel();
  await expect(continuePrompts(model, [[]])).rejects.toThrow("prompt 0 must have 1 to 39 ids");
  await expect(continuePrompts(model, [[12]])).rejects.toThrow("from 0 to 11, got 12");
  await expect(continuePrompts(model, [[1]], { eosId: 12 })).rejects.toThrow("eosId must be an id");
  await expect(continuePrompts(model, [[1]], { topP: 0 })).rejects.toThrow("topP must be above 0");
  await expect(continuePrompts(model, [[1]], { temperature: -1 })).rejects.toThrow("at least 0");
  await expect(continuePrompts(model, [1] as never)).rejects.toThrow(
    "continuePrompts: prompt 0 must be an array of ids, got 1; a single prompt is given as [ids]",
  );
  for (const options of [{ topK: 2 }, { topP: 0.5 }, { seed: 1 }]) {
    const [name] = Object.keys(options);
    await expect(continuePrompts(model, [[1]], options)).rejects.toThrow(
      `continuePrompts: ${name} is for drawing tokens, got no temperature`,
    );
    const greedy = await continuePrompts(model, [[1]], { ...options, temperature: 0 });
    expect(greedy).toEqual(await continuePrompts(model, [[1]]));
  }
  model.train();
  await expect(continuePrompts(model, [[1]])).rejects.toThrow("call model.eval() first");
});
