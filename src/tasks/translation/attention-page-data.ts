/** Packs attention for its page: 2 bytes a weight, as base64 in JSON. */

import type { AttentionMaps, PairAttention } from "./pair-attention.ts";

type Tokens = "source" | "target" | "predicted";

/** One kind of attention as the page holds it. */
export interface PackedKind {
  readonly name: "encoder" | "decoder" | "cross";
  readonly title: string;
  /** Which tokens name the queries, and which the keys. */
  readonly queries: Tokens;
  readonly keys: Tokens;
  /** By layer and head: weights times 65535, rounded, as little-endian uint16 in base64, `[queries × keys]`. */
  readonly maps: readonly (readonly string[])[];
}

/** What stands in the page as JSON; kinds without layers are left out. */
export interface PageData {
  readonly tokens: Readonly<Record<Tokens, readonly string[]>>;
  readonly kinds: readonly PackedKind[];
}

const KINDS: readonly Omit<PackedKind, "maps">[] = [
  { name: "cross", title: "cross-attention", queries: "predicted", keys: "source" },
  { name: "encoder", title: "encoder self-attention", queries: "source", keys: "source" },
  { name: "decoder", title: "decoder self-attention", queries: "predicted", keys: "target" },
];

const LEVELS = 65535;
/** Float32 sums of exponentials divided by themselves may pass 1 by this much. */
const TOLERANCE = 1e-4;

/** @throws RangeError where the number of weights does not fit the tokens, or a weight is not between 0 and 1. */
export function packedAttention(attention: PairAttention): PageData {
  const { source, target, predicted } = attention;
  if (predicted.length !== target.length)
    throw new RangeError(
      `attentionPage: predicted must have a token for each of the ${target.length} tokens of target, got ${predicted.length}`,
    );
  const tokens = { source, target, predicted };
  const kinds = KINDS.flatMap((kind) => {
    const maps: AttentionMaps = attention[kind.name];
    if (maps.length === 0) return [];
    const [queries, keys] = [tokens[kind.queries].length, tokens[kind.keys].length];
    const packed = maps.map((heads, layer) =>
      heads.map((weights, head) =>
        pack(weights, { name: `${kind.name}[${layer}][${head}]`, queries, keys }),
      ),
    );
    return [{ ...kind, maps: packed }];
  });
  if (kinds.length === 0)
    throw new RangeError(
      "attentionPage: there is nothing to show, for encoder, decoder and cross have no layers",
    );
  return { tokens, kinds };
}

function pack(
  weights: Float32Array,
  {
    name,
    queries,
    keys,
  }: { readonly name: string; readonly queries: number; readonly keys: number },
): string {
  if (weights.length !== queries * keys)
    throw new RangeError(
      `attentionPage: ${name} must hold ${queries} queries × ${keys} keys = ${queries * keys} weights, got ${weights.length}`,
    );
  const bytes = new Uint8Array(2 * weights.length);
  weights.forEach((weight, i) => {
    if (!(weight >= 0 && weight <= 1 + TOLERANCE))
      throw new RangeError(
        `attentionPage: weights must lie between 0 and 1, got ${weight} in ${name} for query ${Math.floor(i / keys)}, key ${i % keys}`,
      );
    const level = Math.round(Math.min(weight, 1) * LEVELS);
    bytes[2 * i] = level & 255;
    bytes[2 * i + 1] = level >> 8;
  });
  return base64(bytes);
}

/** Bytes of a chunk; calls cannot have arguments without end. */
const CHUNK = 8192;

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let from = 0; from < bytes.length; from += CHUNK)
    binary += String.fromCharCode(...bytes.subarray(from, from + CHUNK));
  return btoa(binary);
}
