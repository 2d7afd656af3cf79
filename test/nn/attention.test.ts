/** Attention against PyTorch: on itself and across, every kind of mask, the weights it returns. */
import { describe, expect, test } from "vitest";
import { tensor, zeros, type Tensor } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
const F = nn.functional;
import { suite, type Case } from "./parity.ts";

type Masks = readonly ("attnMask" | "keyPaddingMask")[];

interface Options {
  readonly masks?: Masks;
  readonly averageAttnWeights?: boolean;
  readonly needWeights?: boolean;
  readonly batchFirst?: boolean;
}

/** Attention over one input (query, key and value at once) or three, with the other inputs as masks. */
function attention(sources: 1 | 3, options: Options = {}): Case<nn.MultiheadAttention> {
  const { masks = [], batchFirst = true, ...rest } = options;
  return {
    build: () => new nn.MultiheadAttention(6, 2, { batchFirst }),
    call: (inputs, module) => {
      const [q, k, v] = sources === 3 ? inputs : [inputs[0], inputs[0], inputs[0]];
      const given = Object.fromEntries(masks.map((name, i) => [name, inputs[sources + i]!]));
      const { output, weights } = module.forward(q!, k!, v!, { ...given, ...rest });
      return rest.needWeights ? [output, weights] : output;
    },
  };
}

describe("MultiheadAttention", () => {
  suite("attention", {
    "MHA on itself": attention(1),
    "MHA across": attention(3),
    "MHA with a bool mask": attention(1, { masks: ["attnMask"] }),
    "MHA with a mask for each head": attention(1, { masks: ["attnMask"] }),
    "MHA with a float mask": attention(1, { masks: ["attnMask"] }),
    "MHA with minus infinity": attention(1, { masks: ["attnMask"] }),
    "MHA with padding": attention(1, { masks: ["keyPaddingMask"] }),
    "MHA with float padding": attention(1, { masks: ["keyPaddingMask"] }),
    "MHA with both masks": attention(1, { masks: ["attnMask", "keyPaddingMask"] }),
    "MHA across with padding": attention(3, { masks: ["keyPaddingMask"] }),
    "MHA weights": attention(1, { masks: ["keyPaddingMask"], needWeights: true }),
    "MHA weights of each head": attention(3, { needWeights: true, averageAttnWeights: false }),
    "MHA batch second": attention(3, { needWeights: true, batchFirst: false }),
    scaledDotProductAttention: {
      call: ([q, k, v, mask]) =>
        F.scaledDotProductAttention(q!, k!, v!, { attnMask: mask!.logicalNot() }),
    },
  });

  test("weights of a query that may attend to nothing are zeros", async () => {
    const module = new nn.MultiheadAttention(4, 2, { batchFirst: true });
    const x = tensor([[[1, 2, 3, 4], [0, 1, 0, 1]]]); // prettier-ignore
    const mask = tensor([[true, true]]);
    const { weights } = module.forward(x, x, x, { keyPaddingMask: mask, needWeights: true });
    expect(Array.from((await weights!.data()) as Float32Array)).toEqual([0, 0, 0, 0]);
  });

  test("says which shape it needs", () => {
    const module = new nn.MultiheadAttention(4, 2, { batchFirst: true });
    const bad: Tensor = zeros([2, 3, 5]);
    expect(() => module.forward(bad, bad, bad)).toThrow(
      "MultiheadAttention: expected [batch, length, 4], got [2,3,5]",
    );
    expect(() => new nn.MultiheadAttention(5, 2)).toThrow("embedDim 5 must be divisible");
  });
});
