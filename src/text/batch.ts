/** Batches of encoded texts for a model: padded ids, and the masks of what is padding and of what lies ahead. */

import { padSequences, type PadOptions } from "../data/pad-sequences.ts";
import type { Collate } from "../data/collate.ts";
import { future } from "../nn/functional/attention.ts";
import type { Tensor } from "../tensor.ts";
import { checkOptions } from "../tensor/arguments.ts";
import type { Encoding } from "./tokenizer/encoding.ts";

/** bool, of the shape of `ids`: true where they are `padId`, as attention's `keyPaddingMask` and `srcKeyPaddingMask` want it. */
export function paddingMask(ids: Tensor, padId: number): Tensor {
  checkId("paddingMask", padId);
  return ids.eq(padId);
}

/**
 * bool [T, T], true above the diagonal: position t must not attend to later ones. For attention's `attnMask` and `tgtMask`,
 * which `isCausal` and `tgtIsCausal` stand for where nothing else is masked.
 */
export function lookAheadMask(length: number): Tensor {
  if (!Number.isInteger(length) || length < 0)
    throw new RangeError(`lookAheadMask: length must be a whole number, got ${String(length)}`);
  return future(length, length);
}

/** A batch of encodings, padded to one length. */
export interface EncodingBatch {
  /** int32 [B, T]. */
  readonly ids: Tensor;
  /** int32 [B, T]: 1 for tokens of the second text of a pair; 0 for padding. */
  readonly typeIds: Tensor;
  /** bool [B, T], true for padding: what the encodings' `attentionMask` says, turned round. */
  readonly paddingMask: Tensor;
  /** bool [T, T], true for what lies ahead. */
  readonly lookAheadMask: Tensor;
}

/** Options of {@link collateEncodings}. */
export interface CollateEncodingsOptions extends Pick<
  PadOptions,
  "boundaries" | "padToMultipleOf" | "side"
> {
  /** Id of the token that encodings are filled up with. */
  readonly padId: number;
}

/** A batch of encodings that no loader has chosen; `indices` name them in errors, by their places unless given. */
export type CollateAlone = (
  encodings: readonly Encoding[],
  indices?: readonly number[],
) => Promise<EncodingBatch>;

/**
 * A `collate` for a DataLoader over what {@link Tokenizer.encode} gives: ids and masks, padded as `padSequences` pads. With
 * `lengthOf: ({ ids }) => ids.length` batches are of like lengths, and little is padding. Long texts are for the tokenizer
 * to cut (`tokenizer.enableTruncation`), which knows what special tokens end them.
 * @throws RangeError for a batch with an encoding beyond the last boundary
 */
export function collateEncodings(
  options: CollateEncodingsOptions,
): Collate<Encoding, EncodingBatch> & CollateAlone {
  const op = "collateEncodings";
  const known = ["padId", "boundaries", "padToMultipleOf", "side"];
  const { padId, ...lengths } = checkOptions(op, options, known);
  checkId(op, padId);
  const pad = padSequences<ReturnType<typeof rowOf>>({
    ...lengths,
    value: { ids: padId, paddingMask: 1 },
    dtypes: { paddingMask: "bool" },
  });
  const join: CollateAlone = async (encodings, indices) => {
    if (!Array.isArray(encodings))
      throw new TypeError(`${op}: expected an array of encodings, got an ${typeof encodings}`);
    const batch = await pad(encodings.map(rowOf), indices ?? [...encodings.keys()]);
    return { ...batch, lookAheadMask: lookAheadMask(batch.ids.shape[1]!) };
  };
  return Object.assign(join, {
    paddedLength: pad.paddedLength!,
    measure: (encodings: readonly Encoding[]) => pad.measure!(encodings.map(rowOf)),
  });
}

const rowOf = ({ ids, typeIds, attentionMask }: Encoding) => ({
  ids,
  typeIds,
  paddingMask: attentionMask.map((bit) => bit === 0),
});

function checkId(op: string, padId: number): void {
  if (!Number.isInteger(padId) || padId < 0)
    throw new RangeError(
      `${op}: padId must be the id of the token for padding, got ${String(padId)}; tokenizer.tokenToId("[PAD]") gives it`,
    );
}
