/** Padding: brings encodings to one length. */
import { checkOptions } from "../../tensor/arguments.ts";
import { addedTokens, type Draft, joinDrafts } from "./encoding.ts";
import { JsonField } from "./json.ts";
import { type Direction, DIRECTIONS } from "./truncation.ts";

/** How encodings are brought to one length: {@link Tokenizer.padding}. */
export interface Padding {
  /** The length of all encodings, or that of the longest of a batch. */
  readonly length: number | "longest";
  readonly direction: Direction;
  /** The length is rounded up to a multiple of this; 0 or null does not. */
  readonly padToMultipleOf: number | null;
  readonly padId: number;
  readonly padTypeId: number;
  readonly padToken: string;
}

/** Options of {@link Tokenizer.enablePadding}; defaults are Python's. */
export interface PaddingOptions {
  /** The length of all encodings, or that of the longest of a batch, which is the default. */
  readonly length?: number | "longest";
  /** Where padding goes; "Right" unless given. */
  readonly direction?: Direction;
  /** The length is rounded up to a multiple of this; null, the default, does not. */
  readonly padToMultipleOf?: number | null;
  /** Id of the token that encodings are filled up with; 0 unless given. */
  readonly padId?: number;
  /** 0 unless given. */
  readonly padTypeId?: number;
  /** That token; "[PAD]" unless given. */
  readonly padToken?: string;
}

const OPTIONS = ["length", "direction", "padToMultipleOf", "padId", "padTypeId", "padToken"];

/** Padding by options, with the defaults of Python's `enable_padding`. */
export function paddingBy(options: PaddingOptions): Padding {
  const {
    length = "longest",
    direction = "Right",
    padToMultipleOf = null,
    padId = 0,
    padTypeId = 0,
    padToken = "[PAD]",
  } = checkOptions("Tokenizer.enablePadding", options, OPTIONS);
  return { length, direction, padToMultipleOf, padId, padTypeId, padToken };
}

/** A copy of what is none but padding. @throws TypeError for unknown names, DataError naming the field */
export function checkedPadding(value: Padding): Padding {
  const op = "Tokenizer.padding";
  checkOptions(op, value, OPTIONS);
  return readPadding(new JsonField(paddingJson(value), op));
}

/** Longest padding that is read from a file, in tokens: one number must not fill the memory. */
const MAX_LENGTH = 10_000_000;

/** Reads the `padding` of a `tokenizer.json`. @throws DataError naming the field. */
export function readPadding(field: JsonField): Padding {
  const multiple = field.get("pad_to_multiple_of");
  return {
    length: readLength(field.get("strategy")),
    direction: field.get("direction").oneOf(...DIRECTIONS),
    padToMultipleOf: multiple.missing ? null : limited(multiple),
    padId: field.get("pad_id").count(),
    padTypeId: field.get("pad_type_id").count(),
    padToken: field.get("pad_token").string(),
  };
}

function readLength(strategy: JsonField): number | "longest" {
  if (strategy.value === "BatchLongest") return "longest";
  if (typeof strategy.value !== "object")
    strategy.fail(`expected "BatchLongest" or { "Fixed": length }, got ${strategy.found}`);
  return limited(strategy.get("Fixed"));
}

function limited(field: JsonField): number {
  const length = field.count();
  if (length > MAX_LENGTH) field.fail(`expected at most ${MAX_LENGTH}, got ${length}`);
  return length;
}

/** The `padding` of a `tokenizer.json`. */
export const paddingJson = (padding: Padding): Record<string, unknown> => ({
  strategy: padding.length === "longest" ? "BatchLongest" : { Fixed: padding.length },
  direction: padding.direction,
  pad_to_multiple_of: padding.padToMultipleOf,
  pad_id: padding.padId,
  pad_type_id: padding.padTypeId,
  pad_token: padding.padToken,
});

/** Pads the encodings of a batch, and what overflowed of each, to one length; longer ones stay as they are. */
export function pad(drafts: readonly Draft[], padding: Padding): Draft[] {
  let length = padding.length === "longest" ? 0 : padding.length;
  if (padding.length === "longest")
    for (const { ids } of drafts) length = Math.max(length, ids.length);
  const multiple = padding.padToMultipleOf ?? 0;
  if (multiple > 0) length = Math.ceil(length / multiple) * multiple;
  return drafts.map((draft) => padTo(draft, length, padding));
}

function padTo(draft: Draft, length: number, padding: Padding): Draft {
  const overflowing = draft.overflowing.map((rest) => padTo(rest, length, padding));
  const count = length - draft.ids.length;
  if (count <= 0) return { ...draft, overflowing };
  const fill = addedTokens(
    new Array<string>(count).fill(padding.padToken),
    new Array<number>(count).fill(padding.padId),
    padding.padTypeId,
    0,
  );
  const bare = { ...draft, overflowing: [] };
  return {
    ...joinDrafts(padding.direction === "Left" ? [fill, bare] : [bare, fill]),
    overflowing,
  };
}
