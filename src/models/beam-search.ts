/** Beam search of one sample: which hypotheses are finished, and when no better one can follow. */

/** A way to continue one of the hypotheses. */
export interface Candidate {
  /** Log-probability of the whole hypothesis. */
  readonly score: number;
  readonly token: number;
  /** The hypothesis it continues. */
  readonly parent: number;
}

/** A finished hypothesis. */
export interface Hypothesis {
  /** Without the end. */
  readonly ids: number[];
  /** Sum of the tokens' log-probabilities, end included, divided by their number to the power of the length penalty. */
  readonly score: number;
  /** False where the most tokens allowed came before the end. */
  readonly complete: boolean;
}

export interface BeamOptions {
  readonly beams: number;
  readonly lengthPenalty: number;
  /**
   * When a sample with as many finished hypotheses as beams is done: true, at once; false, when the best open one would not be
   * better if it ended now; "never", when none could become better up to `maxLength`.
   */
  readonly earlyStopping: boolean | "never";
  readonly endId: number | null;
  /** Most tokens, the end included. */
  readonly maxLength: number;
}

/** The tokens of a hypothesis, last first. */
interface Chain {
  readonly token: number;
  readonly before: Chain | null;
}

/** As transformers' `generate` with beams: the same hypotheses finish, and the same scores order them. */
export class BeamSearch {
  readonly #options: BeamOptions;
  #open: (Chain | null)[];
  /** Best first, at most as many as beams. */
  #finished: Hypothesis[] = [];
  #length = 0;
  #done = false;

  constructor(options: BeamOptions) {
    this.#options = options;
    this.#open = new Array<null>(options.beams).fill(null);
  }

  get done(): boolean {
    return this.#done;
  }

  /** Best first. */
  get finished(): readonly Hypothesis[] {
    return this.#finished;
  }

  /** Takes the 2 · beams best continuations in order. */
  advance(candidates: readonly Candidate[]): void {
    if (this.#done) return;
    const { beams, endId, maxLength, lengthPenalty, earlyStopping } = this.#options;
    this.#length++;
    const scale = this.#length ** lengthPenalty;
    const last = this.#length >= maxLength;
    const chain = ({ token, parent }: Candidate): Chain => ({
      token,
      before: this.#open[parent]!,
    });
    // Those behind the first K only keep enough hypotheses open.
    const ended = candidates.slice(0, beams).filter(({ token }) => last || token === endId);
    const finished = ended.map((candidate) => ({
      ids: idsOf(candidate.token === endId ? this.#open[candidate.parent]! : chain(candidate)),
      score: candidate.score / scale,
      complete: candidate.token === endId,
    }));
    this.#finished = [...this.#finished, ...finished]
      .sort((a, b) => b.score - a.score)
      .slice(0, beams);
    const open = candidates.filter(({ token }) => token !== endId).slice(0, beams);
    this.#open = open.map(chain);

    const isFull = this.#finished.length === beams;
    const longest = earlyStopping === "never" && lengthPenalty > 0 ? maxLength : this.#length;
    const hope = (open[0]?.score ?? -Infinity) / longest ** lengthPenalty;
    this.#done =
      last || (isFull && (earlyStopping === true || hope <= this.#finished[beams - 1]!.score));
  }
}

function idsOf(chain: Chain | null): number[] {
  const ids: number[] = [];
  for (let link = chain; link !== null; link = link.before) ids.push(link.token);
  return ids.reverse();
}
