/** Axes of charts: which range they show, where their ticks stand and what these say. */

/** A scale from values to the unit interval. */
export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly isLog: boolean;
  readonly ticks: readonly number[];
  /** Where a value stands, 0 at the low end and 1 at the high one; NaN where it has no place. */
  readonly at: (value: number) => number;
}

/** Steps of ticks: 1, 2 or 5 times a power of ten, so that there are about `count`. */
function tickStep(span: number, count: number): number {
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5].find((f) => f * power >= rough) ?? 10;
  return factor * power;
}

/** A linear scale that shows all finite values; its ends are ticks where `round` is set. */
export function linearScale(
  values: Iterable<number>,
  { count = 5, round = false }: { readonly count?: number; readonly round?: boolean } = {},
): Scale {
  let [low, high] = rangeOf(values, (value) => value);
  if (low === high)
    [low, high] = low === 0 ? [-1, 1] : [low - Math.abs(low) / 2, high + Math.abs(high) / 2];
  const step = tickStep(high - low, count);
  if (round) [low, high] = [Math.floor(low / step) * step, Math.ceil(high / step) * step];
  const ticks: number[] = [];
  // A tick's own rounding must not put it outside.
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++)
    ticks.push(Number((i * step).toPrecision(12)));
  const [from, span] = [low, high - low];
  return { low, high, isLog: false, ticks, at: (value) => (value - from) / span };
}

/** A logarithmic scale with ticks at powers of ten; what is not above 0 has no place on it. */
export function logScale(
  values: Iterable<number>,
  { count = 5 }: { readonly count?: number } = {},
): Scale {
  const [least, most] = rangeOf(values, Math.log10);
  const [low, high] = [Math.floor(least), Math.max(Math.ceil(most), Math.floor(least) + 1)];
  const every = Math.max(1, Math.ceil((high - low) / count));
  const ticks: number[] = [];
  for (let power = low; power <= high; power += every) ticks.push(Number(`1e${power}`));
  const at = (value: number) => (value > 0 ? (Math.log10(value) - low) / (high - low) : NaN);
  return { low: 10 ** low, high: 10 ** high, isLog: true, ticks, at };
}

/** The range of what is finite; [0, 1] where nothing is. */
function rangeOf(values: Iterable<number>, of: (value: number) => number): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    const placed = of(value);
    if (!Number.isFinite(placed)) continue;
    low = Math.min(low, placed);
    high = Math.max(high, placed);
  }
  return low <= high ? [low, high] : [0, 1];
}

/** A number as people read it: few digits, `k`, `M` and `G` for large ones, exponents for tiny ones. */
export function formatNumber(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e15)) {
    const [mantissa, exponent = "0"] = value.toExponential(digits - 1).split("e");
    return `${Number(mantissa)}e${Number(exponent)}`;
  }
  const [unit, name] = (
    [
      [1e9, "G"],
      [1e6, "M"],
      [1e4, "k"],
    ] as const
  ).find(([u]) => size >= u) ?? [1, ""];
  const divisor = name === "k" ? 1000 : unit;
  return `${Number((value / divisor).toPrecision(digits))}${name}`;
}
