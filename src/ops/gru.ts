/** The gated recurrent unit over a sequence as one operation. */

import type { Value } from "../graph/node.ts";
import { defineOp } from "../graph/op.ts";
import { add, mul, sub } from "./elementwise.ts";
import { zerosLike } from "./leaf.ts";
import { matmul } from "./matmul.ts";
import {
  checkRecurrent,
  joinRows,
  recurrentFlops,
  sigmoidSlope,
  statesBefore,
  stepOrder,
  stepRows,
  stepsOf,
  sumOf,
  tanhSlope,
  type RecurrentAttrs,
} from "./recurrent.ts";
import { concat } from "./shape.ts";
import { split } from "./split.ts";
import { sum } from "./sum.ts";

/**
 * x [T·B, 3H] (what comes from the inputs, their biases included), w [3H, H], h [B, H], bias of the recurrent part [3H]
 * → h after each step [T·B, H] and after the last [B, H], and for the gradient σ(r, z) [T·B, 2H], n and m [T·B, H].
 * m = W_n h + b_n, n = tanh(x_n + r m), h′ = n + z (h − n) (Cho et al., 2014, as torch has it); gates in the order r, z, n.
 */
const gruOp = defineOp<RecurrentAttrs>({
  name: "gru",
  flops: recurrentFlops,
  infer: (inputs, attrs) => {
    const size = checkRecurrent("gru", inputs, 3, attrs);
    const { dtype, shape } = inputs[0]!;
    const [rows, batch] = [shape[0]!, inputs[2]!.shape[0]!];
    const type = (height: number, width: number) => ({ dtype, shape: [height, width] });
    const states = [type(rows, size), type(batch, size)];
    return [...states, type(rows, 2 * size), type(rows, size), type(rows, size)];
  },
  vjp: ({ inputs: [, w, h0], outputs, grads: [gradH, gradLast, gradRZ, gradN, gradM], attrs }) => {
    const [hs, , gatesRZ, n, m] = outputs as [Value, Value, Value, Value, Value];
    const size = n.shape[1]!;
    const [r, z] = split(gatesRZ, [size, size], 1) as [Value, Value];
    const before = statesBefore(hs, h0!, attrs);
    // What the gates' inputs change: of n directly, of r through n, of z directly; the recurrent part reaches n through r.
    const slopeN = mul(sub(1, z), tanhSlope(n));
    const slopeZ = mul(sub(before, n), sigmoidSlope(z));
    const slopeR = mul(mul(slopeN, m), sigmoidSlope(r));
    const slopes = stepsOf(concat([slopeR, slopeZ, mul(slopeN, r)], 1), attrs);
    const keep = stepsOf(z, attrs);
    // Gradients of the gates themselves come from second derivatives only.
    const some = [gradRZ, gradN, gradM].some((grad) => grad !== null);
    const directN = some ? mul(gradN ?? zerosLike(n), tanhSlope(n)) : null;
    const directGates = (): Value => {
      const ofRZ = add(gradRZ ?? zerosLike(gatesRZ), concat([mul(directN!, m), zerosLike(z)], 1));
      const ofM = add(gradM ?? zerosLike(m), mul(directN!, r));
      return concat([mul(ofRZ, sigmoidSlope(gatesRZ)), ofM], 1);
    };
    const direct = some ? stepsOf(directGates(), attrs) : null;
    const ofH = gradH && stepsOf(gradH, attrs);
    const [states, gates] = [new Array<Value>(attrs.steps), new Array<Value>(attrs.steps)];
    let back = gradLast!;
    for (const t of stepOrder(attrs).reverse()) {
      const dh = sumOf(ofH?.[t], back) ?? zerosLike(h0!);
      states[t] = dh;
      gates[t] = sumOf(mul(concat([dh, dh, dh], 1), slopes[t]!), direct?.[t])!;
      back = add(matmul(gates[t], w!), mul(dh, keep[t]!));
    }
    const recurrent = concat(gates, 0);
    const [ofRZ] = split(recurrent, [2 * size, size], 1);
    const ofN = mul(concat(states, 0), slopeN);
    const dx = concat([ofRZ!, sumOf(ofN, directN)!], 1);
    return [dx, matmul(recurrent, before, { transA: true }), back, sum(recurrent, 0)];
  },
  lower: ({ inputs: [x, w, h0, bias], types, attrs, emit }) => {
    const size = types[2]!.shape[1]!;
    const pieces = (from: string): readonly string[] =>
      emit.nodes("Split", [from, emit.ints([2 * size, size])], 2, { axis: { int: 1 } });
    const rows = types[0]!.shape[0]!;
    const [xRZ, xN] = pieces(x!).map((part) => stepRows(emit, part, attrs.steps, rows));
    const kept = Array.from({ length: 4 }, () => new Array<string>(attrs.steps));
    let h = h0!;
    for (const t of stepOrder(attrs)) {
      const [fromRZ, m] = pieces(emit.node("Gemm", [h, w!, bias!], { transB: { int: 1 } }));
      const gates = emit.node("Sigmoid", [emit.node("Add", [xRZ![t]!, fromRZ!])]);
      const [r, z] = emit.nodes("Split", [gates, emit.ints([size, size])], 2, { axis: { int: 1 } });
      const n = emit.node("Tanh", [emit.node("Add", [xN![t]!, emit.node("Mul", [r!, m!])])]);
      h = emit.node("Add", [n, emit.node("Mul", [z!, emit.node("Sub", [h, n])])]);
      [h, gates, n, m!].forEach((name, k) => (kept[k]![t] = name));
    }
    const [hs, ...gates] = kept.map((names) => joinRows(emit, names));
    return [hs!, h, ...gates];
  },
});

/** h of a GRU after each step [T·B, H] and after the last [B, H]; see above for the operands. */
export const gru = (
  x: Value,
  weight: Value,
  h: Value,
  bias: Value,
  attrs: RecurrentAttrs,
): readonly Value[] => gruOp([x, weight, h, bias], attrs).slice(0, 2);
