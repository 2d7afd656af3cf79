/** Queries that masks allow no key, against PyTorch: attention of every kind, and the Transformer with every combination of masks. */
import { describe, expect, test } from "vitest";
import { compile, grad, stack, tensor, zeros, type DType, type Tensor } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import { expectClose, numbersOf, type Numbers } from "../support/close.ts";
import { filled } from "../support/filled.ts";
import { formula, readFixture, suite, type Case } from "./parity.ts";

const F = nn.functional;
type MaskName = "attnMask" | "keyPaddingMask";

/** Inputs are query, key and value (one for all where `own`), and masks behind them. */
function attention(
  masks: readonly MaskName[],
  { own = false, isCausal = false, ...build }: Record<string, unknown> = {},
): Case {
  return {
    build: () => new nn.MultiheadAttention(6, 2, { batchFirst: true, ...build }),
    call: (inputs, module) => {
      const given = Object.fromEntries(masks.map((name, i) => [name, inputs[(own ? 1 : 3) + i]!]));
      const [q, k, v] = own ? [inputs[0]!, inputs[0]!, inputs[0]!] : inputs;
      const options = { ...given, isCausal: isCausal === true };
      return (module as nn.MultiheadAttention).forward(q!, k!, v!, options).output;
    },
  };
}

const product = (allowed: (mask: Tensor) => Tensor): Case => ({
  call: ([q, k, v, mask]) => F.scaledDotProductAttention(q!, k!, v!, { attnMask: allowed(mask!) }),
});
const both: readonly MaskName[] = ["attnMask", "keyPaddingMask"];

describe("queries that may attend to nothing", () => {
  suite("attention-idle", {
    "padding only": attention(["keyPaddingMask"]),
    "float padding only": attention(["keyPaddingMask"]),
    "padding only, on itself": attention(["keyPaddingMask"], { own: true }),
    "padding only, no bias": attention(["keyPaddingMask"], { bias: false }),
    pairs: attention(["attnMask"]),
    "float pairs": attention(["attnMask"]),
    "pairs of each head": attention(["attnMask"]),
    "float pairs of each head": attention(["attnMask"]),
    "pairs and padding": attention(both, { own: true }),
    "float pairs and padding": attention(both, { own: true }),
    "pairs and float padding": attention(both, { own: true }),
    "float pairs and float padding": attention(both, { own: true }),
    "pairs of each head and padding": attention(both, { kdim: 3, vdim: 7 }),
    "causal and padding on the left": attention(["keyPaddingMask"], { own: true, isCausal: true }),
    "the most negative number": attention(["attnMask"]),
    "products with a float mask": product((mask) => mask),
    "products with a bool mask of samples": product((mask) => mask),
  });

  test("float16 stays float16, with idle queries and without", async () => {
    const [q, k] = [filled([1, 2, 4], 1), filled([1, 3, 4], 2)];
    const attnMask = tensor([[true, false, true], [false, false, false]]); // prettier-ignore
    for (const options of [
      { attnMask },
      { attnMask: attnMask.cast("float32") },
      { isCausal: true },
    ]) {
      const wanted = F.scaledDotProductAttention(q, k, k, options);
      const half = (x: Tensor): Tensor => x.cast("float16").requiresGrad_();
      const inputs = [half(q), half(k)] as const;
      const got = F.scaledDotProductAttention(inputs[0], inputs[1], inputs[1], options);
      expect(got.dtype).toBe("float16");
      await expectClose(
        got.cast("float32"),
        Array.from(await wanted.data(), Number),
        5e-3,
        "output",
      );
      for (const part of grad(got.sum(), inputs)) {
        expect(part.dtype).toBe("float16");
        const numbers = (await part.cast("float32").data()) as Float32Array;
        expect(numbers.every(Number.isFinite)).toBe(true);
      }
    }
  });

  test("an empty memory, with masks and without", async () => {
    const module = new nn.MultiheadAttention(4, 2, { batchFirst: true });
    const [x, none] = [filled([2, 3, 4], 1), zeros([2, 0, 4])];
    const keyPaddingMask = zeros([2, 0], { dtype: "bool" });
    for (const masks of [{}, { keyPaddingMask }, { attnMask: zeros([3, 0]) }]) {
      const { output } = module.forward(x, none, none, masks);
      // As for idle queries: the bias of the output projection, which starts as zeros.
      await expectClose(output, new Array<number>(24).fill(0), 1e-6, "output");
    }
  });

  test("second derivatives", async () => {
    const module = new nn.MultiheadAttention(4, 2, { batchFirst: true });
    const direction = filled([2, 3, 4], 9);
    const keyPaddingMask = tensor([[false, true, false], [true, true, true]]); // prettier-ignore
    const attnMask = tensor([[0, 1, 0], [1, 1, 1], [0, 0, 0]], { dtype: "bool" }); // prettier-ignore
    const penalty = (scale: number): Tensor => {
      const x = filled([2, 3, 4], 1).add(direction.mul(scale)).requiresGrad_();
      const { output } = module.forward(x, x, x, { keyPaddingMask, attnMask });
      const [first] = grad(output.pow(2).sum(), [x], { createGraph: true });
      const sum = first!.pow(2).sum();
      return scale === 0 ? grad(sum, [x])[0]!.mul(direction).sum() : sum.detach();
    };
    const step = 1e-2;
    const slope = ((await penalty(step).item()) - (await penalty(-step).item())) / (2 * step);
    const exact = await penalty(0).item();
    expect(Math.abs(exact - slope) / Math.max(1, Math.abs(exact))).toBeLessThan(5e-3);
  });
});

interface Spec {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly seed: number;
  readonly values: Numbers;
}

interface Combination {
  readonly masks: readonly number[];
  readonly normFirst: boolean;
  readonly activation: "relu" | "gelu";
  readonly output: Numbers;
  readonly inputGradients: readonly Numbers[];
  /** For each parameter Σ gradient · numbers by the formula. */
  readonly parameterGradients: Numbers;
}

describe("Transformer with every combination of masks", () => {
  const [shared, ...combinations] = readFixture("nn/transformer-masks") as [
    { inputs: Spec[]; masks: Spec[] },
    ...Combination[],
  ];
  const names = [
    ...["srcMask", "tgtMask", "memoryMask"],
    ...["srcKeyPaddingMask", "tgtKeyPaddingMask", "memoryKeyPaddingMask"],
  ];
  const masks = shared.masks.map(({ dtype, shape, values }) =>
    tensor(numbersOf(values), { dtype, shape }),
  );

  for (const { masks: chosen, normFirst, activation, ...expected } of combinations)
    test(`${chosen.map((i) => names[i]).join(", ") || "none"}, ${activation}, normFirst ${normFirst}`, async () => {
      const model = new nn.Transformer({
        ...{ dModel: 4, nhead: 2, dimFeedforward: 5, dropout: 0, batchFirst: true },
        ...{ numEncoderLayers: 1, numDecoderLayers: 1, normFirst, activation },
      });
      model.loadStateDict(
        Object.fromEntries(
          Object.entries(model.stateDict()).map(([key, { shape }], i) => [
            key,
            formula(1000 + i, shape, 0.5),
          ]),
        ),
      );
      const [src, tgt] = shared.inputs.map(({ seed, shape }) =>
        formula(seed, shape).requiresGrad_(),
      ) as [Tensor, Tensor];
      const options = Object.fromEntries(chosen.map((i) => [names[i]!, masks[i]!]));
      const parameters = model.parameters();
      const run = compile((...inputs: Tensor[]) => {
        const y = model.forward(inputs[0]!, inputs[1]!, options);
        const all = grad(y.mul(formula(500, y.shape)).sum(), [...inputs, ...parameters]);
        const products = all.slice(2).map((g, i) => g.mul(formula(2000 + i, g.shape)).sum());
        return { output: y, inputs: all.slice(0, 2), parameters: stack(products) };
      });
      const got = await run(src, tgt);
      await expectClose(got.output, expected.output, 1e-5, "output");
      for (const [i, values] of expected.inputGradients.entries())
        await expectClose(got.inputs[i], values, 1e-5, `gradient of input ${i}`);
      await expectClose(got.parameters, expected.parameterGradients, 1e-5, "gradients");
    });
});
