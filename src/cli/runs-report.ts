/** What the `runs` command prints: tables for people and lines of JSON for programs. */

import type { FoundRun, Run } from "../train/logging/run-reader.ts";
import { differingOptions, extremesOf, optionText } from "../train/report/compare.ts";
import { formatNumber } from "../train/report/scale.ts";
import { table } from "./table.ts";

/** @param now seconds since 1970. */
export function runsTable(found: readonly FoundRun[], folder: string, now: number): string {
  if (found.length === 0) return `no runs in ${plain(folder)}\n`;
  const rows = found.map(({ folder, run }) =>
    run === null
      ? [plain(folder), "damaged", "", "", "", "", ""]
      : [
          plain(folder),
          run.status,
          run.steps === null ? String(run.step) : `${run.step}/${run.steps}`,
          last(run, "train/loss"),
          bestText(run),
          duration(run.seconds),
          run.lastTime === null ? "" : `${duration(Math.max(0, now - run.lastTime))} ago`,
        ],
  );
  const notes = found.flatMap(({ run, error }) =>
    error === null ? run.problems.map((p) => `${run.folder}: ${p}`) : [error.message],
  );
  return [
    table(["run", "status", "steps", "loss", "best", "time", "age"], rows),
    ...notes.map((note) => `note: ${plain(note)}`),
    "",
  ].join("\n");
}

export const runsTableJson = (found: readonly FoundRun[]): string =>
  line(
    found.map(({ folder, run, error }) =>
      run === null ? { folder, status: "damaged", error: error.message } : overview(run),
    ),
  );

export function runDetails(run: Run): string {
  const { config, summary } = run;
  const facts: [string, string][] = [
    [
      "status",
      [...new Set([run.status, summary?.reason, summary?.error])].filter(Boolean).join(", "),
    ],
    ["steps", run.steps === null ? String(run.step) : `${run.step} of ${run.steps}`],
    ["time", duration(run.seconds)],
    ["began", config?.startedAt ?? "unknown"],
    ...(config?.resumed ?? []).map(({ step, startedAt }): [string, string] => [
      "resumed",
      `${startedAt}, from step ${step}`,
    ]),
    ["command", config?.command.join(" ") ?? "unknown"],
    ["seed", String(config?.seed ?? "unknown")],
    ["device", config?.device ?? "unknown"],
    ["data", config?.data == null ? "unknown" : JSON.stringify(config.data)],
    [
      "versions",
      Object.entries(config?.versions ?? {})
        .map((pair) => pair.join(" "))
        .join(", "),
    ],
    ["best", bestText(run)],
    ["best checkpoint", summary?.bestCheckpoint ?? ""],
    ["last checkpoint", summary?.lastCheckpoint ?? lastCheckpoint(run) ?? ""],
  ];
  const options = Object.keys(config?.options ?? {});
  return [
    `${plain(run.name)} (${plain(run.folder)})`,
    ...facts
      .filter(([, value]) => value !== "")
      .map(([name, value]) => `  ${name}: ${plain(value)}`),
    ...(options.length === 0
      ? []
      : [
          "",
          table(
            ["option", "value"],
            options.map((name) => [plain(name), plain(optionText(run, name))]),
          ),
        ]),
    ...(run.curves.size === 0 ? [] : ["", valuesTable([run], [...run.curves.keys()])]),
    ...run.problems.map((problem) => `note: ${plain(problem)}`),
    "",
  ].join("\n");
}

export const runDetailsJson = (run: Run): string =>
  line({
    ...overview(run),
    config: run.config,
    summary: run.summary,
    metrics: extremes(run, [...run.curves.keys()]),
  });

export function comparison(runs: readonly Run[], metrics: readonly string[]): string {
  const options = differingOptions(runs);
  const names = runs.map(({ name }) => plain(name));
  const rows = options.map((name) => [
    plain(name),
    ...runs.map((run) => plain(optionText(run, name))),
  ]);
  return [
    options.length === 0
      ? "all options are the same"
      : table(["option that differs", ...names], rows),
    "",
    valuesTable(runs, metrics),
    "",
  ].join("\n");
}

export const comparisonJson = (runs: readonly Run[], metrics: readonly string[]): string =>
  line({
    options: Object.fromEntries(
      differingOptions(runs).map((name) => [
        name,
        runs.map(({ config }) => config?.options[name] ?? null),
      ]),
    ),
    runs: runs.map((run) => ({ ...overview(run), metrics: extremes(run, metrics) })),
  });

/** Last, lowest and highest values of curves, a line for each run. */
function valuesTable(runs: readonly Run[], metrics: readonly string[]): string {
  const isOne = runs.length === 1;
  const rows = metrics.flatMap((metric) =>
    runs.map((run) => {
      const found = extremesOf(run, metric);
      const { last, lowest, lowestStep, highest, highestStep } = found ?? {};
      const values = [last, lowest, lowestStep, highest, highestStep];
      const cells = values.map((value) => (value === undefined ? "–" : number(value)));
      return [plain(metric), ...(isOne ? [] : [plain(run.name)]), ...cells];
    }),
  );
  const header = ["metric", ...(isOne ? [] : ["run"]), "last", "lowest", "at step", "highest"];
  return table([...header, "at step"], rows);
}

const overview = (run: Run) => ({
  folder: run.folder,
  name: run.name,
  status: run.status,
  step: run.step,
  steps: run.steps,
  loss: run.curves.get("train/loss")?.values.at(-1) ?? null,
  best: run.best,
  seconds: run.seconds,
  lastTime: run.lastTime,
  problems: run.problems,
});

const extremes = (run: Run, metrics: readonly string[]) =>
  Object.fromEntries(metrics.map((metric) => [metric, extremesOf(run, metric)]));

const last = (run: Run, metric: string): string => {
  const value = run.curves.get(metric)?.values.at(-1);
  return value === undefined ? "" : number(value);
};

/** The best evaluation's watched metric, which is known by its value; without one its first. */
function bestText({ best, summary }: Run): string {
  if (best === null) return "";
  const metrics = Object.entries(best.metrics);
  const watched = metrics.find(([, value]) => value === summary?.bestMetric) ?? metrics[0];
  return watched === undefined ? "" : `${plain(watched[0])} ${number(watched[1])}`;
}

const lastCheckpoint = ({ events }: Run): string | undefined =>
  events.filter((event) => event.type === "checkpoint").at(-1)?.folder;

/** Seconds in at most two units. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const units = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ] as const;
  const first = units.findIndex(([size]) => whole >= size);
  if (first < 0) return "0 s";
  let rest = whole;
  return units
    .slice(first, first + 2)
    .flatMap(([size, name]) => {
      const count = Math.floor(rest / size);
      rest -= count * size;
      return count === 0 ? [] : [`${count} ${name}`];
    })
    .join(" ");
}

/** Six digits, which tables align. */
const number = (value: number): string => formatNumber(value, 6);

/** One line without control characters, which could drive a terminal. */
export const plain = (text: string): string => text.replace(/[\s\p{Cc}]+/gu, " ");

const line = (value: unknown): string => `${JSON.stringify(value)}\n`;
