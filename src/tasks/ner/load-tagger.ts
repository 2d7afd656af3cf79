/** Reads a trained tagger back from the folder that its files were written to. */
import { join } from "node:path";
import { DataError } from "../../data/errors.ts";
import { TokenClassifier } from "../../models/token-classifier.ts";
import { FeatureEncoder } from "../../text/feature-encoder.ts";
import { FEATURE_NAMES } from "../../text/features.ts";
import { Vocabulary } from "../../text/vocabulary.ts";
import { modelFolder } from "../model-folder.ts";
import { orDataError, readJson, readModel } from "../saved-model.ts";
import { parseTaggerConfig } from "./tagger-config.ts";
import { TransformerTagger } from "./transformer-tagger.ts";

/**
 * The tagger whose `files()` lie in a folder, or that of a run's folder: the model it has kept, or else its newest
 * checkpoint that is whole. They are not trusted: fields, sizes and shapes are checked, also against each other.
 * @throws DataError naming the file and field that is missing, damaged or of another kind of model; CheckpointError when a
 * run has no model and all its checkpoints are damaged.
 */
export async function loadTagger(path: string): Promise<TransformerTagger> {
  const folder = await modelFolder(path);
  const [configFile, vocabularyFile, weightFile] = [
    "config.json",
    "vocabularies.json",
    "model.safetensors",
  ].map((name) => join(folder, name)) as [string, string, string];
  const config = parseTaggerConfig(await readJson(configFile), configFile);

  const encoder = encoderOf(await readJson(vocabularyFile), vocabularyFile);
  encoder.sizes.forEach((size, f) => {
    if (size === config.model.featureSizes[f]) return;
    throw new DataError(
      { file: vocabularyFile, field: FEATURE_NAMES[f] },
      `expected ${config.model.featureSizes[f]} ids with the two special ones, as config.json says, got ${size}; are the files of one run?`,
    );
  });

  const model = await readModel(
    { configFile, weightFile },
    () => new TokenClassifier(config.model),
  );
  const { labels, windowSize, training } = config;
  return new TransformerTagger({ model, encoder, labels, windowSize, training });
}

function encoderOf(saved: unknown, file: string): FeatureEncoder {
  if (typeof saved !== "object" || saved === null) {
    throw new DataError({ file }, "expected an object of vocabularies");
  }
  const all = saved as Readonly<Record<string, unknown>>;
  for (const field of FEATURE_NAMES) {
    orDataError({ file, field }, () => Vocabulary.fromJSON(all[field]));
  }
  return FeatureEncoder.fromJSON(all);
}
