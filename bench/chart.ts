/** Draws the JSON that the benchmarks print as the picture in the README: `tsx bench/chart.ts < results.json > docs/benchmark.svg`. */
import { readFileSync } from "node:fs";
import type { Row } from "./measure.ts";

const rows = JSON.parse(readFileSync(0, "utf8")) as Row[];

const colors: Record<string, string> = {
  "Learning Loop": "#2563eb",
  pytorch: "#ea580c",
  "jax-js": "#a3a3a3",
  tfjs: "#d4d4d4",
};
const bar = 13;
const left = 120;
const width = 760;
const right = 90;

interface Bar {
  readonly name: string;
  readonly ms: number;
}

/**
 * The libraries' times by workload. Only times of one pairing are comparable: the first one's are shown as they are, the
 * others' scaled to its time of ours.
 */
const groups = [...new Set(rows.map((row) => row.workload))].map((workload) => {
  const own = rows.filter((row) => row.workload === workload);
  const ours = own[0]!.ours_ms;
  const bars: Bar[] = [
    { name: "Learning Loop", ms: ours },
    ...own.map((row) => ({ name: row.peer, ms: (row.peer_ms * ours) / row.ours_ms })),
  ];
  return { workload, bars: bars.filter(({ name }) => name in colors) };
});

const all = groups.flatMap(({ bars }) => bars.map(({ ms }) => ms));
const low = 10 ** Math.floor(Math.log10(Math.min(...all)));
const high = 10 ** Math.ceil(Math.log10(Math.max(...all)));
const x = (ms: number): number =>
  left + ((width - left - right) * Math.log10(ms / low)) / Math.log10(high / low);

const text = (at: number, y: number, content: string, extra = ""): string =>
  `<text x="${at.toFixed(1)}" y="${y.toFixed(1)}" ${extra}>${content}</text>`;

const parts: string[] = [];
let y = 44;
for (const { workload, bars } of groups) {
  parts.push(
    text(
      left - 10,
      y + (bars.length * bar) / 2 + 4,
      workload,
      `text-anchor="end" font-weight="600"`,
    ),
  );
  for (const { name, ms } of bars) {
    parts.push(
      `<rect x="${left}" y="${y}" width="${(x(ms) - left).toFixed(1)}" height="${bar - 2}" fill="${colors[name]!}"/>`,
      text(
        x(ms) + 5,
        y + bar - 4,
        `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`,
        `font-size="10"`,
      ),
    );
    y += bar;
  }
  y += 12;
}
for (let ms = low; ms <= high; ms *= 10) {
  parts.unshift(`<line x1="${x(ms)}" y1="38" x2="${x(ms)}" y2="${y - 8}" stroke="#e5e5e5"/>`);
  parts.push(text(x(ms), y + 4, `${ms} ms`, `text-anchor="middle" font-size="10" fill="#737373"`));
}
let at = left;
for (const [name, color] of Object.entries(colors)) {
  parts.push(
    `<rect x="${at}" y="14" width="11" height="11" fill="${color}"/>`,
    text(at + 16, 24, name),
  );
  at += 40 + name.length * 7;
}

process.stdout.write(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y + 16}" font-family="system-ui, sans-serif" font-size="12">
<title>Milliseconds per step, logarithmic: shorter is faster</title>
<rect width="100%" height="100%" fill="#ffffff"/>
${parts.join("\n")}
</svg>
`,
);
