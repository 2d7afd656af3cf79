/** All parameters as one vector, and back. */

import { ShapeError } from "../graph/shape.ts";
import { cat } from "../joining.ts";
import type { Tensor } from "../tensor.ts";
import { noGrad } from "../trace.ts";

/** Elements of tensors one behind the other, [count]: torch.nn.utils.parameters_to_vector. */
export const parametersToVector = (parameters: readonly Tensor[]): Tensor =>
  cat(parameters.map((parameter) => parameter.reshape(-1)));

/** Gives parameters the elements of a vector, in order: torch.nn.utils.vector_to_parameters. */
export function vectorToParameters(vector: Tensor, parameters: readonly Tensor[]): void {
  const sizes = parameters.map(({ size }) => size);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (vector.ndim !== 1 || vector.size !== total)
    throw new ShapeError(
      `vectorToParameters: the parameters need a vector of ${total} elements, got [${vector.shape.join()}]`,
    );
  noGrad(() =>
    vector
      .split(sizes)
      .forEach((part, i) =>
        parameters[i]!.assign(part.reshape(parameters[i]!.shape).cast(parameters[i]!.dtype)),
      ),
  );
}
