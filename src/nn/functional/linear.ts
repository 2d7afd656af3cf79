/** Products with weights and rows of tables. */

import { indexSelect } from "../../ops/indexing.ts";
import { linear as linearValue } from "../../ops/matmul.ts";
import { derive, type Tensor } from "../../tensor.ts";
import { needIntegers, withoutNegatives } from "./positions.ts";

/** x Wᵀ + b; x [..., in], weight [out, in], bias [out]. */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  return derive(bias === null ? [x, weight] : [x, weight, bias], ([v, w, b]) =>
    linearValue(v!, w!, b ?? null),
  );
}

/** Rows of weight [n, d] for indices of any shape: [..., d]. */
export function embedding(indices: Tensor, weight: Tensor): Tensor {
  needIntegers("embedding", "indices", indices);
  const rows = withoutNegatives(indices, weight.shape[0] ?? 0);
  return derive([weight, rows], ([w, i]) => indexSelect(w!, 0, i!));
}
