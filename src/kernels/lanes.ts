/** Vectors of eight elements, of which only the first ones may be there. */

import type { Address, Assembler, Ymm } from "./assembler.ts";

/** Elements of a vector register. */
export const LANES = 8;

/** Ones in the bits of the first `lanes` elements. */
export const laneMask = (lanes: number): Uint32Array =>
  Uint32Array.from({ length: LANES }, (_, i) => (i < lanes ? 0xffffffff : 0));

/** Stores the first elements of a vector; `mask` is a register that may be overwritten. */
export function storeLanes(a: Assembler, to: Address, from: Ymm, lanes: number, mask: Ymm): void {
  if (lanes === 8) a.vstore(to, from);
  else if (lanes === 4) a.vstoreHalf(to, from);
  else if (lanes === 2) a.vstoreLow(to, from);
  else if (lanes === 1) a.vstoreOne(to, from);
  else {
    a.two("vmovups", mask, a.constant(laneMask(lanes)));
    a.vmaskStore(to, mask, from);
  }
}
