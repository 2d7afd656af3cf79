/** The compiled programs of decoding and what they keep between steps, for a number of samples and hypotheses. */

import { compile, type Compiled } from "../compile.ts";
import { arange, full, tensor, zeros } from "../creation.ts";
import { cat, where } from "../joining.ts";
import type { KeyValues } from "../nn/attention-cache.ts";
import { mostProbable } from "../ops/decoding.ts";
import type { Tensor } from "../tensor.ts";
import { deriveAll } from "../tensor/derive.ts";
import { noGrad } from "../trace.ts";
import { draw, type Sampling } from "./sampling.ts";
import { BLOCKED, decodeStep, type DecoderParts } from "./decoder-parts.ts";
import type { FrozenWeights } from "./frozen-weights.ts";

/** What a step found: for each sample the best continuations of all its hypotheses, in order. */
export interface Found {
  /** float32 [B, n]: log-probabilities, with beams those of whole hypotheses. */
  readonly scores: Tensor;
  /** int32 [B, n]. */
  readonly tokens: Tensor;
  /** int32 [B, n]: the hypothesis each continues. */
  readonly parents: Tensor;
}

/** What tokens a step must not choose. */
export interface Forbidden {
  readonly always: readonly number[];
  /** What ends a target; null: nothing does. */
  readonly endId: number | null;
  /** Whether the end has to wait for as many tokens as `begin` says. */
  readonly endWaits: boolean;
}

/** What a decoder attends to beside its own tokens. */
export interface Memory {
  /** Of each layer: keys and values [B, H, S, d]. */
  readonly keyValues: readonly KeyValues[];
  /** float32 [B, 1, 1, S], added to scores. */
  readonly mask: Tensor | null;
}

/** Keys and values for so many positions, and the programs that use them. */
interface Stage {
  readonly capacity: number;
  readonly own: readonly KeyValues[];
  /** int32 [B, K, C]: which hypothesis' slot holds position t of hypothesis k; −1 behind the last. */
  readonly ancestors: Tensor;
  readonly step: Compiled<[], Found>;
}

/** What a program takes beside its constants, about. */
const PROGRAM_BYTES = 2 ** 22;

const int32 = (shape: readonly number[]): Tensor => zeros(shape, { dtype: "int32" });

export interface DecodingOptions {
  readonly parts: DecoderParts;
  readonly weights: FrozenWeights;
  readonly batch: number;
  readonly beams: number;
  readonly memory: Memory;
  readonly forbidden: Forbidden;
  /** How one hypothesis is continued at random; null: by its likeliest token. */
  readonly sampling?: Sampling | null;
}

/** Decoding of B samples with K hypotheses each. */
export class DecodingPrograms {
  readonly batch: number;
  readonly beams: number;
  /** The state: tokens to continue [B, K], scores of hypotheses [B, K], and the place of those tokens. */
  readonly ids: Tensor;
  readonly scores: Tensor;
  readonly position = int32([]);
  readonly #minLength = int32([]);
  readonly #parts: DecoderParts;
  readonly #weights: FrozenWeights;
  readonly #memory: Memory;
  readonly #forbidden: Forbidden;
  readonly #sampling: Sampling | null;
  readonly #stages: Stage[] = [];
  readonly #grows: Compiled<[], void>[] = [];
  readonly #begin: Compiled<[first: number], void>;

  constructor(options: DecodingOptions) {
    const { parts, weights, batch, beams, memory, forbidden, sampling = null } = options;
    this.#sampling = sampling;
    this.#parts = parts;
    this.#weights = weights;
    this.#memory = memory;
    this.#forbidden = forbidden;
    this.batch = batch;
    this.beams = beams;
    this.ids = int32([batch, beams]);
    this.scores = zeros([batch, beams]);
    const stage = this.#stage(0);
    this.#begin = compile((first: number): void => {
      this.ids.assign(full([batch, beams], first, { dtype: "int32" }));
      this.position.assign(int32([]));
      if (beams === 1) {
        this.scores.assign(zeros([batch, 1]));
        return;
      }
      // Only one of the hypotheses, which are equal, is continued first.
      const others = arange(beams).gt(0).expand([batch, beams]);
      this.scores.assign(where(others, -1e9, zeros([])));
      stage.ancestors.assign(full(stage.ancestors.shape, -1, { dtype: "int32" }));
    });
  }

  /** Bytes of weights, keys and values, and about those of programs. */
  get bytes(): number {
    const caches = [this.#memory.keyValues, ...this.#stages.map(({ own }) => own)].flat();
    const state = caches.reduce((sum, { key, value }) => sum + 4 * (key.size + value.size), 0);
    return state + this.#stages.length * (this.#weights.bytes + PROGRAM_BYTES);
  }

  /** Every hypothesis is the one token `first`. */
  async begin(first: number, minLength = 0): Promise<void> {
    this.#minLength.assign(tensor(minLength, { dtype: "int32" }));
    await this.#begin(first);
  }

  /** Continues every hypothesis by a token; `position` tokens came before. */
  async step(position: number): Promise<Found> {
    const index = stageOf(position);
    if (index > 0 && position === capacityOf(index - 1)) await this.#grow(index);
    return this.#stage(index).step();
  }

  #stage(index: number): Stage {
    const known = this.#stages[index];
    if (known !== undefined) return known;
    const { batch, beams } = this;
    const { heads, dModel, layers } = this.#parts;
    const capacity = capacityOf(index);
    const cache = (): Tensor => zeros([batch * heads, capacity, (beams * dModel) / heads]);
    const stage: Stage = {
      capacity,
      own: layers.map(() => ({ key: cache(), value: cache() })),
      ancestors: full([batch, beams, capacity], -1, { dtype: "int32" }),
      step: compile(() => noGrad(() => this.#traceStep(stage))),
    };
    this.#stages[index] = stage;
    return stage;
  }

  /** Takes the keys and values of one stage over to the next, which has room for more. */
  async #grow(index: number): Promise<void> {
    const [from, to] = [this.#stage(index - 1), this.#stage(index)];
    const grow = (this.#grows[index] ??= compile(() => {
      const known = arange(from.capacity);
      const longer = (cache: Tensor, rest: Tensor): void =>
        void rest.assign(rest.indexCopy(1, known, cache));
      from.own.forEach(({ key, value }, i) => {
        longer(key, to.own[i]!.key);
        longer(value, to.own[i]!.value);
      });
      const unknown = full([this.batch, this.beams, to.capacity - from.capacity], -1, {
        dtype: "int32",
      });
      to.ancestors.assign(cat([from.ancestors, unknown], 2));
    }));
    await grow();
  }

  #traceStep(stage: Stage): Found {
    const { batch, beams, position } = this;
    const { capacity } = stage;
    const here = arange(capacity).eq(position); // [C]
    // A new token's keys and values stand in its own slot.
    const ancestors = where(here, arange(beams).unsqueeze(1), stage.ancestors); // [B, K, C]
    const allowed = decodeStep(this.#parts, this.#weights.read, {
      ids: this.ids,
      position,
      own: stage.own,
      ownMask: beams === 1 ? behind(position, capacity) : ancestry(ancestors),
      memory: this.#memory.keyValues,
      memoryMask: this.#memory.mask,
      blocked: this.#blocked(),
    });
    this.position.assign(position.add(1));
    if (beams === 1) {
      const [own, tokens] =
        this.#sampling === null ? likeliest(allowed, 1) : draw(allowed, this.#sampling); // [B, 1]
      const scores = this.scores.add(own);
      this.ids.assign(tokens);
      this.scores.assign(scores);
      return { scores, tokens, parents: int32([batch, 1]) };
    }
    const found = this.#best(allowed);
    const next = this.#continued(found);
    this.ids.assign(next.tokens);
    this.scores.assign(next.scores);
    const places = next.parents.unsqueeze(2).expand([batch, beams, capacity]);
    stage.ancestors.assign(ancestors.gather(1, places));
    return found;
  }

  /** float32 [V], added to logits, which costs nothing in their product: what blocks the tokens that are forbidden. */
  #blocked(): Tensor | null {
    const { always, endId, endWaits } = this.#forbidden;
    const ids = arange(this.#parts.output.shape[0]!);
    const masks = always.map((id) => ids.eq(id));
    if (endId !== null && endWaits)
      masks.push(ids.eq(endId).logicalAnd(this.position.lt(this.#minLength)));
    const none = zeros([]);
    return masks.reduce<Tensor | null>((all, mask) => where(mask, BLOCKED, all ?? none), null);
  }

  /** The 2·K best continuations of each sample's hypotheses: among them are K that do not end. */
  #best(logits: Tensor): Found {
    const { batch, beams } = this;
    const classes = logits.shape[1]!;
    const each = Math.min(2 * beams, classes);
    const [own, tokens] = likeliest(logits, each); // [B·K, each]
    const total = own.reshape([batch, beams, each]).add(this.scores.unsqueeze(2));
    const { values, indices } = total
      .reshape([batch, beams * each])
      .topk(Math.min(2 * beams, beams * each), { dim: 1 });
    return {
      scores: values,
      tokens: tokens.reshape([batch, beams * each]).gather(1, indices),
      parents: indices.div(each, { roundingMode: "floor" }),
    };
  }

  /** The K best that do not end, in order. */
  #continued({ scores, tokens, parents }: Found): Found {
    const { endId } = this.#forbidden;
    const open = endId === null ? scores : where(tokens.eq(endId), BLOCKED, scores);
    const { indices } = open.topk(this.beams, { dim: 1 });
    const [s, t, p] = [scores, tokens, parents].map((x) => x.gather(1, indices));
    return { scores: s!, tokens: t!, parents: p! };
  }
}

/** Capacities double: keys and values of few tokens are read quickly, and few programs are needed. */
const capacityOf = (index: number): number => 16 * 2 ** index;

/** The first stage with room for a position. */
const stageOf = (position: number): number => Math.max(0, Math.floor(Math.log2(position / 16)) + 1);

const likeliest = (logits: Tensor, k: number): readonly [Tensor, Tensor] =>
  deriveAll([logits], ([x]) => mostProbable(x!, k)) as [Tensor, Tensor];

/** float32 [C]: blocks what comes behind a position. */
const behind = (position: Tensor, capacity: number): Tensor =>
  where(arange(capacity).gt(position), BLOCKED, zeros([]));

/** float32 [B, 1, K, C·K]: of the K slots at each position a hypothesis sees its ancestor's. */
function ancestry(ancestors: Tensor): Tensor {
  const [batch, beams, capacity] = ancestors.shape as [number, number, number];
  const seen = ancestors.unsqueeze(3).eq(arange(beams)); // [B, K, C, K]
  return where(seen, zeros([]), BLOCKED).reshape([batch, 1, beams, capacity * beams]);
}

/** A memory's tensors, to be assigned by `remember` before decoding. */
export function emptyMemory(
  { layers, heads, dModel }: DecoderParts,
  batch: number,
  length: number,
): Memory {
  const each = (): Tensor => zeros([batch, heads, length, dModel / heads]);
  return {
    keyValues: layers.map(() => ({ key: each(), value: each() })),
    mask: zeros([batch, 1, 1, length]),
  };
}

/** Inside a traced function: keeps the projections of a memory [B, S, D] and which of it is padding, bool [B, S]. */
export function remember(
  { keyValues, mask }: Memory,
  { layers }: DecoderParts,
  memory: Tensor,
  padding: Tensor,
): void {
  layers.forEach(({ across }, i) => {
    const { key, value } = across!.keyValues(memory);
    keyValues[i]!.key.assign(key);
    keyValues[i]!.value.assign(value);
  });
  mask!.assign(where(padding, BLOCKED, zeros([])).unsqueeze(1).unsqueeze(1));
}
