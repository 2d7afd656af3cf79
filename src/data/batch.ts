/** What a loader of data gives to a training loop: batches, and a position in the data that can be saved. */

/** Some samples made into one value, most often tensors whose first dimension is the batch. */
export interface Batch<B> {
  /** What `collate` made of the samples. */
  readonly data: B;
  /** Which samples: their indices in the data set, or in the order of a stream. */
  readonly indices: readonly number[];
  /** From 0. */
  readonly epoch: number;
  /** Which batch of the epoch, from 0. */
  readonly index: number;
  /** How many samples. */
  readonly samples: number;
  /** How many real tokens (without padding), where lengths are known. */
  readonly tokens?: number;
}

/** How much of what was delivered is padding. */
export interface Padding {
  /** Tokens of samples. */
  readonly real: number;
  /** Tokens that batches hold, padding included. */
  readonly padded: number;
}

/** Where a loader stands: plain JSON, the same size for any data set; `seek` checks it against the loader. */
export interface Cursor {
  readonly version: 1;
  /** The epoch that the next batch belongs to. */
  readonly epoch: number;
  /** Batches of that epoch that were delivered; those only prefetched do not count. */
  readonly batches: number;
  /** What the order of the samples follows from, together with the epoch. */
  readonly seed: number;
  /** Samples in the data set; null for a stream. */
  readonly length: number | null;
  /** Most samples in a batch; null where only `maxTokens` or a batch sampler limits it. */
  readonly batchSize: number | null;
  /** How samples are put in order, in words; two loaders with the same words go the same way. */
  readonly order: string;
  /** Padding of everything delivered so far. */
  readonly padding: Padding;
}

/** What a training loop needs of its data; a `DataLoader` is one. */
export interface BatchSource<B> extends AsyncIterable<Batch<B>> {
  /** Batches of a whole epoch; null where it cannot be known before. */
  readonly batchesPerEpoch: number | null;
  /** Tokens delivered so far and what they were padded to; zeros where lengths are unknown. */
  readonly padding: Padding;
  /** Iterates over one epoch, or what a cursor left of it; a signal ends the wait for data with its reason. */
  epoch(options?: { readonly signal?: AbortSignal | undefined }): AsyncGenerator<Batch<B>, void>;
  /** The position behind the last batch delivered. */
  cursor(): Cursor;
  /** Makes the next iteration go on at a cursor's position. */
  seek(cursor: Cursor): void;
}
