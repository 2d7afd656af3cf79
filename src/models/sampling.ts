/** Drawing tokens at random from logits, compiled into a step of decoding. */

import { full, zeros } from "../creation.ts";
import { where } from "../joining.ts";
import { rand, type Generator } from "../random.ts";
import type { Tensor } from "../tensor.ts";
import { BLOCKED } from "./decoder-parts.ts";

/** From which distribution tokens are drawn. */
export interface Sampling {
  /** Logits are divided by it: below 1 likely tokens become likelier. */
  readonly temperature: number;
  /** Only so many of the likeliest; null: all. */
  readonly topK: number | null;
  /** Only the fewest likeliest whose probabilities reach this sum (Holtzman et al., 2020); 1: all. */
  readonly topP: number;
  readonly generator: Generator;
}

/** logits [R, V] → int32 tokens [R, 1], and their log-probabilities by the logits as they are, [R, 1]. */
export function draw(
  logits: Tensor,
  { temperature, topK, topP, generator }: Sampling,
): readonly [scores: Tensor, tokens: Tensor] {
  const [rows, classes] = logits.shape as [number, number];
  const scaled = logits.div(temperature);
  const k = Math.min(topK ?? classes, classes);
  let tokens: Tensor;
  if (k === classes && topP === 1) tokens = gumbel(scaled, generator);
  else {
    const { values, indices } = scaled.topk(k, { dim: 1 });
    const likely = values.softmax(-1);
    // What comes before a token in order falls short of topP; the first always does.
    const before = likely.cumsum(1).sub(likely);
    const kept = topP < 1 ? where(before.lt(topP), values, full([rows, k], BLOCKED)) : values;
    tokens = indices.gather(1, gumbel(kept, generator));
  }
  return [logits.sub(logits.logsumexp(1).unsqueeze(1)).gather(1, tokens), tokens];
}

/** argmax(x + g) with Gumbel noise g draws from softmax(x) (Gumbel, 1954): [R, 1]. */
function gumbel(x: Tensor, generator: Generator): Tensor {
  const noise = rand(x.shape, { generator }).maximum(zeros([]).add(1e-30)).log().neg().log().neg();
  return x.add(noise).argmax(1).unsqueeze(1);
}
