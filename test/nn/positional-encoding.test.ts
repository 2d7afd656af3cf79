/** Positional encodings: the formula of the paper, offsets, tables of positions, errors. */
import { describe, expect, test } from "vitest";
import { arange, compile, ones, tensor, zeros, type Tensor } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import { filled } from "../support/filled.ts";
import { expectClose } from "../support/close.ts";

const numbers = async (x: Tensor): Promise<number[]> =>
  Array.from((await x.data()) as Float32Array);

describe("sinusoidalEncoding", () => {
  test("is the formula of section 3.5", async () => {
    // PE(p, 2i) = sin(p / 10000^(2i / 4)), PE(p, 2i + 1) = cos of the same, for p = 0, 1, 2.
    const expected = [0, 1, 0, 1];
    for (const p of [1, 2])
      expected.push(Math.sin(p), Math.cos(p), Math.sin(p / 100), Math.cos(p / 100));
    await expectClose(nn.sinusoidalEncoding(3, 4), expected, 1e-7, "encoding");
  });

  test("ends with a sine for an odd number of features", async () => {
    const angle = (i: number): number => 5 / 10000 ** (i / 3);
    const last = nn.sinusoidalEncoding(6, 3).slice(0, 5);
    await expectClose(last, [Math.sin(angle(0)), Math.cos(angle(0)), Math.sin(angle(2))], 1e-7, "");
    expect(() => nn.sinusoidalEncoding(0, 4)).toThrow(
      "sinusoidalEncoding: length and dModel must be positive integers, got 0 and 4",
    );
  });

  test("the product of two positions depends on their distance only", async () => {
    const table = nn.sinusoidalEncoding(40, 16);
    const products = (await table.matmul(table, { transB: true }).toArray()) as number[][];
    for (let p = 0; p + 7 < 40; p++) expect(products[p]![p + 7]).toBeCloseTo(products[0]![7]!, 4);
  });
});

describe("modules", () => {
  for (const Encoding of [nn.SinusoidalPositionalEncoding, nn.LearnedPositionalEncoding])
    test(`${Encoding.name} adds rows of its table, with an offset as number or tensor`, async () => {
      const module = new Encoding(10, 4);
      const x = filled([2, 3, 4], 1);
      const table = module.at(arange(10));
      const expected = await numbers(x.add(table.slice(0, 5, 8)));
      const step = compile((v: Tensor, offset: Tensor) => module.forward(v, { offset }));
      const offset = tensor(5, { dtype: "int32" });
      expect(await numbers(module.forward(x, { offset: 5 }))).toEqual(expected);
      expect(await numbers(await step(x, offset))).toEqual(expected);
      expect(await numbers(module.forward(x.squeeze(0).slice(0, 0, 1).squeeze(0)))).toEqual(
        await numbers(
          x
            .slice(0, 0, 1)
            .squeeze(0)
            .add(table.slice(0, 0, 3)),
        ),
      );
    });

  test("what is learned is in the state dict, what is not is not", async () => {
    const learned = new nn.LearnedPositionalEncoding(5, 4);
    expect(Object.keys(learned.stateDict())).toEqual(["weight"]);
    expect(Object.keys(new nn.SinusoidalPositionalEncoding(5, 4).stateDict())).toEqual([]);
    learned
      .forward(zeros([2, 3, 4]))
      .sum()
      .backward();
    expect(await learned.weight.grad!.toArray()).toEqual(
      [2, 2, 2, 0, 0].map((count) => Array<number>(4).fill(count)),
    );
  });

  test("drop out while training only", async () => {
    const module = new nn.SinusoidalPositionalEncoding(8, 16, { dropout: 0.5 });
    const dropped = await numbers(module.forward(ones([4, 8, 16])));
    expect(dropped.filter((value) => value === 0).length).toBeGreaterThan(100);
    module.eval();
    expect(await numbers(module.forward(zeros([8, 16])))).toEqual(
      await numbers(nn.sinusoidalEncoding(8, 16)),
    );
  });

  test("say what does not fit", () => {
    const module = new nn.SinusoidalPositionalEncoding(4, 6);
    expect(() => module.forward(zeros([2, 5, 6]))).toThrow(
      "SinusoidalPositionalEncoding: 5 positions from 0 do not fit maxLength 4",
    );
    expect(() => module.forward(zeros([2, 1, 6]), { offset: 4 })).toThrow("1 positions from 4");
    expect(() => module.forward(zeros([2, 1, 5]))).toThrow("expected [batch, length, 6]");
    expect(() => module.forward(zeros([2, 1, 6]), { offset: zeros([]) })).toThrow(
      "offset must be one int32 or a number, got float32 []",
    );
    expect(() => new nn.LearnedPositionalEncoding(0, 4)).toThrow(
      "LearnedPositionalEncoding: maxLength and dModel must be positive integers, got 0 and 4",
    );
  });
});
