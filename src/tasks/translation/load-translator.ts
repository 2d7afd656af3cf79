/** Reads a trained translator back from the folder that its files were written to. */
import { join } from "node:path";
import { DataError } from "../../data/errors.ts";
import { EncoderDecoder } from "../../models/encoder-decoder.ts";
import { Tokenizer } from "../../text/tokenizer/tokenizer.ts";
import { modelFolder } from "../model-folder.ts";
import { readJson, readModel } from "../saved-model.ts";
import { ofWholeTexts, rowsFor } from "./batches.ts";
import { TransformerTranslator } from "./transformer-translator.ts";
import { parseTranslatorConfig } from "./translator-config.ts";

/**
 * The translator whose `files()` lie in a folder, or that of a run's folder: the model it has kept, or else its newest
 * checkpoint that is whole. They are not trusted: fields, sizes and shapes are checked, also against each other.
 * @throws DataError naming the file and field that is missing, damaged or of another kind of model; CheckpointError when a
 * run has no model and all its checkpoints are damaged.
 */
export async function loadTranslator(path: string): Promise<TransformerTranslator> {
  const folder = await modelFolder(path);
  const configFile = join(folder, "config.json");
  const tokenizerFile = join(folder, "tokenizer.json");
  const weightFile = join(folder, "model.safetensors");
  const {
    model: config,
    special,
    training,
  } = parseTranslatorConfig(await readJson(configFile), configFile);
  const tokenizer = ofWholeTexts(await Tokenizer.load(tokenizerFile));
  const rows = rowsFor(tokenizer);
  if (rows !== config.vocabSize)
    throw new DataError(
      { file: tokenizerFile },
      `expected ${config.vocabSize} tokens, as config.json says, got ${rows}; are the files of one run?`,
    );
  const model = await readModel({ configFile, weightFile }, () => new EncoderDecoder(config));
  return new TransformerTranslator({ model, tokenizer, special, training });
}
