/** Whole Transformers compute what PyTorch's compute with the same weights, forward and backward. */
import { describe, expect, test } from "vitest";
import { compile, tensor, type Tensor } from "../../src/index.ts";
import { DecoderOnly, EncoderDecoder } from "../../src/models/index.ts";
import type { DecoderOnlyOptions, EncoderDecoderOptions } from "../../src/models/index.ts";
import * as F from "../../src/nn/functional/index.ts";
import { formula, readFixture } from "../nn/parity.ts";
import { expectClose, type Numbers } from "../support/close.ts";

interface Learning {
  readonly name: string;
  readonly config: object;
  readonly state: readonly (readonly [key: string, shape: readonly number[]])[];
  readonly source: readonly number[][];
  readonly target: readonly number[][];
  readonly labels: readonly number[][];
  readonly logits: Numbers;
  readonly loss: number;
  readonly gradients: Readonly<Record<string, Numbers>>;
}

const ids = (rows: readonly number[][]): Tensor => tensor(rows, { dtype: "int32" });

describe.each(readFixture<Learning>("models/transformers"))("$name", (fixture) => {
  test.each([false, true])("logits, loss and gradients, compiled: %s", async (compiled) => {
    const isPair = "numEncoderLayers" in fixture.config;
    const model = isPair
      ? new EncoderDecoder({ ...(fixture.config as EncoderDecoderOptions), dropout: 0 })
      : new DecoderOnly({ ...(fixture.config as DecoderOnlyOptions), dropout: 0 });
    const state = model.stateDict();
    const shapes = Object.entries(state).map(([key, { shape }]) => [key, shape]);
    expect(shapes.sort()).toEqual([...fixture.state].sort());
    model.loadStateDict(
      Object.fromEntries(
        fixture.state.map(([key, shape], i) => [key, formula(1000 + i, shape, 0.5)]),
      ),
    );
    const step = (source: Tensor, target: Tensor, labels: Tensor): Tensor[] => {
      const logits =
        model instanceof EncoderDecoder ? model.forward(source, target) : model.forward(target);
      const loss = F.crossEntropy(logits.flatten(0, 1), labels.flatten(), {
        ...{ ignoreIndex: 0, labelSmoothing: 0.1 },
      });
      loss.backward();
      return [logits.detach(), loss.detach()];
    };
    const { source, target, labels } = fixture;
    const run = compiled ? compile(step) : step;
    const [logits, loss] = await run(ids(source), ids(target), ids(labels));
    await expectClose(logits, fixture.logits, 1e-5, "logits");
    await expectClose(loss, [fixture.loss], 1e-5, "loss");
    for (const [name, parameter] of model.namedParameters())
      await expectClose(parameter.grad, fixture.gradients[name]!, 1e-5, name);
  });
});

test("a model is made anew from its config", () => {
  const pair = new EncoderDecoder({
    ...{ vocabSize: 9, padId: 1, dModel: 8, nhead: 2, numEncoderLayers: 1, numDecoderLayers: 1 },
  });
  const copy = JSON.parse(JSON.stringify(pair.config())) as EncoderDecoderOptions;
  expect(Object.keys(new EncoderDecoder(copy).stateDict())).toEqual(Object.keys(pair.stateDict()));
  const only = new DecoderOnly({ vocabSize: 9, dModel: 8, nhead: 2, numLayers: 1 });
  const again = JSON.parse(JSON.stringify(only.config())) as DecoderOnlyOptions;
  expect(Object.keys(new DecoderOnly(again).stateDict())).toEqual(Object.keys(only.stateDict()));
});

test("embeddings start as N(0, 1/dModel)", async () => {
  const model = new EncoderDecoder({
    ...{ vocabSize: 400, padId: 0, dModel: 64, nhead: 2 },
    ...{ numEncoderLayers: 1, numDecoderLayers: 1, dimFeedforward: 8 },
  });
  expect(await model.embedding.weight.std().item()).toBeCloseTo(1 / 8, 2);
});

test.each([
  [{ padId: 9 }, "EncoderDecoder: padId must be an id of the vocabulary, 0 … 8, got 9"],
  [{ vocabSize: 0 }, "EncoderDecoder: vocabSize must be a positive integer, got 0"],
  [{ positions: "none" as "learned" }, 'positions must be "sinusoidal" or "learned", got "none"'],
  [{ targetVocabSize: 7 }, "a table shared by sources and targets has one size"],
])("sizes that make no model: %j", (wrong, message) => {
  expect(() => new EncoderDecoder({ vocabSize: 9, padId: 0, dModel: 8, ...wrong })).toThrow(
    message,
  );
});

test("ids that do not fit", () => {
  const model = new EncoderDecoder({
    ...{ vocabSize: 9, padId: 0, dModel: 8, nhead: 2, maxLength: 3 },
    ...{ numEncoderLayers: 1, numDecoderLayers: 1 },
  });
  expect(() => model.forward(ids([[1, 2, 3, 4]]), ids([[1]]))).toThrow(
    "EncoderDecoder: 4 tokens are more than maxLength 3",
  );
  expect(() => model.forward(ids([[1], [2]]), ids([[1]]))).toThrow(
    "expected ids [batch, length] of sources and of as many targets, got [2,1] and [1,1]",
  );
});

test("what is no tensor of ids, and masks that models make themselves", () => {
  const sizes = { vocabSize: 9, dModel: 8, nhead: 2 };
  const pair = new EncoderDecoder({
    ...{ ...sizes, padId: 0, numEncoderLayers: 1, numDecoderLayers: 1 },
  });
  const only = new DecoderOnly({ ...sizes, numLayers: 1 });
  expect(() => only.forward([[1, 2]] as never)).toThrow(
    "DecoderOnly: ids must be a tensor of ids [batch, length], got an array; tensor(rows",
  );
  expect(() => only.forward(ids([[1]]), { attentionMask: ids([[1]]) } as never)).toThrow(
    "DecoderOnly: takes ids alone, got an object too; the model masks what its padId fills up itself",
  );
  expect(() => pair.forward(ids([[1]]), undefined as never)).toThrow(
    "EncoderDecoder: target must be a tensor of ids [batch, length], got undefined",
  );
  expect(() => pair.forward(ids([[1]]), ids([[1]]), null as never)).toThrow(
    "EncoderDecoder: takes source and target alone, got null too",
  );
});
