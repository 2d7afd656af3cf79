/**
 * Data for training: `learning-loop/data`. Data sets, loaders of batches, samplers, and functions that make batches.
 * @module learning-loop/data
 */

export type { Batch, BatchSource, Cursor, Padding } from "./batch.ts";
export { collate, collateAs, type Collate, type Collated, type CollateOptions } from "./collate.ts";
export { DataLoader, type EpochOptions } from "./data-loader.ts";
export {
  ArrayDataset,
  ConcatDataset,
  MapDataset,
  MapStyleDataset,
  randomSplit,
  Subset,
  type Dataset,
  type IterableDataset,
  type SampleMap,
} from "./dataset.ts";
export type { DataLoaderOptions } from "./loader-options.ts";
export type { Scalar } from "./elements.ts";
export { defaultPaddedLength, padSequences, type PadOptions } from "./pad-sequences.ts";
export { Rng } from "./rng.ts";
export {
  BatchSampler,
  RandomSampler,
  SequentialSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
  type BatchOrder,
  type DrawOptions,
  type Sampler,
  type SeedOptions,
} from "./sampler.ts";
export { TensorDataset, type Sample } from "./tensor-dataset.ts";
