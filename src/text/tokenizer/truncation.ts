/** Truncation: cuts encodings to a greatest length, keeping what was cut off as overflowing encodings. */
import { checkOptions } from "../../tensor/arguments.ts";
import { type Draft, emptyDraft, sliceDraft } from "./encoding.ts";
import { JsonField } from "./json.ts";

const TRUNCATION_STRATEGIES = ["LongestFirst", "OnlyFirst", "OnlySecond"] as const;
export const DIRECTIONS = ["Left", "Right"] as const;

export type Direction = (typeof DIRECTIONS)[number];

/** How encodings are cut to a greatest length: {@link Tokenizer.truncation}. */
export interface Truncation {
  /** Most tokens that are kept, those which a post-processor adds included. */
  readonly maxLength: number;
  /** How many tokens an overflowing encoding repeats of the one before. */
  readonly stride: number;
  /** Which text of a pair is cut. */
  readonly strategy: (typeof TRUNCATION_STRATEGIES)[number];
  /** The end that is cut. */
  readonly direction: Direction;
}

/** Options of {@link Tokenizer.enableTruncation}; defaults are Python's. */
export interface TruncationOptions {
  /** How many tokens an overflowing encoding repeats of the one before; 0 unless given. */
  readonly stride?: number;
  /** Which text of a pair is cut; "LongestFirst" unless given. */
  readonly strategy?: Truncation["strategy"];
  /** The end that is cut; "Right" unless given. */
  readonly direction?: Direction;
}

const OPTIONS = ["stride", "strategy", "direction"];

/** Truncation by options, with the defaults of Python's `enable_truncation`. */
export function truncationBy(maxLength: number, options: TruncationOptions): Truncation {
  const {
    stride = 0,
    strategy = "LongestFirst",
    direction = "Right",
  } = checkOptions("Tokenizer.enableTruncation", options, OPTIONS);
  return { maxLength, stride, strategy, direction };
}

/** A copy of what is none but truncation. @throws TypeError for unknown names, DataError naming the field */
export function checkedTruncation(value: Truncation): Truncation {
  const op = "Tokenizer.truncation";
  checkOptions(op, value, ["maxLength", ...OPTIONS]);
  return readTruncation(new JsonField(truncationJson(value), op));
}

/** Reads the `truncation` of a `tokenizer.json`. @throws DataError naming the field. */
export function readTruncation(field: JsonField): Truncation {
  const direction = field.get("direction");
  return {
    maxLength: field.get("max_length").count(),
    stride: field.get("stride").count(),
    strategy: field.get("strategy").oneOf(...TRUNCATION_STRATEGIES),
    direction: direction.missing ? "Right" : direction.oneOf(...DIRECTIONS),
  };
}

/** The `truncation` of a `tokenizer.json`. */
export const truncationJson = (truncation: Truncation): Record<string, unknown> => ({
  direction: truncation.direction,
  max_length: truncation.maxLength,
  strategy: truncation.strategy,
  stride: truncation.stride,
});

/**
 * Cuts the texts of one input to `maxLength` tokens together.
 * @throws RangeError when the strategy's text is not there or too short to be cut enough.
 */
export function truncate(drafts: readonly Draft[], options: Truncation): Draft[] {
  const { maxLength, strategy } = options;
  const lengths = drafts.map(({ ids }) => ids.length);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total <= maxLength) return [...drafts];
  if (maxLength === 0 || drafts.length === 0) return drafts.map((draft) => cut(draft, 0, options));
  const [first = 0, second] = lengths;
  if (strategy === "LongestFirst") {
    const targets = second === undefined ? [maxLength] : shared(first, second, maxLength);
    return drafts.map((draft, i) => cut(draft, targets[i] ?? 0, options));
  }
  const index = strategy === "OnlyFirst" ? 0 : 1;
  const length = lengths[index];
  if (length === undefined)
    throw new RangeError(
      "Tokenizer.encode: truncation OnlySecond needs a pair of texts, got one; pass pair or choose LongestFirst",
    );
  const target = length - (total - maxLength);
  if (target <= 0)
    throw new RangeError(
      `Tokenizer.encode: truncation ${strategy} would have to cut ${total - maxLength} tokens of a text of ${length}; choose LongestFirst or a greater maxLength`,
    );
  return drafts.map((draft, i) => (i === index ? cut(draft, target, options) : draft));
}

/** Lengths of two texts such that the longer is cut first. */
function shared(first: number, second: number, maxLength: number): [number, number] {
  const shorter = Math.min(first, second);
  let low = shorter;
  let high = shorter > maxLength ? shorter : Math.max(shorter, maxLength - shorter);
  if (low + high > maxLength) {
    low = Math.floor(maxLength / 2);
    high = low + (maxLength % 2);
  }
  return first > second ? [high, low] : [low, high];
}

function cut(draft: Draft, maxLength: number, { stride, direction }: Truncation): Draft {
  const { length } = draft.ids;
  if (length <= maxLength) return draft;
  if (maxLength === 0) return { ...emptyDraft(), overflowing: [draft] };
  if (stride >= maxLength)
    throw new RangeError(
      `Tokenizer.encode: truncation stride ${stride} must be below the ${maxLength} tokens that a text keeps`,
    );
  const step = maxLength - stride;
  const parts: Draft[] = [];
  for (let at = 0, done = false; !done; at += step) {
    const start = direction === "Right" ? at : Math.max(0, length - at - maxLength);
    const end = direction === "Right" ? Math.min(at + maxLength, length) : length - at;
    parts.push(sliceDraft(draft, start, end));
    done = direction === "Right" ? end === length : start === 0;
  }
  const [kept, ...overflowing] = parts;
  return { ...(kept as Draft), overflowing };
}
