/** Methods of a tensor that convert its elements to another dtype, by the names PyTorch has for them. */

import { checkDType, dtypes, type DType } from "../graph/dtype.ts";
import type { Tensor } from "../tensor.ts";
import { TensorCore } from "./core.ts";

import { ReductionMethods } from "./reductions.ts";

export abstract class ConversionMethods extends ReductionMethods {
  // ---- dtypes ----------------------------------------------------------------------------------------------------

  /** Converts to a dtype, or to that of another tensor. Devices are chosen for all tensors at once, by `setDevice`. */
  to(target: DType | TensorCore): Tensor {
    if (target instanceof TensorCore) return this.cast(target.dtype);
    if (!Object.hasOwn(dtypes, target) && /^(cpu|cuda|gpu|mps|wasm|webgpu)/.test(String(target)))
      throw new TypeError(
        `to: tensors have no device of their own, got "${target}"; use await setDevice("cpu" | "webgpu" | "wasm") for all of them`,
      );
    return this.cast(checkDType("to", target));
  }

  /** Converts to the dtype of another tensor. */
  typeAs(other: TensorCore): Tensor {
    return this.cast(other.dtype);
  }

  /** As float32. */
  float(): Tensor {
    return this.cast("float32");
  }

  /** As float64. */
  double(): Tensor {
    return this.cast("float64");
  }

  /** As float16, which holds elements and computes nothing. */
  half(): Tensor {
    return this.cast("float16");
  }

  /** As int32. */
  int(): Tensor {
    return this.cast("int32");
  }

  /** As int64. */
  long(): Tensor {
    return this.cast("int64");
  }

  /** As bool: anything but 0 is true. */
  bool(): Tensor {
    return this.cast("bool");
  }
}
