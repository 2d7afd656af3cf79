/** Made-up programs that assign to variables in every order: compiled, in place, they give what uncompiled ones give. */

import { expect, test } from "vitest";
import { cat, compile, tensor, type Tensor } from "../../src/index.ts";

/** A linear congruential generator: the same programs in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return Math.floor(state / 65536) % below;
  };
}

/** Records operations and assignments chosen by `next`; returns results, old elements of variables among them. */
function program(variables: readonly Tensor[], next: (below: number) => number): Tensor[] {
  const pool: Tensor[] = [...variables];
  const results: Tensor[] = [];
  const any = (): Tensor => pool[next(pool.length)]!;
  const assign = (value: Tensor): void => void variables[next(variables.length)]!.assign(value);
  const assignments: (() => void)[] = [
    () => assign(any()),
    () => assign(any().mul(0.9).add(any().mul(0.1))),
    () => {
      const scaled = any().mul(any().sum().mul(0.01));
      const [first, second] = cat([scaled, any()]).split(4);
      assign(first!.relu());
      pool.push(second!);
    },
  ];
  const operations: (() => Tensor)[] = [
    () => any().add(any()),
    () => any().mul(0.5),
    () => any().reshape([2, 2]).T.reshape([4]),
    () => any().reshape([2, 2]).reshape([4]),
    () => any().flip([0]),
    () => any().detach(),
    () => cat(any().split(2)),
    () => any().reshape([2, 2]).sum({ dim: 0, keepdim: true }).expand([2, 2]).reshape([4]),
    () => any().sub(any().mean()),
  ];
  for (let steps = 4 + next(10); steps > 0; steps--) {
    if (next(4) === 0) {
      assignments[next(assignments.length)]!();
      continue;
    }
    const result = operations[next(operations.length)]!();
    pool.push(result);
    if (next(3) === 0) results.push(result);
  }
  return [...results, any().reshape([4]), any().sum()];
}

test("300 made-up programs, three runs each", async () => {
  const elements = async (tensors: readonly Tensor[]): Promise<number[]> => {
    const all: number[] = [];
    for (const t of tensors) all.push(...((await t.data()) as Float32Array));
    return all;
  };
  for (let seed = 1; seed <= 300; seed++) {
    const count = 2 + (seed % 3);
    const variables = (): Tensor[] =>
      Array.from({ length: count }, (_, i) => tensor([i + 1, -(i + 2), i * 3 + 1, 2 - i]));
    const [own, other] = [variables(), variables()];
    const compiled = compile(() => program(own, numbers(seed)));
    for (let run = 0; run < 3; run++) {
      const got = [...(await elements(await compiled())), ...(await elements(own))];
      const wanted = [
        ...(await elements(program(other, numbers(seed)))),
        ...(await elements(other)),
      ];
      const off = got.findIndex((x, i) => !(Math.abs(x - wanted[i]!) <= 1e-4 * (1 + Math.abs(x))));
      expect({ seed, run, off, length: got.length }).toEqual({
        seed,
        run,
        off: -1,
        length: wanted.length,
      });
    }
  }
});
