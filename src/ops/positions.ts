/** Positions as ONNX's operators return them, made int32 where WebGPU cannot convert int64. */

import { dtypes } from "../graph/dtype.ts";
import type { Emitter } from "../graph/op.ts";

/** int64 positions below `size` as int32. WebGPU casts no int64, but takes it as an index: into 0, 1, 2, … */
export function positionsToInt32(emit: Emitter, positions: string, size: number): string {
  if (!emit.target.gpu) return emit.node("Cast", [positions], { to: { int: dtypes.int32.onnx } });
  return emit.node("Gather", [int32Range(emit, 0, size, 1), positions]);
}

/** start, start + step, … before (for negative steps: after) `end` as int32. */
export const int32Range = (emit: Emitter, start: number, end: number, step: number): string =>
  emit.node(
    "Range",
    [start, end, step].map((n) => emit.scalar("int32", n)),
  );
