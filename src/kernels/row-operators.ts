/** ONNX's operators on rows as steps of a formula: layer normalization, softmax and its logarithm. */

import { numel, type Shape } from "../graph/shape.ts";
import type { NodeProto } from "../onnx/proto.ts";
import { numberAttribute } from "./attributes.ts";
import type { Formula, Term } from "./formula.ts";
import { exp, log } from "./vector-math.ts";

type Builder = (f: Formula, node: NodeProto, operands: readonly Term[], columns: number) => Term[];

/** The elements of a row from its maximum on, and the sum of their exponentials. */
function shifted(
  f: Formula,
  x: Term,
): { readonly from: Term; readonly e: Term; readonly sum: Term } {
  const from = f.sub(x, f.reduce("max", x));
  const e = exp(f, from);
  return { from, e, sum: f.reduce("sum", e) };
}

const builders: Readonly<Record<string, Builder>> = {
  // y = (x − μ)·r·w + b with r = 1/√(variance + ε); μ and r are results too.
  LayerNormalization: (f, node, [x, w, b], columns) => {
    const mean = (values: Term): Term => f.mul(f.reduce("sum", values), f.constant(1 / columns));
    const mu = mean(x!);
    const centred = f.sub(x!, mu);
    const variance = mean(f.mul(centred, centred));
    const epsilon = f.constant(numberAttribute(node, "epsilon", 1e-5));
    const r = f.div(f.constant(1), f.sqrt(f.add(variance, epsilon)));
    const scaled = f.mul(f.mul(centred, r), w!);
    return [b === undefined ? scaled : f.add(scaled, b), mu, r];
  },
  Softmax: (f, _node, [x]) => {
    const { e, sum } = shifted(f, x!);
    return [f.mul(e, f.div(f.constant(1), sum))];
  },
  LogSoftmax: (f, _node, [x]) => {
    const { from, sum } = shifted(f, x!);
    return [f.sub(from, log(f, sum))];
  },
};

/** Whether kernels can have the operator. */
export const isRowOperator = ({ opType, domain = "" }: NodeProto): boolean =>
  domain === "" && opType in builders;

/** The length of rows that an operator works on; null where they are not one after the other. */
export function rowsOf(node: NodeProto, shape: Shape): number | null {
  const axis = numberAttribute(node, "axis", -1);
  const first = axis < 0 ? axis + shape.length : axis;
  // Softmax is along one dimension, layer normalization from one to the last.
  if (node.opType !== "LayerNormalization" && first !== shape.length - 1) return null;
  return numel(shape.slice(first));
}

/** The operator's results. */
export const applyToRows = (
  f: Formula,
  node: NodeProto,
  operands: readonly Term[],
  columns: number,
): readonly Term[] => builders[node.opType]!(f, node, operands, columns);
