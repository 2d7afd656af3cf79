/** Attention against PyTorch where sizes, biases and layouts differ, and the product behind it. */
import { describe, expect, test } from "vitest";
import { zeros, type Tensor } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import { suite, type Case } from "./parity.ts";

const F = nn.functional;

/** What the inputs are: `q k v`, or fewer where keys are values or all are one; masks behind them. */
function attention(
  sources: 1 | 2 | 3,
  build: nn.MultiheadAttentionOptions,
  { masks = [], ...options }: nn.AttentionOptions & { masks?: readonly string[] } = {},
): Case<nn.MultiheadAttention> {
  return {
    build: () => new nn.MultiheadAttention(6, 2, { batchFirst: true, ...build }),
    call: (inputs, module) => {
      const [q, k, v] = [inputs[0]!, inputs[sources > 1 ? 1 : 0]!, inputs[sources - 1]!];
      const given = Object.fromEntries(masks.map((name, i) => [name, inputs[sources + i]!]));
      const { output, weights } = module.forward(q, k, v, { ...given, ...options });
      return options.needWeights ? [output, weights] : output;
    },
  };
}

const product = (
  options: (mask: Tensor | undefined) => nn.functional.DotProductAttentionOptions = () => ({}),
): Case => ({
  call: ([q, k, v, mask]) => F.scaledDotProductAttention(q!, k!, v!, options(mask)),
});
const masked = product((mask) => ({ attnMask: mask! }));
const both = ["keyPaddingMask", "attnMask"];

describe("kinds of attention", () => {
  suite<nn.Module>("attention-kinds", {
    "without bias": attention(3, { bias: false }),
    "keys and values of other sizes": attention(3, { kdim: 3, vdim: 7 }, { needWeights: true }),
    "values of another size, no bias": attention(3, { vdim: 7, bias: false }),
    "keys that are values": attention(2, {}),
    "keys that are values, no bias": attention(2, { bias: false }),
    "one sample": attention(3, {}, { needWeights: true }),
    "one sample with masks": attention(
      3,
      {},
      { masks: both, needWeights: true, averageAttnWeights: false },
    ),
    causal: attention(1, {}, { isCausal: true }),
    "bool and float masks together": attention(1, {}, { masks: both }),
    products: product(),
    "products, causal": product(() => ({ isCausal: true })),
    "products, scaled": product(() => ({ scale: 0.3 })),
    "products with a float mask": masked,
    "products with a bool mask": masked,
    "products of matrices": product(),
  } as unknown as Record<string, Case>);

  test("says which shapes it needs", () => {
    const [q, k] = [zeros([2, 4, 6]), zeros([2, 5, 6])];
    expect(() => F.scaledDotProductAttention(q, k, q)).toThrow(
      "scaledDotProductAttention: expected q [..., T, d], k [..., S, d] and v [..., S, dᵥ], got [2,4,6], [2,5,6], [2,4,6]",
    );
    expect(() => F.scaledDotProductAttention(q, k, k, { attnMask: zeros([5, 4]) })).toThrow(
      /attnMask/,
    );
    const attnMask = zeros([4, 5]);
    expect(() => F.scaledDotProductAttention(q, k, k, { attnMask, isCausal: true })).toThrow(
      "give attnMask or isCausal, not both",
    );
    const module = new nn.MultiheadAttention(6, 2, { batchFirst: true });
    expect(() => module.forward(q, k, k, { attnMask: zeros([5, 4]) })).toThrow(
      "attnMask must be [queries, keys] = [4,5] or [batch · heads, queries, keys] = [4,4,5], got [5,4]",
    );
  });
});
