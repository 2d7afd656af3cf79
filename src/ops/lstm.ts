/** The long short-term memory over a sequence as one operation. */

import type { Value } from "../graph/node.ts";
import { defineOp } from "../graph/op.ts";
import { mul, tanh } from "./elementwise.ts";
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

/**
 * x [T·B, 4H] (what comes from the inputs, biases included), w [4H, S], h [B, S], c [B, H]
 * → h and c after each step [T·B, H] and after the last [B, H], and for the gradient σ(i, f) [T·B, 2H], tanh(g) and σ(o).
 * c′ = f c + i g, h′ = o tanh c′ (Hochreiter and Schmidhuber, 1997, with forget gates); gates in torch's order i, f, g, o.
 */
const lstmOp = defineOp<RecurrentAttrs>({
  name: "lstm",
  flops: recurrentFlops,
  infer: (inputs, attrs) => {
    const size = checkRecurrent("lstm", inputs, 4, attrs);
    const { dtype, shape } = inputs[0]!;
    const [rows, batch] = [shape[0]!, inputs[2]!.shape[0]!];
    const type = (height: number, width: number) => ({ dtype, shape: [height, width] });
    const states = [type(rows, size), type(rows, size), type(batch, size), type(batch, size)];
    return [...states, type(rows, 2 * size), type(rows, size), type(rows, size)];
  },
  vjp: ({ inputs: [, w, h0, c0], outputs, grads, attrs }) => {
    const [hs, cs, , , gatesIF, g, o] = outputs as [
      Value,
      Value,
      Value,
      Value,
      Value,
      Value,
      Value,
    ];
    const [gradH, gradC, gradLastH, gradLastC, gradIF, gradG, gradO] = grads;
    const size = g.shape[1]!;
    const [i, f] = split(gatesIF, [size, size], 1) as [Value, Value];
    const tanhC = tanh(cs);
    const rows = (x: Value | null): readonly Value[] | null => x && stepsOf(x, attrs);
    // What each gate's input changes: through c for i, f and g, through h for o; and c through h.
    const slopes = stepsOf(
      concat(
        [
          mul(g, sigmoidSlope(i)),
          mul(statesBefore(cs, c0!, attrs), sigmoidSlope(f)),
          mul(i, tanhSlope(g)),
          mul(tanhC, sigmoidSlope(o)),
        ],
        1,
      ),
      attrs,
    );
    const [slopeC, forget] = [stepsOf(mul(o, tanhSlope(tanhC)), attrs), stepsOf(f, attrs)];
    // Gradients of the gates themselves come from second derivatives only.
    const direct = [gradIF, gradG, gradO].some((grad) => grad !== null)
      ? stepsOf(
          concat(
            [
              mul(gradIF ?? zerosLike(gatesIF), sigmoidSlope(gatesIF)),
              mul(gradG ?? zerosLike(g), tanhSlope(g)),
              mul(gradO ?? zerosLike(o), sigmoidSlope(o)),
            ],
            1,
          ),
          attrs,
        )
      : null;
    const [ofH, ofC] = [rows(gradH!), rows(gradC!)];
    const gates = new Array<Value>(attrs.steps);
    let [backH, backC] = [gradLastH!, gradLastC!];
    for (const t of stepOrder(attrs).reverse()) {
      const dh = sumOf(ofH?.[t], backH) ?? zerosLike(c0!);
      const dc = sumOf(backC, mul(dh, slopeC[t]!), ofC?.[t])!;
      gates[t] = sumOf(mul(concat([dc, dc, dc, dh], 1), slopes[t]!), direct?.[t])!;
      backH = matmul(gates[t], w!);
      backC = mul(dc, forget[t]!);
    }
    const dx = concat(gates, 0);
    return [dx, matmul(dx, statesBefore(hs, h0!, attrs), { transA: true }), backH, backC];
  },
  lower: ({ inputs: [x, w, h0, c0], types, attrs, emit }) => {
    const size = types[3]!.shape[1]!;
    const parts = stepRows(emit, x!, attrs.steps, types[0]!.shape[0]!);
    const kept = Array.from({ length: 5 }, () => new Array<string>(attrs.steps));
    const pieces = (from: string, sizes: readonly number[]): readonly string[] =>
      emit.nodes("Split", [from, emit.ints(sizes)], sizes.length, { axis: { int: 1 } });
    let [h, c] = [h0!, c0!];
    for (const t of stepOrder(attrs)) {
      const gates = emit.node("Gemm", [h, w!, parts[t]!], { transB: { int: 1 } });
      const [beforeIF, beforeG, beforeO] = pieces(gates, [2 * size, size, size]);
      const gatesIF = emit.node("Sigmoid", [beforeIF!]);
      const [i, f] = pieces(gatesIF, [size, size]);
      const [g, o] = [emit.node("Tanh", [beforeG!]), emit.node("Sigmoid", [beforeO!])];
      c = emit.node("Add", [emit.node("Mul", [f!, c]), emit.node("Mul", [i!, g])]);
      h = emit.node("Mul", [o, emit.node("Tanh", [c])]);
      [h, c, gatesIF, g, o].forEach((name, k) => (kept[k]![t] = name));
    }
    const [hs, cs, ...gates] = kept.map((names) => joinRows(emit, names));
    return [hs!, cs!, h, c, ...gates];
  },
});

/** h and c of an LSTM after each step [T·B, H] and after the last [B, H]; see above for the operands. */
export function lstm(
  x: Value,
  weight: Value,
  h: Value,
  c: Value,
  attrs: RecurrentAttrs,
): readonly Value[] {
  return lstmOp([x, weight, h, c], attrs).slice(0, 4);
}
