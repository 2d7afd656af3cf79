/** Writes the report of runs as one HTML page that needs nothing else: curves to zoom, pan, smooth and read off. */

import type { Run } from "../logging/run-reader.ts";
import { thin } from "./chart.ts";
import { differingOptions, optionText } from "./compare.ts";
import { runPage, type PageData } from "./html-page.ts";
import { formatNumber } from "./scale.ts";
import { COLOURS, escapeXml } from "./svg.ts";

export interface HtmlReportOptions {
  readonly title: string;
  /** Names of the curves to show. */
  readonly metrics: readonly string[];
  /** Weight of the moving average at first; 0 unless given. */
  readonly smooth?: number;
  /** Whether values stand on a logarithmic scale at first. */
  readonly log?: boolean;
}

/** Longer curves are thinned to about four times as many points. */
const PARTS = 5000;

const STYLE = `
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 1200px; padding: 1rem; }
h1 { font-size: 1.4rem; }
h2 { font-size: 1.1rem; margin-top: 2rem; }
.controls { align-items: center; display: flex; flex-wrap: wrap; gap: .4rem 1.5rem; padding: .6rem 0; position: sticky; top: 0; background: Canvas; z-index: 200; }
.swatch { border-radius: 2px; display: inline-block; height: .7em; margin-right: .3em; width: 1.4em; }
.charts { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); }
.chart { min-width: 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { border-bottom: 1px solid #8884; padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; }
td.number { text-align: right; }
tr.differs th::before { content: "≠ "; }
tr.differs { background: #e69f0022; }
.hint { color: GrayText; }
.u-legend { font-size: 13px; }
`;

/** The page. Node only: it reads the library of charts that the page contains. */
export async function htmlReport(
  runs: readonly Run[],
  { title, metrics, smooth = 0, log = false }: HtmlReportOptions,
): Promise<string> {
  const named = runs.map(({ name }, i) => ({ name, colour: COLOURS[i % COLOURS.length]! }));
  const data: PageData = {
    runs: named,
    charts: metrics.map((metric) => ({
      title: metric,
      curves: runs.map(({ curves }) => {
        const curve = curves.get(metric);
        return curve === undefined ? null : thin(curve, PARTS);
      }),
    })),
  };
  const library = await chartLibrary();
  const legend = named.map(
    ({ name, colour }, i) =>
      `<label><input type="checkbox" id="run${i}" checked> <span class="swatch" style="background:${colour}"></span>${escapeXml(name)}</label>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escapeXml(title)}</title>
<style>${library.css}${STYLE}</style>
</head>
<body>
<h1>${escapeXml(title)}</h1>
<div class="controls">
${legend.join("\n")}
<label>smoothing <input type="range" id="smoothing" min="0" max="0.99" step="0.01" value="${smooth}"> <output id="weight"></output></label>
<label><input type="checkbox" id="log"${log ? " checked" : ""}> logarithmic</label>
</div>
<p class="hint">Drag to zoom, or turn the wheel with Ctrl; drag with Shift to move; double-click to see all.</p>
<div class="charts">
${metrics.map((_, i) => `<div class="chart" id="chart${i}"></div>`).join("\n")}
</div>
<h2>Runs</h2>
${runsTable(runs)}
<h2>Last values</h2>
${valuesTable(runs, metrics)}
<h2>Options</h2>
${optionsTable(runs)}
<script type="application/json" id="data">${jsonInHtml(data)}</script>
<script>${library.script}</script>
<script>
// Compilers that keep the names of functions call this.
const __name = (f) => f;
(${runPage.toString()})(uPlot);
</script>
</body>
</html>
`;
}

/** JSON that cannot end the script that it stands in. */
const jsonInHtml = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

async function chartLibrary(): Promise<{ readonly script: string; readonly css: string }> {
  const { createRequire } = await import("node:module");
  const { readFile } = await import("node:fs/promises");
  const require = createRequire(import.meta.url);
  const [script, css] = await Promise.all(
    ["uplot/dist/uPlot.iife.min.js", "uplot/dist/uPlot.min.css"].map((name) =>
      readFile(require.resolve(name), "utf8"),
    ),
  );
  return { script: script!, css: css! };
}

const row = (cells: readonly string[], { differs = false, numbers = false } = {}): string => {
  const [head = "", ...rest] = cells;
  const tag = numbers ? '<td class="number">' : "<td>";
  const others = rest.map((cell) => `${tag}${escapeXml(cell)}</td>`).join("");
  return `<tr${differs ? ' class="differs"' : ""}><th scope="row">${escapeXml(head)}</th>${others}</tr>`;
};

const tableOf = (header: readonly string[], rows: readonly string[]): string =>
  `<div class="scroll"><table><thead><tr>${header.map((cell) => `<th scope="col">${escapeXml(cell)}</th>`).join("")}</tr></thead><tbody>\n${rows.join("\n")}\n</tbody></table></div>`;

const runsTable = (runs: readonly Run[]): string =>
  tableOf(
    ["run", "status", "steps", "began", "seconds", "command"],
    runs.map(({ name, status, step, steps, seconds, config }) =>
      row([
        name,
        status,
        steps === null ? String(step) : `${step} of ${steps}`,
        config?.startedAt ?? "",
        formatNumber(seconds),
        config?.command.join(" ") ?? "",
      ]),
    ),
  );

const valuesTable = (runs: readonly Run[], metrics: readonly string[]): string =>
  tableOf(
    ["metric", ...runs.map(({ name }) => name)],
    metrics.map((metric) =>
      row(
        [
          metric,
          ...runs.map(({ curves }) => {
            const last = curves.get(metric)?.values.at(-1);
            return last === undefined ? "" : formatNumber(last, 6);
          }),
        ],
        { numbers: true },
      ),
    ),
  );

const optionsTable = (runs: readonly Run[]): string => {
  const differing = new Set(differingOptions(runs));
  const names = [...new Set(runs.flatMap(({ config }) => Object.keys(config?.options ?? {})))];
  return tableOf(
    ["option", ...runs.map(({ name }) => name)],
    names.map((name) =>
      row([name, ...runs.map((run) => optionText(run, name))], { differs: differing.has(name) }),
    ),
  );
};
