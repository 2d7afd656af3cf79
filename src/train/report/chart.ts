/** What a chart shows, whatever it is drawn with. */

import type { Curve } from "../logging/curves.ts";
import { smooth } from "../logging/curves.ts";
import { linearScale, logScale, type Scale } from "./scale.ts";

/** One line of a chart. */
export interface Series {
  readonly name: string;
  readonly curve: Curve;
}

export interface ChartOptions {
  readonly title: string;
  /** Weight of the moving average, from 0 to below 1; see {@link smooth}. */
  readonly smooth?: number;
  /** Whether values stand on a logarithmic scale. */
  readonly log?: boolean;
}

/** Lines with their scales. */
export interface Chart {
  readonly x: Scale;
  readonly y: Scale;
  readonly lines: readonly {
    readonly name: string;
    readonly steps: readonly number[];
    readonly raw: readonly number[];
    /** The same where nothing is smoothed. */
    readonly smoothed: readonly number[];
  }[];
}

/** @param ticks about how many ticks an axis has room for. */
export function chartOf(
  series: readonly Series[],
  { smooth: weight = 0, log = false }: ChartOptions,
  ticks: { readonly x: number; readonly y: number },
): Chart {
  const lines = series.map(({ name, curve: { steps, values } }) => ({
    ...{ name, steps, raw: values },
    smoothed: weight === 0 ? values : smooth(values, weight),
  }));
  function* all(of: (line: (typeof lines)[number]) => readonly number[]): Iterable<number> {
    for (const line of lines) yield* of(line);
  }
  const shown = () => all(({ smoothed }) => smoothed);
  return {
    x: linearScale(
      all(({ steps }) => steps),
      { count: ticks.x },
    ),
    y: log
      ? logScale(shown(), { count: ticks.y })
      : linearScale(shown(), { count: ticks.y, round: true }),
    lines,
  };
}

/**
 * At most about four points for each of so many equal parts of the steps: first, least, greatest and last, so that a line
 * through them looks the same.
 */
export function thin({ steps, values }: Curve, parts: number): Curve {
  if (steps.length <= 4 * parts) return { steps, values };
  const [first, last] = [steps[0]!, steps.at(-1)!];
  const partOf = (step: number) => Math.floor(((step - first) / (last - first)) * parts);
  const kept: number[] = [];
  for (let i = 0; i < steps.length;) {
    const part = partOf(steps[i]!);
    let [least, greatest, end] = [i, i, i];
    for (; end < steps.length && partOf(steps[end]!) === part; end++) {
      if (values[end]! < values[least]!) least = end;
      if (values[end]! > values[greatest]!) greatest = end;
    }
    kept.push(...new Set([i, least, greatest, end - 1].sort((a, b) => a - b)));
    i = end;
  }
  return { steps: kept.map((i) => steps[i]!), values: kept.map((i) => values[i]!) };
}
