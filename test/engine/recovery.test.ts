import { expect, test } from "vitest";
import { tensor } from "../../src/index.ts";
import { embedding } from "../../src/nn/functional/index.ts";
import { SGD } from "../../src/optim/index.ts";

const table = () =>
  tensor(
    [
      [1, 2],
      [3, 4],
    ],
    { requiresGrad: true },
  );

test("an evaluation that fails undoes the assignments that went into it, and the next one works", async () => {
  const weight = table();
  const optimizer = new SGD([weight], { lr: 1 });
  const step = (rows: number[]): Promise<number> => {
    optimizer.zeroGrad();
    const loss = embedding(tensor(rows, { dtype: "int32" }), weight).sum();
    loss.backward();
    optimizer.step();
    return loss.item();
  };
  await expect(step([7])).rejects.toThrow(/out of data bounds/);
  expect(await weight.toArray()).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect(await step([1])).toBe(7);
  expect(await weight.toArray()).toEqual([
    [1, 2],
    [2, 3],
  ]);
});

test("two assignments before a failure are both undone", async () => {
  const weight = table().detach();
  await weight.data();
  weight.assign(weight.add(1));
  weight.assign(embedding(tensor([5, 5], { dtype: "int32" }), weight));
  await expect(weight.data()).rejects.toThrow(/out of data bounds/);
  expect(await weight.toArray()).toEqual([
    [1, 2],
    [3, 4],
  ]);
});
