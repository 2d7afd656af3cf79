/** Decoding with this library: one batch from sources to targets. */
import { tensor } from "../src/index.ts";
import { EncoderDecoder, generate } from "../src/models/index.ts";
import { integers, startingValue } from "./fixed-data.ts";
import { sampled, type Prepared } from "./serve.ts";
import type { DecodeWorkload } from "./workloads.ts";

/** Ids of lengths from `shortest` to `longest`; the first three ids are padding, start and end. */
function sourcesOf(w: DecodeWorkload): Int32Array[] {
  const { batch, shortest, longest, vocabulary } = w;
  const ids = integers(w.inputSeed, batch * longest, vocabulary - 3).map((id) => id + 3);
  const lengths = integers(w.targetSeed, batch, longest - shortest + 1);
  return Array.from({ length: batch }, (_, row) => {
    const length = row === 0 ? longest : shortest + lengths[row]!;
    return ids.subarray(row * longest, row * longest + length);
  });
}

/** The value read is the mean score; all scores are left behind (ids of equal ones may differ by rounding). */
export function decode(w: DecodeWorkload): Prepared {
  const model = new EncoderDecoder({
    ...{ vocabSize: w.vocabulary, padId: w.padId, dModel: w.dModel, nhead: w.heads },
    ...{ numEncoderLayers: w.layers, numDecoderLayers: w.layers, dimFeedforward: w.feedforward },
    ...{ dropout: 0, maxLength: 128 },
  });
  const state = w.parameters.map(
    (spec) => [spec.name, tensor(startingValue(spec), { shape: spec.shape })] as const,
  );
  model.loadStateDict(Object.fromEntries(state));
  model.eval();
  const sources = sourcesOf(w);
  const { bosId, eosId, beams, generated } = w;
  const options = { bosId, eosId, beams, maxLength: generated, minLength: generated };
  let scores: number[] = [];
  return {
    step: async () => {
      const found = await generate(model, sources, options);
      scores = found.map(({ score }) => score);
      return scores.reduce((sum, score) => sum + score, 0) / scores.length;
    },
    sample: () => Promise.resolve([sampled(scores)]),
  };
}
