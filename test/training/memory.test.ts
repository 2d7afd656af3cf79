/** Memory stays flat however long a program trains, and what became unreachable is released. */
import { expect, test } from "vitest";
import { compile, tensor, type Tensor } from "../../src/index.ts";
import { settled, type Memory } from "../support/memory.ts";
import { startTraining } from "./workload.ts";

function expectFlat(before: Memory, after: Memory, slack = 50): void {
  expect(after.held - before.held, "MB more held").toBeLessThan(2);
  expect(after.resident - before.resident, "MB more of the process").toBeLessThan(slack);
}

test("5,000 compiled steps", async () => {
  const { x, y, step } = startTraining("mlp");
  const run = compile(step);
  const train = async (steps: number): Promise<Memory> => {
    for (let i = 0; i < steps; i++) await (await run(x, y)).item();
    return settled();
  };
  expectFlat(await train(1000), await train(4000));
});

test("300 uncompiled steps", async () => {
  const { x, y, step } = startTraining("mlp");
  const train = async (steps: number): Promise<Memory> => {
    for (let i = 1; i <= steps; i++) {
      await step(x, y).item();
      // What a step leaves behind is reused once it is found; how much piles up until then is V8's choice.
      if (i % 20 === 0) await settled();
    }
    return settled();
  };
  expectFlat(await train(100), await train(200));
});

test("programs of compiled functions that nobody holds are released", async () => {
  const x = tensor([1]);
  const make = async (count: number): Promise<Memory> => {
    for (let i = 0; i < count; i++) {
      // A megabyte that is part of the program.
      const add = compile((y: Tensor) => y.add(tensor(new Float32Array(250_000).fill(i))).sum());
      await (await add(x)).item();
      if (i % 25 === 24) await settled();
    }
    return settled();
  };
  // What malloc keeps of freed sessions varies by tens of megabytes; 250 programs that leaked would be 250 and more.
  expectFlat(await make(100), await make(250), 120);
});
