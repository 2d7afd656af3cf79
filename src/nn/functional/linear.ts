/** Products with weights and rows of tables. */

import { formatShape, ShapeError } from "../../graph/shape.ts";
import { where } from "../../joining.ts";
import { indexSelect } from "../../ops/indexing.ts";
import { linear as linearValue } from "../../ops/matmul.ts";
import { derive, type Tensor } from "../../tensor.ts";
import { checkOptions } from "../../tensor/arguments.ts";
import { needIntegers, withoutNegatives } from "./positions.ts";

/** x Wᵀ + b; x [..., in], weight [out, in], bias [out]. */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  return derive(bias === null ? [x, weight] : [x, weight, bias], ([v, w, b]) =>
    linearValue(v!, w!, b ?? null),
  );
}

/** aᵀ W b + bias for each output; a [..., in1], b [..., in2], weight [out, in1, in2], bias [out]. */
export function bilinear(a: Tensor, b: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  const [out, in1, in2] = weight.shape as [number, number, number];
  const lead = a.shape.slice(0, -1);
  const fits =
    weight.ndim === 3 &&
    a.shape.at(-1) === in1 &&
    b.shape.at(-1) === in2 &&
    formatShape(lead) === formatShape(b.shape.slice(0, -1));
  if (!fits)
    throw new ShapeError(
      `bilinear: inputs ${formatShape(a.shape)} and ${formatShape(b.shape)} do not fit a weight ${formatShape(weight.shape)}, which is [out,in1,in2]`,
    );
  // [R, in1] · [in1, out·in2] → [R, out, in2]; then the sum over in2 with b.
  const left = a
    .reshape([-1, in1])
    .matmul(weight.permute([1, 0, 2]).reshape([in1, out * in2]))
    .reshape([-1, out, in2]);
  const y = left.matmul(b.reshape([-1, in2, 1])).reshape([...lead, out]);
  return bias === null ? y : y.add(bias);
}

/** Rows of weight [n, d] for indices of any shape: [..., d]. The row `paddingIdx` gets no gradient. */
export function embedding(
  indices: Tensor,
  weight: Tensor,
  options: { readonly paddingIdx?: number | null } = {},
): Tensor {
  const { paddingIdx = null } = checkOptions("embedding", options, ["paddingIdx"]);
  needIntegers("embedding", "indices", indices);
  const count = weight.shape[0] ?? 0;
  const found = withoutNegatives(indices, count);
  const rows = derive([weight, found], ([w, i]) => indexSelect(w!, 0, i!));
  if (paddingIdx === null) return rows;
  const row = paddingIdx < 0 ? paddingIdx + count : paddingIdx;
  if (!Number.isInteger(row) || row < 0 || row >= count)
    throw new ShapeError(
      `embedding: paddingIdx must be a row of the weight ${formatShape(weight.shape)}, got ${paddingIdx}`,
    );
  return where(indices.eq(row).unsqueeze(-1), rows.detach(), rows);
}
