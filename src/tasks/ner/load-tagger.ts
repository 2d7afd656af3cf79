/** Reads a trained tagger back from the folder that its files were written to. */
import { join } from "node:path";
import { DataError, type DataLocation } from "../../data/errors.ts";
import { decodeUtf8, readBytes } from "../../data/read-file.ts";
import { fromSafetensors } from "../../hub/safetensors.ts";
import { TokenClassifier } from "../../models/token-classifier.ts";
import type { StateDict } from "../../nn/module.ts";
import { FeatureEncoder } from "../../text/feature-encoder.ts";
import { FEATURE_NAMES } from "../../text/features.ts";
import { Vocabulary } from "../../text/vocabulary.ts";
import { parseTaggerConfig } from "./tagger-config.ts";
import { TransformerTagger } from "./transformer-tagger.ts";

/**
 * The tagger whose `files()` lie in a folder. They are not trusted: fields, sizes and shapes are checked, also against
 * each other.
 * @throws DataError naming the file and field that is missing, damaged or of another kind of model.
 */
export async function loadTagger(folder: string): Promise<TransformerTagger> {
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

  const bytes = await readBytes(weightFile);
  const { tensors } = orDataError({ file: weightFile }, () => fromSafetensors(bytes));
  const model = orDataError({ file: configFile }, () => new TokenClassifier(config.model));
  checkShapes(model.stateDict(), tensors, weightFile);
  model.loadStateDict(tensors);
  const { labels, windowSize, training } = config;
  return new TransformerTagger({ model, encoder, labels, windowSize, training });
}

async function readJson(file: string): Promise<unknown> {
  const text = decodeUtf8(await readBytes(file), file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DataError({ file }, "not valid JSON; is the file whole?", { cause: error });
  }
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

/** What `make` gives, its errors told as those of a place in a file. */
function orDataError<T>(where: DataLocation, make: () => T): T {
  try {
    return make();
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new DataError(where, problem, { cause: error });
  }
}

function checkShapes(expected: StateDict, got: StateDict, file: string): void {
  for (const name of new Set([...Object.keys(expected), ...Object.keys(got)])) {
    const [want, have] = [expected[name], got[name]].map(
      (tensor) => tensor && `[${tensor.shape.join(", ")}]`,
    );
    if (want === have) continue;
    throw new DataError(
      { file, field: name },
      `expected ${want ? `shape ${want}` : "no such tensor"}, as config.json says, got ${have ?? "none"}; are the files of one run?`,
    );
  }
}
