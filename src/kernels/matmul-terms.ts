/** The sums' terms: blocks of them, and loops over a block's by eights. */

import { type Assembler, type Gpr, r13, r14, rcx } from "./assembler.ts";
import { at } from "./matmul-frame.ts";
import type { MatmulPlan } from "./matmul-plan.ts";

/** Where the last block of terms begins. */
export const lastBlock = (k: number, depth: number): number => Math.floor((k - 1) / depth) * depth;

/** How many terms the block has: r13 eights, and `over` 0 unless it has all those over that too. */
export function measureTerms(a: Assembler, { k, depth }: MatmulPlan): void {
  if (depth >= k) {
    a.movImmediate(r13, Math.floor(k / 8));
    return;
  }
  const whole = a.label();
  a.movImmediate(r13, depth / 8);
  a.movImmediate(rcx, 0);
  a.arithmeticImmediate("cmp", r14, lastBlock(k, depth));
  a.jump(whole, "less");
  a.movImmediate(r13, Math.floor((k - lastBlock(k, depth)) / 8));
  a.movImmediate(rcx, 1);
  a.bind(whole);
  a.store(at("over"), rcx);
}

/** A loop over the block's terms: `emit` makes the code for a number of them. */
export function eachTerms(
  a: Assembler,
  { k, depth }: MatmulPlan,
  counter: Gpr,
  emit: (steps: number) => void,
): void {
  if (k >= 8) {
    const [next, end] = [a.label(), a.label()];
    a.mov(counter, r13);
    if (k - lastBlock(k, depth) < 8) {
      a.arithmeticImmediate("cmp", counter, 0);
      a.jump(end, "equal");
    }
    a.bind(next);
    emit(8);
    a.arithmeticImmediate("sub", counter, 1);
    a.jump(next, "notEqual");
    a.bind(end);
  }
  if (k % 8 === 0) return;
  const end = a.label();
  if (depth < k) {
    a.mov(counter, at("over"));
    a.arithmeticImmediate("cmp", counter, 0);
    a.jump(end, "equal");
  }
  emit(k % 8);
  a.bind(end);
}
