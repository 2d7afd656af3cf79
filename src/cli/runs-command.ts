/** The `runs` command: lists, shows, compares and plots training runs from their folders, without any server. */

import { Command, InvalidArgumentError } from "commander";
import { writeFileAtomic } from "../data/atomic-write.ts";
import { DataError } from "../data/errors.ts";
import { curveName } from "../train/logging/curves.ts";
import { listRuns, readRun, type Run } from "../train/logging/run-reader.ts";
import type { Series } from "../train/report/chart.ts";
import { htmlReport } from "../train/report/html.ts";
import { svgDocument } from "../train/report/svg.ts";
import { terminalPlot } from "../train/report/terminal-plot.ts";
import { runCommand, withManners } from "./command-line.ts";
import { belowOne } from "./options.ts";
import {
  comparison,
  comparisonJson,
  plain,
  runDetails,
  runDetailsJson,
  runsTable,
  runsTableJson,
} from "./runs-report.ts";

/** What the command needs of the world around it. */
export interface RunsEnvironment {
  /** How the user calls the program, for its help. */
  readonly program: string;
  readonly stdout: {
    write(text: string): unknown;
    readonly isTTY?: boolean;
    readonly columns?: number;
  };
  readonly stderr: { write(text: string): unknown };
  /** Environment variables; those of the process unless given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Where runs are looked for unless a folder is named. */
const RUNS = "runs";
const COLUMNS = 80;
const NAMES = ", with commas between or the option repeated";

interface PlotOptions {
  readonly metric?: readonly string[];
  readonly smooth: number;
  readonly log?: boolean;
  readonly output?: string;
  readonly json?: true;
}

/**
 * Runs the command and gives its exit code: 0, 1 for runs that cannot be read, 2 for wrong usage.
 * @param argv arguments after `runs`.
 */
export async function runRuns(
  argv: readonly string[],
  environment: RunsEnvironment,
): Promise<number> {
  const { stdout } = environment;
  return await runCommand(runsCommand(environment), argv, environment);

  function runsCommand({ program, now = Date.now }: RunsEnvironment): Command {
    const name = `${program} runs`;
    const command = withManners(new Command(name), environment).description(
      "List, show, compare and plot training runs, from the folders that they are written to.",
    );
    const sub = (usage: string, description: string, example: string) =>
      withManners(command.command(usage), environment)
        .description(description)
        .option("--json", "print the result as one line of JSON on stdout")
        .addHelpText("after", `\nExample:\n  ${name} ${example}\n`);

    sub("list", "List the runs in a folder and below.", "list runs")
      .argument("[folder]", "where to look", RUNS)
      .action(async (folder: string, { json }: { json?: true }) => {
        const found = await listRuns(folder);
        stdout.write(json ? runsTableJson(found) : runsTable(found, folder, now() / 1000));
      });

    sub("show", "Show how a run was made and what came of it.", "show runs/first")
      .argument("<run>", "its folder")
      .action(async (folder: string, { json }: { json?: true }) => {
        const run = await readRun(folder);
        stdout.write(json ? runDetailsJson(run) : runDetails(run));
      });

    sub(
      "compare",
      "Compare runs: options that differ, and the last, lowest and highest values of their curves.",
      "compare runs/first runs/second --metric loss,f1",
    )
      .argument("<runs...>", "their folders, at least two")
      .option(
        "--metric <names>",
        `curves to compare${NAMES} (default: all of train and eval)`,
        names,
      )
      .action(
        async (
          folders: string[],
          { json, metric }: { json?: true; metric?: readonly string[] },
          self: Command,
        ) => {
          if (folders.length < 2) self.error("error: compare needs at least two runs");
          const runs = await readAll(folders);
          const metrics = metricsOf(runs, metric ?? null);
          stdout.write(json ? comparisonJson(runs, metrics) : comparison(runs, metrics));
        },
      );

    sub(
      "plot",
      "Plot curves of runs in the terminal, or into a file: .svg, or .html to zoom, smooth and read off.",
      "plot runs/first runs/second --metric loss --smooth 0.6 --output loss.html",
    )
      .argument("<runs...>", "their folders")
      .option("--metric <names>", `curves to plot${NAMES} (default: loss; in HTML all)`, names)
      .option("--smooth <weight>", "weight of the moving average, from 0 to below 1", belowOne, 0)
      .option("--log", "put values on a logarithmic scale")
      .option("--output <file>", "write an SVG or HTML file", chartFile)
      .action((folders: string[], options: PlotOptions) => plot(folders, options, environment));
    return command;
  }
}

async function plot(
  folders: readonly string[],
  { metric, smooth, log = false, output, json }: PlotOptions,
  { stdout, stderr, env = process.env }: RunsEnvironment,
): Promise<void> {
  const runs = await readAll(folders);
  const isHtml = output?.endsWith(".html") === true;
  const metrics = metricsOf(runs, metric ?? (isHtml ? null : ["loss"]), isHtml);
  const charts = metrics.map((name) => ({
    ...{ title: `${plain(name)} by step`, smooth, log },
    series: runs.flatMap((run): Series[] => {
      const curve = run.curves.get(name);
      return curve === undefined ? [] : [{ name: plain(run.name), curve }];
    }),
  }));
  if (output !== undefined) {
    const title = `Runs ${runs.map(({ name }) => name).join(", ")}`;
    const content = isHtml
      ? await htmlReport(runs, { title, metrics, smooth, log })
      : svgDocument(charts);
    await writeFileAtomic(output, content);
    if (!json) stderr.write(`wrote ${output}\n`);
  }
  if (json) {
    const curves = (run: Run) =>
      Object.fromEntries(metrics.map((name) => [name, run.curves.get(name) ?? null]));
    const shown = runs.map((run) => ({ name: run.name, folder: run.folder, curves: curves(run) }));
    stdout.write(`${JSON.stringify({ runs: shown, ...(output && { output }) })}\n`);
  } else if (output === undefined) {
    const columns = stdout.columns ?? (Number(env["COLUMNS"]) || COLUMNS);
    const colour = stdout.isTTY === true && !env["NO_COLOR"];
    stdout.write(
      charts
        .map(({ series, ...chart }) => terminalPlot(series, { ...chart, columns, colour }))
        .join("\n"),
    );
  }
}

/** Reads runs and gives those that share a name their folder's. */
async function readAll(folders: readonly string[]): Promise<Run[]> {
  const runs: Run[] = [];
  for (const folder of folders) runs.push(await readRun(folder));
  const isShared = (name: string) => runs.filter((run) => run.name === name).length > 1;
  return runs.map((run) => (isShared(run.name) ? { ...run, name: run.folder } : run));
}

/**
 * Full names of the curves that are meant; null means all, those of the system last and only where asked for.
 * @throws DataError where no run has such a curve.
 */
function metricsOf(
  runs: readonly Run[],
  wanted: readonly string[] | null,
  withSystem = false,
): string[] {
  const names = [...new Set(runs.flatMap(({ curves }) => [...curves.keys()]))];
  const files = runs.map(({ folder }) => folder).join(", ");
  if (names.length === 0) throw new DataError({ file: files }, "no values have been logged yet");
  if (wanted === null) {
    const isSystem = (name: string) => name.startsWith("system/") || name === "train/epoch";
    const own = names.filter((name) => !isSystem(name));
    return withSystem ? [...own, ...names.filter(isSystem)] : own;
  }
  return wanted.map((metric) => {
    const name = curveName(names, metric);
    if (name === undefined)
      throw new DataError({ file: files }, `no curve "${metric}"; there are ${names.join(", ")}`);
    return name;
  });
}

const names = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...value.split(",").filter((name) => name !== ""),
];

function chartFile(value: string): string {
  if (!/.\.(svg|html)$/.test(value))
    throw new InvalidArgumentError("Expected a file that ends in .svg or .html.");
  return value;
}
