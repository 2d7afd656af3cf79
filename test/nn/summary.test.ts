/** Summaries and printed modules against PyTorch: its text, its counts of parameters and floating-point operations. */
import { describe, expect, test } from "vitest";
import { ones, zeros, type Tensor } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import { readFixture } from "./parity.ts";

const F = nn.functional;

interface Described {
  readonly name: string;
  readonly repr: string;
  readonly parameters: number;
  readonly flops: number;
  /** By `Type.name`, those without any left out. */
  readonly modules: Readonly<Record<string, number>>;
}

class Convolutions extends nn.Module {
  readonly kernels = [
    new nn.Parameter(zeros([6, 2, 3, 3])),
    new nn.Parameter(zeros([4, 3, 2, 3])),
    new nn.Parameter(zeros([4, 2, 2, 2])),
  ];

  forward(image: Tensor): Tensor {
    const [a, b, c] = this.kernels;
    const y = F.conv2d(image, a!, null, { padding: 1, stride: 2 });
    return F.convTranspose2d(F.conv2d(y, b!, null, { groups: 2 }), c!, null, { stride: 2 });
  }
}

const sizes = { dModel: 8, nhead: 2, dimFeedforward: 12, batchFirst: true };
const models: Readonly<Record<string, () => [nn.Module, ...(readonly number[])[]]>> = {
  mlp: () => [
    new nn.Sequential(
      new nn.Linear(5, 7),
      new nn.Tanh(),
      new nn.Dropout(0.25),
      new nn.Linear(7, 3, { bias: false }),
    ),
    [4, 5],
  ],
  convolutions: () => [new Convolutions(), [2, 2, 9, 8]],
  encoder: () => [new nn.TransformerEncoder({ ...sizes, numLayers: 2 }), [2, 5, 8]],
  transformer: () => [
    new nn.Transformer({ ...sizes, numEncoderLayers: 1, numDecoderLayers: 2 }),
    ...[[2, 5, 8], [2, 4, 8]], // prettier-ignore
  ],
  recurrent: () => [
    new nn.Sequential(new nn.LSTM(3, 4, { numLayers: 2, batchFirst: true, dropout: 0.5 })),
    [2, 5, 3],
  ],
};

describe.each(readFixture<Described>("nn/summaries"))("$name", (fixture) => {
  const [model, ...inputs] = models[fixture.name]!();

  test.skipIf(fixture.name === "convolutions")("prints as PyTorch does", () => {
    expect(String(model)).toBe(fixture.repr);
  });

  test("has PyTorch's parameters and floating-point operations", () => {
    const { rows, ...totals } = nn.summary(model, ...inputs);
    expect(totals.parameters).toBe(fixture.parameters);
    expect(totals.parameterBytes).toBe(4 * fixture.parameters);
    // PyTorch counts nothing in an LSTM: there, 2 · 16 · (inputs + states) a step, sequence and layer.
    const recurrent = 5 * 2 * (2 * 16 * (3 + 4) + 2 * 16 * (4 + 4));
    expect(totals.flops).toBe(fixture.name === "recurrent" ? recurrent : fixture.flops);
    for (const [key, flops] of Object.entries(fixture.modules)) {
      const name = key.split(".").slice(1).join(".");
      if (name !== "") expect(rows.find((row) => row.name === name)?.flops, key).toBe(flops);
    }
  });
});

describe("summary", () => {
  const net = (): nn.Sequential =>
    new nn.Sequential(new nn.Linear(1000, 20), new nn.ReLU(), new nn.Linear(20, 3));

  test("is a table", () => {
    const model = net();
    model.getSubmodule("0").requiresGrad_(false);
    expect(nn.summary(model, [8, 1000]).toString()).toBe(
      [
        "Layer (type)  Output shape  Parameters  Trainable    FLOPs",
        "──────────────────────────────────────────────────────────",
        "Sequential    [8,3]             20,083         63  320,960",
        "  0 (Linear)  [8,20]            20,020         no  320,000",
        "  1 (ReLU)    [8,20]                 –          –        –",
        "  2 (Linear)  [8,3]                 63        yes      960",
        "──────────────────────────────────────────────────────────",
        "Parameters: 20,083 (80.33 kB), trainable: 63",
        "FLOPs of one forward pass: 320,960 (320.96 kFLOP)",
      ].join("\n"),
    );
  });

  test("counts a module that is called twice twice, and its parameters once", () => {
    class Twice extends nn.Module {
      readonly inner = new nn.Linear(4, 4);
      readonly count = this.registerBuffer("count", zeros([], { dtype: "int32" }));

      forward(x: Tensor): Tensor {
        this.count.assign(this.count.add(1));
        return this.inner.forward(this.inner.forward(x));
      }
    }
    const model = new Twice();
    const { rows, flops, parameters, bufferBytes } = nn.summary(model, ones([3, 4]));
    expect([flops, parameters, bufferBytes]).toEqual([2 * 96, 20, 4]);
    expect(rows[1]).toMatchObject({ name: "inner", calls: 2, flops: 192, depth: 1 });
  });

  test("changes nothing, and leaves no hooks", async () => {
    const model = net();
    const x = ones([2, 1000]);
    const before = await model.forward(x).toArray();
    nn.summary(model, x);
    expect(await model.forward(x).toArray()).toEqual(before);
    expect(() => nn.summary(model, [2, 999])).toThrow(/linear/);
    expect(await model.forward(x).toArray()).toEqual(before);
  });
});
