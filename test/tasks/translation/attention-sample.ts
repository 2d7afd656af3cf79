/** Attention of a made-up pair, whose tokens try to break a page. */

import type {
  AttentionMaps,
  PairAttention,
} from "../../../src/tasks/translation/pair-attention.ts";

export const EVIL = `</script><script>alert("1")</script> & 'b'\u0007`;

/** Softmax of numbers that differ by layer, head and place; the decoder looks at nothing to come. */
function maps([queries, keys]: readonly [number, number], { causal = false } = {}): AttentionMaps {
  return [0, 1].map((layer) =>
    [0, 1, 2].map((head) => {
      const weights = new Float32Array(queries * keys);
      for (let q = 0; q < queries; q += 1) {
        const row = Array.from({ length: keys }, (_, k) =>
          causal && k > q ? 0 : Math.exp((head + 1) * Math.sin(1 + layer + q * (k + 2))),
        );
        const sum = row.reduce((a, b) => a + b);
        row.forEach((value, k) => (weights[q * keys + k] = value / sum));
      }
      return weights;
    }),
  );
}

export function samplePair(): PairAttention {
  const source = ["I", " like", EVIL, "\ud800", "</s>"];
  const target = ["<s>", "אני", "日本語", "\u202eevil"];
  return {
    sourceText: `I like ${EVIL}`,
    targetText: "אני日本語",
    source,
    target,
    predicted: [...target.slice(1), "</s>"],
    encoder: maps([5, 5]),
    decoder: maps([4, 4], { causal: true }),
    cross: maps([4, 5]),
  };
}
