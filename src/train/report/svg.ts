/** Draws charts as SVG. */

import { chartOf, thin, type ChartOptions, type Series } from "./chart.ts";
import { formatNumber } from "./scale.ts";

/** Colours that people with any colour vision tell apart (Okabe and Ito 2008), without black and yellow. */
export const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"] as const;

const WIDTH = 800;
const HEIGHT = 420;
const MARGIN = { left: 70, right: 20, top: 40, bottom: 50 };
const LEGEND_LINE = 20;

/** One chart of the document. */
export interface SvgChart extends ChartOptions {
  readonly series: readonly Series[];
}

/** An SVG document with charts, one below the other; lines that are smoothed lie over their own values. */
export function svgDocument(charts: readonly SvgChart[]): string {
  const heights = charts.map(({ series }) => HEIGHT + LEGEND_LINE * series.length);
  const total = heights.reduce((a, b) => a + b, 0);
  let top = 0;
  const parts = charts.map((chart, i) => {
    const part = `<g transform="translate(0 ${top})">\n${drawn(chart, i)}</g>\n`;
    top += heights[i]!;
    return part;
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${total}" width="${WIDTH}" height="${total}" ` +
    `font-family="system-ui, sans-serif" font-size="12" role="img">\n` +
    `<title>${escapeXml(charts.map(({ title }) => title).join(", "))}</title>\n` +
    `<rect width="100%" height="100%" fill="#fff"/>\n${parts.join("")}</svg>\n`
  );
}

function drawn({ series, ...options }: SvgChart, index: number): string {
  const { x, y, lines } = chartOf(series, options, { x: 8, y: 6 });
  const [right, bottom] = [WIDTH - MARGIN.right, HEIGHT - MARGIN.bottom];
  const across = (step: number) => round(MARGIN.left + x.at(step) * (right - MARGIN.left));
  const up = (value: number) => round(bottom - y.at(value) * (bottom - MARGIN.top));
  const path = (steps: readonly number[], values: readonly number[]): string => {
    const line = thin({ steps, values }, right - MARGIN.left);
    let isDown = false;
    return line.steps
      .map((step, i) => {
        const height = up(line.values[i]!);
        if (!Number.isFinite(height)) {
          isDown = false;
          return "";
        }
        const command = isDown ? "L" : "M";
        isDown = true;
        return `${command}${across(step)} ${height}`;
      })
      .join("");
  };
  const parts = [
    `<clipPath id="plot${index}"><rect x="${MARGIN.left}" y="${MARGIN.top}" width="${right - MARGIN.left}" height="${bottom - MARGIN.top}"/></clipPath>`,
    `<text x="${MARGIN.left}" y="24" font-size="15" font-weight="600">${escapeXml(options.title)}</text>`,
    ...y.ticks.flatMap((tick) => [
      `<path d="M${MARGIN.left} ${up(tick)}H${right}" stroke="#e0e0e0"/>`,
      `<text x="${MARGIN.left - 8}" y="${up(tick) + 4}" text-anchor="end">${formatNumber(tick)}</text>`,
    ]),
    ...x.ticks.flatMap((tick) => [
      `<path d="M${across(tick)} ${bottom}v5" stroke="#333"/>`,
      `<text x="${across(tick)}" y="${bottom + 20}" text-anchor="middle">${formatNumber(tick)}</text>`,
    ]),
    `<path d="M${MARGIN.left} ${MARGIN.top}V${bottom}H${right}" fill="none" stroke="#333"/>`,
    `<text x="${(MARGIN.left + right) / 2}" y="${bottom + 40}" text-anchor="middle">step</text>`,
  ];
  lines.forEach(({ name, steps, raw, smoothed }, i) => {
    const colour = COLOURS[i % COLOURS.length]!;
    const stroke = `fill="none" stroke="${colour}" stroke-linejoin="round" clip-path="url(#plot${index})"`;
    if (raw !== smoothed)
      parts.push(`<path d="${path(steps, raw)}" ${stroke} stroke-opacity="0.25"/>`);
    // A curve of one point has no length.
    const cap =
      steps.length === 1 ? ' stroke-linecap="round" stroke-width="5"' : ' stroke-width="1.8"';
    const line = path(steps, smoothed);
    parts.push(`<path d="${steps.length === 1 ? `${line}h0.01` : line}" ${stroke}${cap}/>`);
    const at = HEIGHT + LEGEND_LINE * i;
    parts.push(
      `<path d="M${MARGIN.left} ${at - 4}h24" stroke="${colour}" stroke-width="3"/>`,
      `<text x="${MARGIN.left + 32}" y="${at}">${escapeXml(name)}</text>`,
    );
  });
  return `${parts.join("\n")}\n`;
}

const round = (value: number): number => Math.round(value * 100) / 100;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A text as it stands in XML or HTML, also within attributes; control characters, which XML forbids, become `�`. */
export const escapeXml = (text: string): string =>
  text
    // eslint-disable-next-line no-control-regex -- these are what is to be found
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, "�")
    .replace(/[&<>"']/g, (sign) => ENTITIES[sign]!);
