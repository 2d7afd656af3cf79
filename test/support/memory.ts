/** Measures what memory a process holds once garbage is gone. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

export interface Memory {
  /** Of the process, in MB. */
  readonly resident: number;
  /** JavaScript objects and the memory of tensors, in MB. */
  readonly held: number;
}

/** Memory once garbage, and what its finalizers free, is gone. */
export async function settled(): Promise<Memory> {
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return { resident: rss / 1e6, held: (heapUsed + arrayBuffers) / 1e6 };
}
