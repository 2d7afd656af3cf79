/** The plain recurrent network over a sequence as one operation. */

import { gt } from "./compare.ts";
import type { Value } from "../graph/node.ts";
import { defineOp } from "../graph/op.ts";
import { mul } from "./elementwise.ts";
import { cast } from "./elementwise-rules.ts";
import { zerosLike } from "./leaf.ts";
import { matmul } from "./matmul.ts";
import {
  checkRecurrent,
  joinRows,
  recurrentFlops,
  statesBefore,
  stepOrder,
  stepRows,
  stepsOf,
  sumOf,
  tanhSlope,
  type RecurrentAttrs,
} from "./recurrent.ts";
import { concat } from "./shape.ts";

export interface RnnAttrs extends RecurrentAttrs {
  readonly nonlinearity: "tanh" | "relu";
}

/**
 * x [T·B, H] (what comes from the inputs, biases included), w [H, H], h [B, H]
 * → h after each step [T·B, H] and after the last [B, H]:
 * h′ = f(x + W h) (Elman, 1990).
 */
const rnnOp = defineOp<RnnAttrs>({
  name: "rnn",
  flops: recurrentFlops,
  infer: (inputs, attrs) => {
    checkRecurrent("rnn", inputs, 1, attrs);
    const [{ dtype, shape }, , h] = inputs as [Value, Value, Value];
    return [
      { dtype, shape },
      { dtype, shape: h.shape },
    ];
  },
  vjp: ({ inputs: [, w, h0], outputs: [hs], grads: [grad, gradLast], attrs }) => {
    const slope = attrs.nonlinearity === "tanh" ? tanhSlope(hs!) : cast(gt(hs!, 0), hs!.dtype);
    const [slopes, ofH] = [stepsOf(slope, attrs), grad && stepsOf(grad, attrs)];
    const before = new Array<Value>(attrs.steps);
    let back = gradLast!;
    for (const t of stepOrder(attrs).reverse()) {
      before[t] = mul(sumOf(ofH?.[t], back) ?? zerosLike(h0!), slopes[t]!);
      back = matmul(before[t], w!);
    }
    const dx = concat(before, 0);
    return [dx, matmul(dx, statesBefore(hs!, h0!, attrs), { transA: true }), back];
  },
  lower: ({ inputs: [x, w, h0], types, attrs, emit }) => {
    const parts = stepRows(emit, x!, attrs.steps, types[0]!.shape[0]!);
    const states = new Array<string>(attrs.steps);
    let h = h0!;
    for (const t of stepOrder(attrs)) {
      const sum = emit.node("Gemm", [h, w!, parts[t]!], { transB: { int: 1 } });
      h = states[t] = emit.node(attrs.nonlinearity === "tanh" ? "Tanh" : "Relu", [sum]);
    }
    return [joinRows(emit, states), h];
  },
});

/** h of a plain recurrent network after each step [T·B, H] and after the last [B, H]; see above for the operands. */
export const rnn = (x: Value, weight: Value, h: Value, attrs: RnnAttrs): readonly Value[] =>
  rnnOp([x, weight, h], attrs);
