/** Times two libraries on one workload in turns, so that whatever the machine does meanwhile meets both. */
import { Child, type Ready } from "./child.ts";
import type { Chosen, Library } from "./libraries.ts";
import type { Workload } from "./workloads.ts";

/** One line of the result; times are medians over the rounds, in milliseconds per step. */
export interface Row {
  readonly workload: string;
  readonly ours_ms: number;
  readonly peer: string;
  readonly peer_version: string;
  readonly peer_ms: number;
  readonly ratio: number;
}

export interface MemoryRow {
  readonly workload: string;
  readonly ours_mb: number;
  readonly peer: string;
  readonly peer_version: string;
  readonly peer_mb: number;
  readonly ratio: number;
}

/** How long one library computes before the other has its turn. */
const turnMs = 600;
/** First steps whose losses are compared; both start from the same weights on the same batch. */
const comparedSteps = 4;
/** Largest relative difference of a loss that rounding explains. */
const tolerance = 1e-4;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  const lower = sorted[sorted.length % 2 === 0 ? middle - 1 : middle];
  if (upper === undefined || lower === undefined) throw new Error("median: no values");
  return (lower + upper) / 2;
}

function compareLosses(workload: Workload, mine: readonly number[], theirs: readonly number[]) {
  mine.forEach((loss, index) => {
    const other = theirs[index] ?? Number.NaN;
    if (!(Math.abs(loss - other) <= tolerance * Math.max(1, Math.abs(other))))
      throw new Error(
        `${workload.name}: the libraries compute different things, value of step ${index + 1} is ${loss} here and ${other} there`,
      );
  });
}

/** Elements may differ by rounding of the largest in their tensor. */
function compareSamples(workload: Workload, mine: Ready["sample"], theirs: Ready["sample"]) {
  if (mine.length !== theirs.length)
    throw new Error(
      `${workload.name}: ${mine.length} tensors are left behind here and ${theirs.length} there`,
    );
  mine.forEach((tensor, place) => {
    const other = theirs[place] ?? [];
    const scale = other.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    tensor.forEach((value, index) => {
      const expected = other[index] ?? Number.NaN;
      if (!(Math.abs(value - expected) <= tolerance * scale))
        throw new Error(
          `${workload.name}: the libraries compute different things, sampled element ${index} of tensor ${place} is ${value} here and ${expected} there`,
        );
    });
  });
}

function describe(version: string, { options }: Chosen): string {
  const settings = Object.entries(options).filter(([, value]) => value !== "no");
  return [version, ...settings.map(([name, value]) => `${name}=${value}`)].join(" ");
}

/** As many steps as fill a turn, at least one. */
async function stepsPerTurn(child: Child): Promise<number> {
  let steps = 1;
  let ms = await child.run(steps);
  while (ms * steps < turnMs / 10) {
    steps *= 4;
    ms = await child.run(steps);
  }
  return Math.max(1, Math.round(turnMs / ms));
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

export interface Timing {
  readonly row: Row;
  /** The very first step, which builds what later steps reuse, in milliseconds. */
  readonly oursFirstMs: number;
  readonly peerFirstMs: number;
}

/** Medians of `rounds` turns each, A B A B …, only one process computing at a time. */
export async function time(
  workload: Workload,
  ours: Library,
  peer: Library,
  rounds: number,
): Promise<Timing> {
  const children: Child[] = [];
  try {
    const ready = [];
    for (const library of [ours, peer]) {
      const chosen = await library.choose(workload);
      const child = new Child(chosen.launch);
      children.push(child);
      ready.push({
        child,
        chosen,
        ...(await child.setup(workload, chosen.options, comparedSteps)),
      });
    }
    const [a, b] = ready;
    if (!a || !b) throw new Error("time: two libraries are needed");
    compareLosses(workload, a.losses, b.losses);
    compareSamples(workload, a.sample, b.sample);
    const stepsA = await stepsPerTurn(a.child);
    const stepsB = await stepsPerTurn(b.child);
    const timesA: number[] = [];
    const timesB: number[] = [];
    for (let turn = 0; turn < rounds; turn++) {
      timesA.push(await a.child.run(stepsA));
      timesB.push(await b.child.run(stepsB));
    }
    const [oursMs, peerMs] = [median(timesA), median(timesB)];
    const row = {
      workload: workload.name,
      ours_ms: round(oursMs, 3),
      peer: peer.name,
      peer_version: describe(b.version, b.chosen),
      peer_ms: round(peerMs, 3),
      ratio: round(oursMs / peerMs, 3),
    };
    return { row, oursFirstMs: a.firstMs, peerFirstMs: b.firstMs };
  } finally {
    for (const child of children) await child.close();
  }
}

/** Most memory either library ever held while training 20 steps in a fresh process. */
export async function memory(workload: Workload, ours: Library, peer: Library): Promise<MemoryRow> {
  const peak = async (library: Library) => {
    const chosen = await library.choose(workload);
    const child = new Child(chosen.launch);
    try {
      const { version } = await child.setup(workload, chosen.options, 1);
      await child.run(19);
      return { mb: child.memoryMb("VmHWM"), version: describe(version, chosen) };
    } finally {
      await child.close();
    }
  };
  const [mine, theirs] = [await peak(ours), await peak(peer)];
  return {
    workload: workload.name,
    ours_mb: round(mine.mb, 0),
    peer: peer.name,
    peer_version: theirs.version,
    peer_mb: round(theirs.mb, 0),
    ratio: round(mine.mb / theirs.mb, 3),
  };
}
