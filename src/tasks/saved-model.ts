/** Reads the files of a model's folder, none of which is trusted. */
import { DataError, type DataLocation } from "../data/errors.ts";
import { decodeUtf8, readBytes } from "../data/read-file.ts";
import { fromSafetensors } from "../hub/safetensors.ts";
import type { Module, StateDict } from "../nn/module.ts";

/** The parsed content of a JSON file. @throws DataError when it is none. */
export async function readJson(file: string): Promise<unknown> {
  const text = decodeUtf8(await readBytes(file), file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DataError({ file }, "not valid JSON; is the file whole?", { cause: error });
  }
}

/** What `make` gives, its errors told as those of a place in a file. */
export function orDataError<T>(where: DataLocation, make: () => T): T {
  try {
    return make();
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new DataError(where, problem, { cause: error });
  }
}

/**
 * A model made after `configFile` with the weights of `weightFile`, safetensors.
 * @throws DataError naming the tensor that is missing, too many or of another shape than the configuration says.
 */
export async function readModel<M extends Module>(
  { configFile, weightFile }: { readonly configFile: string; readonly weightFile: string },
  make: () => M,
): Promise<M> {
  const bytes = await readBytes(weightFile);
  const { tensors } = orDataError({ file: weightFile }, () => fromSafetensors(bytes));
  const model = orDataError({ file: configFile }, make);
  checkShapes(model.stateDict(), tensors, weightFile);
  model.loadStateDict(tensors);
  return model;
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
