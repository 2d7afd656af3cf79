/** A tokenizer of the user's, for `translate train --tokenizer`: whether a translator can be trained with it, and what it loses. */
import { DataError } from "../data/errors.ts";
import type { SentencePair } from "../tasks/translation/pairs.ts";
import { specialIds } from "../tasks/translation/special-tokens.ts";
import type { Tokenizer } from "../text/tokenizer/tokenizer.ts";
import { samplePairs } from "./translate-data.ts";

/** @throws DataError where it has not the tokens that a translator needs. */
export async function ownTokenizer(
  file: string,
  load: (file: string) => Promise<Tokenizer>,
): Promise<Tokenizer> {
  const tokenizer = await load(file);
  try {
    specialIds(tokenizer);
    return tokenizer;
  } catch (error) {
    throw new DataError({ file }, error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
}

/** Enough to show what a tokenizer loses, and done in a moment. */
const SAMPLE = 1000;
const SHOWN = 60;

/** Words for targets that their tokens do not give back, of 1,000 at most; null where all come back. */
export function lossNote(tokenizer: Tokenizer, pairs: readonly SentencePair[]): string | null {
  const sample = samplePairs(pairs, SAMPLE).map(({ target }) => {
    const { ids } = tokenizer.encode(target, { addSpecialTokens: false });
    return { target, back: tokenizer.decode(ids) };
  });
  const lost = sample.filter(({ target, back }) => back.trim() !== target.trim());
  const first = lost[0];
  if (first === undefined) return null;
  const [was, is] = [first.target, first.back].map((text) =>
    JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text),
  );
  return `the tokenizer loses something of ${lost.length} of ${sample.length} targets, which cannot be written with it: ${was} comes back as ${is}`;
}
