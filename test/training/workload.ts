/** The benchmark's small training workloads, by name. */
import { startTraining as start, type Training } from "../../bench/training.ts";
import { workloads, type TrainingWorkload } from "../../bench/workloads.ts";

export type { Training };

/** The workload of that name at its start. */
export const startTraining = (
  name: "mlp" | "encoder-tiny",
  options?: { readonly dropout?: number },
): Training =>
  start(workloads.find((workload) => workload.name === name) as TrainingWorkload, options);
