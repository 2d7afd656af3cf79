/** Decoding with kept keys and values finds what repeated forward passes, exhaustive search and transformers in Python find. */
import { describe, expect, test } from "vitest";
import { compile, manualSeed, noGrad, tensor } from "../../src/index.ts";
import { EncoderDecoder, generate } from "../../src/models/index.ts";
import type { EncoderDecoderOptions, GenerateOptions } from "../../src/models/index.ts";
import { formula, readFixture } from "../nn/parity.ts";

interface Beams {
  readonly config: EncoderDecoderOptions;
  readonly state: readonly (readonly [key: string, shape: readonly number[]])[];
  readonly sources: readonly number[][];
  readonly cases: readonly {
    readonly options: GenerateOptions;
    readonly found: readonly { score: number; ids: number[]; complete: boolean }[][];
  }[];
}

const [fixture] = readFixture<Beams>("models/beams");
const { config, state, sources, cases } = fixture!;

function fixtureModel(): EncoderDecoder {
  const model = new EncoderDecoder({ ...config, dropout: 0 });
  model.loadStateDict(
    Object.fromEntries(state.map(([key, shape], i) => [key, formula(1000 + i, shape)])),
  );
  model.eval();
  return model;
}

function randomModel(options: Partial<EncoderDecoderOptions> = {}, seed = 3): EncoderDecoder {
  manualSeed(seed);
  const model = new EncoderDecoder({
    ...{ vocabSize: 40, padId: 0, dModel: 16, nhead: 4, numEncoderLayers: 1, numDecoderLayers: 2 },
    ...{ dimFeedforward: 24, maxLength: 48, ...options },
  });
  model.eval();
  return model;
}

/** Log-probabilities of the token behind `ids`, by a whole forward pass; `padId` is left out. */
async function logProbabilities(
  model: EncoderDecoder,
  source: readonly number[],
  ids: readonly number[],
): Promise<number[]> {
  const row = (list: readonly number[]) => tensor([list], { dtype: "int32" });
  const logits = noGrad(() => model.forward(row(source), row(ids)).select(1, -1));
  const values = Array.from((await logits.data()) as Float32Array, (x, id) =>
    id === model.options.padId ? -Infinity : x,
  );
  const most = Math.max(...values);
  const total = most + Math.log(values.reduce((sum, x) => sum + Math.exp(x - most), 0));
  return values.map((x) => x - total);
}

const limits = { bosId: 1, eosId: 2 };
const four = [
  [5, 6, 7, 9, 3, 22, 2],
  [8, 9, 10, 11, 12, 13, 14, 30, 31, 2],
  [4, 2],
  [30, 31, 32, 33, 3, 2],
];

describe("greedy", () => {
  test.each([
    ["post-norm", {}],
    ["pre-norm", { normFirst: true, activation: "gelu", positions: "learned", tieOutput: false }],
    ["own tables", { shareEmbeddings: false, targetVocabSize: 23 }],
  ] as const)("as by repeated forward passes, over several capacities: %s", async (_, options) => {
    const model = randomModel(options);
    const found = await generate(model, four, { ...limits, maxLength: 40 });
    for (const [i, source] of four.entries()) {
      const ids = [limits.bosId];
      let score = 0;
      let complete = false;
      for (let length = 0; length < 40 && !complete; length++) {
        const p = await logProbabilities(model, source, ids);
        const token = p.indexOf(Math.max(...p));
        score += p[token]!;
        complete = token === limits.eosId;
        ids.push(token);
      }
      const { ids: got, score: mean, complete: ended } = found[i]!;
      expect([got, ended]).toEqual([ids.slice(1, complete ? -1 : undefined), complete]);
      expect(mean).toBeCloseTo(score / (ids.length - 1), 4);
    }
  });

  test("weights that change are used", async () => {
    const model = randomModel();
    const before = await generate(model, four, { ...limits, maxLength: 10 });
    const other = randomModel({}, 4);
    model.loadStateDict(other.stateDict());
    const after = await generate(model, four, { ...limits, maxLength: 10 });
    expect(after).toEqual(await generate(other, four, { ...limits, maxLength: 10 }));
    expect(after).not.toEqual(before);
  });

  test("weights that are put in another order, or changed in place, are used", async () => {
    const model = randomModel();
    const weight = model.transformer.decoder.layers[1]!.linear2.weight;
    // Sums of eighths are exact in any order.
    weight.requiresGrad_(false);
    weight.assign(weight.mul(24).round().div(8));
    const call = (of: EncoderDecoder) => generate(of, four, { ...limits, maxLength: 10 });
    const turn = compile(() => void weight.assign(weight.flip(0)));
    const double = compile(() => void weight.assign(weight.mul(2)));
    const found = [await call(model)];
    await turn();
    found.push(await call(model));
    await double();
    found.push(await call(model));
    const { storage } = weight.value;
    await double();
    expect(weight.value.storage).toBe(storage);
    found.push(await call(model));
    expect(new Set(found.map((one) => JSON.stringify(one))).size).toBe(found.length);
    const copy = randomModel({}, 4);
    copy.loadStateDict(model.stateDict());
    expect(found.at(-1)).toEqual(await call(copy));
  });
});

describe("beam search", () => {
  test("as transformers' in Python: every length penalty, early stopping and minimum", async () => {
    const model = fixtureModel();
    for (const { options, found } of cases) {
      const got = await generate(model, sources, options);
      for (const [i, expected] of found.entries()) {
        const what = `${JSON.stringify(options)}, source ${i}`;
        expect(
          got[i]!.hypotheses.map(({ ids, complete }) => ({ ids, complete })),
          what,
        ).toEqual(expected.map(({ ids, complete }) => ({ ids, complete })));
        got[i]!.hypotheses.forEach(({ score }, j) => {
          const wanted = expected[j]!.score;
          const error = Math.abs(score - wanted) / Math.max(1, Math.abs(wanted));
          expect(error, what).toBeLessThan(1e-5);
        });
      }
    }
  });

  test("with beams for everything finds the best of all targets", async () => {
    const model = randomModel({ vocabSize: 5, dModel: 8, nhead: 2 });
    const source = [3, 4, 3, 2];
    const maxLength = 3;
    // All targets: ended, or of the most tokens.
    const all: { ids: number[]; score: number }[] = [];
    const extend = async (ids: number[], score: number): Promise<void> => {
      const p = await logProbabilities(model, source, [limits.bosId, ...ids]);
      for (const [token, own] of p.entries()) {
        if (own === -Infinity) continue;
        const next = [...ids, token];
        const done = token === limits.eosId;
        if (done || next.length === maxLength)
          all.push({ ids: done ? ids : next, score: (score + own) / next.length });
        else await extend(next, score + own);
      }
    };
    await extend([], 0);
    const best = all.reduce((a, b) => (b.score > a.score ? b : a));
    const [found] = await generate(model, [source], {
      ...{ ...limits, beams: 4, maxLength, earlyStopping: "never" },
    });
    expect(found!.ids).toEqual(best.ids);
    expect(found!.score).toBeCloseTo(best.score, 4);
  });

  test.each([1, 3])("32 at once as one by one, %i beams", async (beams) => {
    const model = randomModel();
    const many = Array.from({ length: 32 }, (_, i) =>
      Array.from({ length: 2 + ((i * 5) % 17) }, (_, j) => 3 + ((i * 7 + j * 11) % 37)),
    );
    const options = { ...limits, beams, maxLength: 20, lengthPenalty: 0.6 };
    const together = await generate(model, many, options);
    for (const i of [0, 5, 16, 31]) {
      const [alone] = await generate(model, [many[i]!], options);
      expect(together[i]!.ids).toEqual(alone!.ids);
      expect(together[i]!.score).toBeCloseTo(alone!.score, 4);
    }
  });
});

test("padding does not change what is found", async () => {
  const model = randomModel();
  const [alone] = await generate(model, [four[2]!], { ...limits, maxLength: 12 });
  const [beside] = await generate(model, [four[2]!, four[1]!], { ...limits, maxLength: 12 });
  expect(beside!.ids).toEqual(alone!.ids);
});

test("calls at the same time do not disturb each other", async () => {
  const model = randomModel();
  const options = { ...limits, maxLength: 8, beams: 2 };
  const one = await generate(model, four, options);
  const other = await generate(model, [...four].reverse(), options);
  const both = await Promise.all([
    generate(model, four, options),
    generate(model, [...four].reverse(), options),
  ]);
  expect(both).toEqual([one, other]);
});

test("progress and abort", async () => {
  const model = randomModel();
  const controller = new AbortController();
  const lengths: number[] = [];
  const running = generate(model, four, {
    ...{ ...limits, minLength: 9, maxLength: 9, signal: controller.signal },
    onProgress: ({ length, total }) => {
      lengths.push(length);
      expect(total).toBe(4);
      if (length === 3) controller.abort(new Error("enough"));
    },
  });
  await expect(running).rejects.toThrow("enough");
  expect(lengths).toEqual([1, 2, 3]);
  const whole = await generate(model, four, { ...limits, minLength: 9, maxLength: 9 });
  expect(whole.map(({ ids }) => ids.length)).toEqual([9, 9, 9, 9]);
});

test("errors", async () => {
  const model = randomModel();
  const call = (list: number[][], options: Partial<GenerateOptions>) =>
    generate(model, list, { ...limits, ...options });
  await expect(call([[]], {})).rejects.toThrow("source 0 has 0 tokens, the model takes 1 to 48");
  await expect(call([[3], [40]], {})).rejects.toThrow("source 1 has the id 40");
  await expect(call([[3]], { beams: 0 })).rejects.toThrow("beams must be a whole number");
  await expect(call([[3]], { maxLength: 49 })).rejects.toThrow("from 1 to 48, got 49");
  await expect(call([[3]], { eosId: 0 })).rejects.toThrow("must not be the model's padId 0");
  await expect(call([[3]], { earlyStopping: "yes" as "never" })).rejects.toThrow("got yes");
  await expect(call([3, 4] as never, {})).rejects.toThrow(
    "generate: source 0 must be an array of ids, got 3; a single source is given as [ids]",
  );
  await expect(call(tensor([[3]]) as never, {})).rejects.toThrow(
    "generate: expected an array of sources, each an array of ids, got a tensor; await ids.toArray()",
  );
  await expect(call([tensor([3])] as never, {})).rejects.toThrow("source 0 must be an array of id");
  expect(await call([], {})).toEqual([]);
  model.train();
  await expect(call([[3]], {})).rejects.toThrow("call model.eval() first");
  model.eval().to("float64");
  await expect(call([[3]], {})).rejects.toThrow(
    'needs a float32 model, got float64; call model.to("float32")',
  );
});
