/** Compares runs: options that differ, and what their curves came to. */

import type { Run } from "../logging/run-reader.ts";

/** Names of the options that not all runs have with the same value. */
export function differingOptions(runs: readonly Run[]): string[] {
  const names = new Set(runs.flatMap(({ config }) => Object.keys(config?.options ?? {})));
  return [...names].filter((name) => new Set(runs.map((run) => optionText(run, name))).size > 1);
}

/** An option's value as text; "–" where the run has none. */
export function optionText({ config }: Run, name: string): string {
  const value = config?.options[name];
  if (value === undefined) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What a curve came to; only finite values count as lowest and highest. */
export interface Extremes {
  readonly last: number;
  readonly lowest: number;
  readonly lowestStep: number;
  readonly highest: number;
  readonly highestStep: number;
}

/** Null where the run has no such curve, or nothing finite in it. */
export function extremesOf({ curves }: Run, metric: string): Extremes | null {
  const curve = curves.get(metric);
  if (curve === undefined) return null;
  let [least, most] = [-1, -1];
  curve.values.forEach((value, i) => {
    if (!Number.isFinite(value)) return;
    if (least < 0 || value < curve.values[least]!) least = i;
    if (most < 0 || value > curve.values[most]!) most = i;
  });
  if (least < 0) return null;
  return {
    last: curve.values.at(-1)!,
    lowest: curve.values[least]!,
    lowestStep: curve.steps[least]!,
    highest: curve.values[most]!,
    highestStep: curve.steps[most]!,
  };
}
