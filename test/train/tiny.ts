/** A small task with dropout for the tests of the Trainer: which of three classes a point belongs to. */
import { manualSeed, tensor, type Tensor } from "../../src/index.ts";
import { Rng } from "../../src/data/rng.ts";
import * as nn from "../../src/nn/index.ts";
import * as F from "../../src/nn/functional/index.ts";
import type { TrainingBatch, TrainingData } from "../../src/train/index.ts";

export interface Points {
  /** [B, 4] */
  readonly x: Tensor;
  /** int32 [B] */
  readonly y: Tensor;
}

const SAMPLES = 90;
const rng = new Rng("points");
const labels = Array.from({ length: SAMPLES }, (_, i) => i % 3);
const points = labels.map((label) =>
  Array.from({ length: 4 }, (_, j) => (j === label ? 1 : 0) + rng.float() - 0.5),
);

export const batchOf = (indices: readonly number[]): Points => ({
  x: tensor(
    indices.flatMap((i) => points[i]!),
    { shape: [indices.length, 4] },
  ),
  y: tensor(
    indices.map((i) => labels[i]!),
    { dtype: "int32" },
  ),
});

interface Cursor {
  readonly epoch: number;
  readonly index: number;
}

/** Shuffled batches as the Trainer takes them, written by hand. */
export class PointData implements TrainingData<Points> {
  readonly batchesPerEpoch: number | null;
  readonly #batchSize: number;
  readonly #change: (data: Points, batch: number) => Points;
  #at: Cursor = { epoch: 0, index: 0 };
  #delivered = 0;

  constructor({
    batchSize = 9,
    sized = true,
    change = (data: Points): Points => data,
  }: {
    batchSize?: number;
    sized?: boolean;
    /** What becomes of each batch; `batch` counts all that are delivered. */
    change?: (data: Points, batch: number) => Points;
  } = {}) {
    this.#batchSize = batchSize;
    this.batchesPerEpoch = sized ? Math.ceil(SAMPLES / batchSize) : null;
    this.#change = change;
  }

  cursor(): Cursor {
    return this.#at;
  }

  seek(cursor: Cursor): void {
    this.#at = cursor;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TrainingBatch<Points>> {
    const { epoch, index: first } = this.#at;
    const order = new Rng(`epoch ${epoch}`).shuffle(labels.map((_, i) => i));
    for (let index = first; index * this.#batchSize < SAMPLES; index++) {
      const indices = order.slice(index * this.#batchSize, (index + 1) * this.#batchSize);
      this.#at = { epoch, index: index + 1 };
      await Promise.resolve();
      const data = this.#change(batchOf(indices), ++this.#delivered);
      yield { data, indices, epoch, index, samples: indices.length, tokens: 4 * indices.length };
    }
    this.#at = { epoch: epoch + 1, index: 0 };
  }
}

export class Net extends nn.Module {
  readonly hidden = new nn.Linear(4, 16);
  readonly dropout = new nn.Dropout(0.2);
  readonly out = new nn.Linear(16, 3);

  /** x [B, 4] → [B, 3]. */
  forward(x: Tensor): Tensor {
    return this.out.forward(this.dropout.forward(F.relu(this.hidden.forward(x))));
  }
}

/** The network, always with the same weights to begin with. */
export function makeNet(): Net {
  manualSeed(5);
  return new Net();
}

export const lossOf =
  (net: Net) =>
  ({ x, y }: Points): Tensor =>
    F.crossEntropy(net.forward(x), y);

/** Mean loss over all points. */
export async function evaluate(net: Net): Promise<{ loss: number }> {
  return { loss: await lossOf(net)(batchOf(labels.map((_, i) => i))).item() };
}
