/** The calls of MLflow's REST API that a training run makes. */

import { MlflowError, type MlflowClient } from "./mlflow-client.ts";

export interface MlflowMetric {
  readonly key: string;
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly step: number;
}

/** Most params, or tags, of one request. */
const BATCH = 100;
/** Longest value of a param, and of a tag. */
const LONGEST_PARAM = 6000;
const LONGEST_TAG = 8000;

/** The id of the experiment of this name, which is made where it is missing. */
export async function ensureExperiment(
  client: MlflowClient,
  name: string,
  signal: AbortSignal,
): Promise<string> {
  const find = async () => {
    const query = { experiment_name: name };
    const { experiment } = (await client.get("experiments/get-by-name", query, signal)) as {
      experiment: { experiment_id: string };
    };
    return experiment.experiment_id;
  };
  try {
    return await find();
  } catch (error) {
    if (codeOf(error) !== "RESOURCE_DOES_NOT_EXIST") throw error;
  }
  try {
    const made = (await client.post("experiments/create", { name }, signal)) as {
      experiment_id: string;
    };
    return made.experiment_id;
  } catch (error) {
    // Another run has made it meanwhile.
    if (codeOf(error) !== "RESOURCE_ALREADY_EXISTS") throw error;
    return find();
  }
}

export async function createRun(
  client: MlflowClient,
  { experimentId, runName }: { experimentId: string; runName: string | undefined },
  signal: AbortSignal,
): Promise<string> {
  const body = {
    experiment_id: experimentId,
    start_time: Date.now(),
    ...(runName !== undefined && { run_name: runName }),
  };
  const { run } = (await client.post("runs/create", body, signal)) as {
    run: { info: { run_id: string } };
  };
  return run.info.run_id;
}

/** Params and tags of a run; values that are too long are cut. */
export async function logTags(
  client: MlflowClient,
  runId: string,
  {
    params,
    tags,
  }: { params: Readonly<Record<string, unknown>>; tags: Readonly<Record<string, string>> },
  signal: AbortSignal,
): Promise<void> {
  const texts = Object.entries(params).map(([key, value]) => ({
    key,
    value: (typeof value === "string" ? value : (JSON.stringify(value) ?? "undefined")).slice(
      0,
      LONGEST_PARAM,
    ),
  }));
  const marks = Object.entries(tags).map(([key, value]) => ({
    key,
    value: value.slice(0, LONGEST_TAG),
  }));
  for (let at = 0; at < Math.max(texts.length, marks.length); at += BATCH)
    await client.post(
      "runs/log-batch",
      { run_id: runId, params: texts.slice(at, at + BATCH), tags: marks.slice(at, at + BATCH) },
      signal,
    );
}

/** The last step that a run has of each metric. */
export async function lastSteps(
  client: MlflowClient,
  runId: string,
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const { run } = (await client.get("runs/get", { run_id: runId }, signal)) as {
    run: { data: { metrics?: readonly { key: string; step?: string | number }[] } };
  };
  return new Map((run.data.metrics ?? []).map(({ key, step = 0 }) => [key, Number(step)]));
}

const codeOf = (error: unknown): string | null =>
  error instanceof MlflowError ? error.code : null;
