/** Draws charts with the characters of a terminal: braille dots, eight to a character. */

import { chartOf, type ChartOptions, type Series } from "./chart.ts";
import { formatNumber } from "./scale.ts";

export interface TerminalPlotOptions extends ChartOptions {
  /** Characters a line. */
  readonly columns: number;
  /** Lines of the plotting area; 15 unless given. */
  readonly rows?: number;
  /** Whether colours tell lines apart; else several lines are drawn with a sign each. */
  readonly colour?: boolean;
}

const COLOURS = [36, 33, 35, 32, 31, 34, 96, 93];
const SIGNS = "●○◆◇■□▲△";
/** Bits of the dots in a braille character, [row][column] (Unicode chapter 21.1). */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

/** A chart as text that ends with a line feed: title, plot with axes, legend. */
export function terminalPlot(series: readonly Series[], options: TerminalPlotOptions): string {
  const { columns, rows = 15, colour = false, title } = options;
  const { x, y, lines } = chartOf(series, options, { x: Math.max(2, columns / 16), y: rows / 3 });
  const labels = new Map(
    y.ticks.map((tick) => [Math.round((1 - y.at(tick)) * (rows - 1)), formatNumber(tick)]),
  );
  const margin = Math.max(...Array.from(labels.values(), ({ length }) => length));
  const width = Math.max(10, columns - margin - 3);
  const isBraille = colour || lines.length === 1;
  const [dotsX, dotsY] = isBraille ? [2, 4] : [1, 1];
  const cells = Array.from({ length: rows }, () => new Uint8Array(width));
  const owners = Array.from({ length: rows }, () => new Int16Array(width).fill(-1));
  lines.forEach(({ steps, smoothed }, owner) => {
    const dot = (i: number): readonly [number, number] | null => {
      const [across, up] = [x.at(steps[i]!), y.at(smoothed[i]!)];
      if (!Number.isFinite(up)) return null;
      return [Math.round(across * (width * dotsX - 1)), Math.round((1 - up) * (rows * dotsY - 1))];
    };
    let before: readonly [number, number] | null = null;
    for (let i = 0; i < steps.length; i++) {
      const here = dot(i);
      if (here !== null)
        for (const [dx, dy] of between(before ?? here, here)) {
          const [row, column] = [Math.floor(dy / dotsY), Math.floor(dx / dotsX)];
          cells[row]![column]! |= DOTS[dy % 4]![(dx % 2) as 0 | 1];
          owners[row]![column] = owner;
        }
      before = here;
    }
  });
  const paint = (text: string, owner: number) =>
    colour ? `\x1b[${COLOURS[owner % COLOURS.length]}m${text}\x1b[39m` : text;
  const sign = (owner: number) => (isBraille ? "━━" : SIGNS[owner % SIGNS.length]!);
  const body = cells.map((cell, row) => {
    const label = labels.get(row);
    const signs = Array.from(cell, (bits, column) => {
      const owner = owners[row]![column]!;
      if (owner < 0) return " ";
      return paint(isBraille ? String.fromCharCode(0x2800 + bits) : sign(owner), owner);
    });
    return `${(label ?? "").padStart(margin)} ${label === undefined ? "│" : "┤"}${signs.join("").trimEnd()}`;
  });
  const legend = lines.map(({ name, smoothed }, owner) => {
    const last = smoothed.findLast((value) => Number.isFinite(value)) ?? NaN;
    return `${paint(sign(owner), owner)} ${name}  ${formatNumber(last)}`;
  });
  return [
    `${" ".repeat(margin + 2)}${title}`,
    ...body,
    ...axis(
      x.ticks.map((tick) => [Math.round(x.at(tick) * (width - 1)), formatNumber(tick)]),
      width,
      margin,
    ),
    ...legend.map((line) => `${" ".repeat(margin + 2)}${line}`),
    "",
  ].join("\n");
}

/** The axis of steps and its labels, those left out that have no room. */
function axis(
  ticks: readonly (readonly [number, string])[],
  width: number,
  margin: number,
): string[] {
  const line = Array.from({ length: width }, () => "─");
  let labels = "";
  for (const [column, label] of ticks) {
    line[column] = "┬";
    const start = Math.max(0, Math.min(width - label.length, column - (label.length >> 1)));
    if (start <= labels.length && labels !== "") continue;
    labels = labels.padEnd(start) + label;
  }
  const pad = " ".repeat(margin + 1);
  return [`${pad}└${line.join("")}`, `${pad} ${labels}  step`.slice(0, margin + 2 + width)];
}

/** The dots of a straight line, both ends included. */
function* between(
  [x0, y0]: readonly [number, number],
  [x1, y1]: readonly [number, number],
): Iterable<readonly [number, number]> {
  const count = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1);
  for (let i = 0; i <= count; i++)
    yield [Math.round(x0 + ((x1 - x0) * i) / count), Math.round(y0 + ((y1 - y0) * i) / count)];
}
