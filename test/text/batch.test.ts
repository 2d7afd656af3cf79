/** Batches of encodings against what Python's `tokenizers` pads and PyTorch masks, and as attention and DataLoader use them. */

import { expect, test } from "vitest";
import { manualSeed, noGrad, randn, tensor, type Tensor } from "../../src/index.ts";
import { DataLoader } from "../../src/data/index.ts";
import * as nn from "../../src/nn/index.ts";
import {
  collateEncodings,
  lookAheadMask,
  paddingMask,
  postProcessors,
  preTokenizers,
  Tokenizer,
  WordLevel,
} from "../../src/text/index.ts";
import { expectClose } from "../support/close.ts";

const vocab = new Map(["[PAD]", "[CLS]", "[SEP]", "a", "bc", "d"].map((token, id) => [token, id]));
const template = [
  { special: "[CLS]", typeId: 0 },
  { sequence: "A", typeId: 0 },
  { special: "[SEP]", typeId: 0 },
] as const;
const tokenizer = new Tokenizer({
  model: new WordLevel(vocab, { unkToken: "d" }),
  preTokenizer: preTokenizers.whitespace(),
  postProcessor: postProcessors.templateProcessing({
    single: template,
    pair: [...template, { sequence: "B", typeId: 1 }, { special: "[SEP]", typeId: 1 }],
    specialTokens: [
      ["[CLS]", 1],
      ["[SEP]", 2],
    ],
  }),
});
tokenizer.addSpecialTokens(["[PAD]"]);
/** The last text has the padding token in it, which is none here. */
const encodings = tokenizer.encodeBatch(["a bc", ["d", "bc a"], "[PAD] a"]);

const numbers = async (x: Tensor): Promise<number[][]> =>
  (await x.cast("int32").toArray()) as number[][];

// tokenizers 0.22: enable_padding(pad_id=0, pad_token="[PAD]", pad_to_multiple_of=4, direction=…); 1 − attention_mask
test.each([
  [
    "right",
    [
      [1, 3, 4, 2, 0, 0, 0, 0],
      [1, 5, 2, 4, 3, 2, 0, 0],
      [1, 0, 3, 2, 0, 0, 0, 0],
    ],
    [
      [0, 0, 0, 0, 0, 0, 0, 0],
      [0, 0, 0, 1, 1, 1, 0, 0],
      [0, 0, 0, 0, 0, 0, 0, 0],
    ],
    [
      [0, 0, 0, 0, 1, 1, 1, 1],
      [0, 0, 0, 0, 0, 0, 1, 1],
      [0, 0, 0, 0, 1, 1, 1, 1],
    ],
  ],
  [
    "left",
    [
      [0, 0, 0, 0, 1, 3, 4, 2],
      [0, 0, 1, 5, 2, 4, 3, 2],
      [0, 0, 0, 0, 1, 0, 3, 2],
    ],
    [
      [0, 0, 0, 0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0, 1, 1, 1],
      [0, 0, 0, 0, 0, 0, 0, 0],
    ],
    [
      [1, 1, 1, 1, 0, 0, 0, 0],
      [1, 1, 0, 0, 0, 0, 0, 0],
      [1, 1, 1, 1, 0, 0, 0, 0],
    ],
  ],
] as const)("padding on the %s is that of tokenizers", async (side, ids, typeIds, padding) => {
  const collate = collateEncodings({ padId: 0, padToMultipleOf: 4, side });
  const batch = await collate(encodings, [0, 1, 2]);
  expect(batch.ids.dtype).toBe("int32");
  expect(batch.paddingMask.dtype).toBe("bool");
  expect(await numbers(batch.ids)).toEqual(ids);
  expect(await numbers(batch.typeIds)).toEqual(typeIds);
  expect(await numbers(batch.paddingMask)).toEqual(padding);
  expect(batch.lookAheadMask.shape).toEqual([8, 8]);
});

test("without a loader the encodings are all there are", async () => {
  const collate = collateEncodings({ padId: 0, boundaries: [4] });
  const { ids } = await collate(encodings.slice(2));
  expect(await numbers(ids)).toEqual([[1, 0, 3, 2]]);
  await expect(collate(encodings)).rejects.toThrow(/sample 1: a sequence of length 6/);
  await expect(collate(encodings[0] as never)).rejects.toThrow(
    "collateEncodings: expected an array of encodings, got an object",
  );
});

test("encodings that the tokenizer has padded keep their mask", async () => {
  const first = { ...encodings[0]!, attentionMask: [1, 1, 1, 0] };
  const { paddingMask } = await collateEncodings({ padId: 0, boundaries: [5] })([first], [0]);
  expect(await numbers(paddingMask)).toEqual([[0, 0, 0, 1, 1]]);
});

test("the look-ahead mask is torch.triu(torch.ones(3, 3), 1)", async () => {
  expect(await numbers(lookAheadMask(3))).toEqual([
    [0, 1, 1],
    [0, 0, 1],
    [0, 0, 0],
  ]);
});

test("the padding mask is where the ids are padding", async () => {
  const ids = tensor([[5, 9, 0, 9]], { dtype: "int32" });
  expect(await numbers(paddingMask(ids, 9))).toEqual([[0, 1, 0, 1]]);
});

test("with both masks a padded sentence attends as it does alone", async () => {
  manualSeed(3);
  const attention = new nn.MultiheadAttention(4, 2, { batchFirst: true }).eval();
  const table = randn([6, 4]);
  const collate = collateEncodings({ padId: 0 });
  const { ids, paddingMask, lookAheadMask } = await collate(encodings, [0, 1, 2]);
  const attend = (x: Tensor, masks: nn.AttentionMasks): Tensor =>
    noGrad(() => attention.forward(x, x, x, masks).output);
  const masks = { keyPaddingMask: paddingMask, attnMask: lookAheadMask };
  const padded = attend(nn.functional.embedding(ids, table), masks);
  for (const [i, { ids }] of encodings.entries()) {
    const x = nn.functional.embedding(tensor([[...ids]], { dtype: "int32" }), table);
    const alone = attend(x, { attnMask: null, isCausal: true });
    const expected = [...((await alone.data()) as Float32Array)];
    await expectClose(padded.at([i], `:${ids.length}`), expected, 1e-6, `sentence ${i}`);
  }
});

test("a loader makes batches of like lengths and knows how much of them is padding", async () => {
  const texts = [1, 9, 2, 8, 1, 7].map((words) => "a ".repeat(words));
  const loader = new DataLoader(tokenizer.encodeBatch(texts), {
    batchSize: 2,
    lengthOf: ({ ids }) => ids.length,
    collate: collateEncodings({ padId: 0, padToMultipleOf: 1 }),
  });
  const shapes: (readonly number[])[] = [];
  for await (const { data } of loader) shapes.push(data.ids.shape);
  expect(shapes.map(([, length]) => length).sort()).toEqual([11, 3, 9].sort());
  expect(loader.padding).toEqual({ real: 40, padded: 2 * (3 + 9 + 11) });
});

test("what is no id, length or option is refused", () => {
  expect(() => paddingMask(tensor([1]), undefined as never)).toThrow(
    /^paddingMask: padId must be the id of the token for padding, got undefined/,
  );
  expect(() => collateEncodings({ padId: -1 })).toThrow(/^collateEncodings: padId must be/);
  expect(() => collateEncodings({ padId: 0, maxLength: 3 } as never)).toThrow(
    /collateEncodings.*maxLength/,
  );
  expect(() => lookAheadMask(1.5)).toThrow(/^lookAheadMask: length must be a whole number/);
});
