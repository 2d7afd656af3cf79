/** `npm run -s bench`: times the library against others, workload by workload, side by side in one run. */
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { ours, peers, type Library } from "./libraries.ts";
import { memory, time, type MemoryRow, type Row, type Timing } from "./measure.ts";
import { workloads, type Workload } from "./workloads.ts";

const help = `Usage: npm run -s bench -- [options]

Times training steps (forward, backward, update) of this library and of others in turns.

  --only NAME,…   these workloads only
  --peer NAME,…   against these libraries only (default: ${names(peers.filter((p) => p.usual))})
  --rounds N      turns per library, of about 0.6 s each, whose median counts (default 7)
  --memory        peak memory instead of time; encoder-22m against pytorch unless told otherwise
  --json          one JSON array on standard output instead of a table
  --list          the names of workloads and peers
  --help          this text

PyTorch is looked for through python3, or the interpreter named in LEARNING_LOOP_PYTHON;
TensorFlow.js and jax-js come with: npm ci --prefix bench
`;

interface Named {
  readonly name: string;
}

function names(items: readonly Named[]): string {
  return items.map((item) => item.name).join(", ");
}

/** The items a comma-separated option names. */
function pick<T extends Named>(option: string, given: string, known: readonly T[]): T[] {
  return given.split(",").map((name) => {
    const found = known.find((item) => item.name === name.trim());
    if (!found) throw new Error(`${option}: unknown name "${name}", known are ${names(known)}`);
    return found;
  });
}

function parseRounds(given: string): number {
  const rounds = Number(given);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds: expected a whole number of at least 1, got "${given}"`);
  return rounds;
}

const note = (line: string): boolean => process.stderr.write(`${line}\n`);

/** Those of `libraries` that are there; the others are reported. */
function present(libraries: readonly Library[]): Library[] {
  return libraries.filter((library) => {
    const reason = library.missing();
    if (reason !== undefined) note(`${library.name} is left out: ${reason}`);
    return reason === undefined;
  });
}

/** Calls `measure` for every pair that can be measured; a failure is reported and makes the exit code 1. */
async function forPairs<T>(
  chosen: readonly Workload[],
  against: readonly Library[],
  measure: (workload: Workload, peer: Library) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  for (const workload of chosen) {
    for (const peer of against) {
      const reason = peer.cannot(workload);
      if (reason !== undefined) {
        note(`${workload.name} against ${peer.name} is left out: ${reason}`);
        continue;
      }
      try {
        results.push(await measure(workload, peer));
      } catch (error) {
        note(`${workload.name} against ${peer.name} failed: ${(error as Error).message}`);
        process.exitCode = 1;
      }
    }
  }
  return results;
}

function print(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of rows) {
    const cells = row.map((cell, column) => {
      const width = widths?.[column] ?? 0;
      return /^[\d.]/.test(cell) ? cell.padStart(width) : cell.padEnd(width);
    });
    console.log(cells.join("  ").trimEnd());
  }
}

function printTimes(timings: readonly Timing[]): void {
  print([
    ["workload", "ours ms", "peer", "peer ms", "ratio", "first step ms", "(peer)"],
    ...timings.map(({ row, oursFirstMs, peerFirstMs }) => [
      row.workload,
      row.ours_ms.toFixed(3),
      row.peer,
      row.peer_ms.toFixed(3),
      row.ratio.toFixed(3),
      oursFirstMs.toFixed(0),
      peerFirstMs.toFixed(0),
    ]),
  ]);
  printVersions(timings.map(({ row }) => row));
}

function printMemory(rows: readonly MemoryRow[]): void {
  print([
    ["workload", "ours MB", "peer", "peer MB", "ratio"],
    ...rows.map((row) => [
      row.workload,
      String(row.ours_mb),
      row.peer,
      String(row.peer_mb),
      row.ratio.toFixed(3),
    ]),
  ]);
  printVersions(rows);
}

function printVersions(rows: readonly (Row | MemoryRow)[]): void {
  console.log();
  for (const row of rows) console.log(`${row.workload}, ${row.peer}: ${row.peer_version}`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      peer: { type: "string" },
      rounds: { type: "string", default: "7" },
      memory: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  if (values.list) {
    console.log(`workloads: ${names(workloads)}\npeers: ${names(peers)}`);
    return;
  }
  const load = loadavg()[0] ?? 0;
  if (load > 0.5)
    note(
      `other programs keep this machine busy (load ${load.toFixed(1)}): do not trust the results`,
    );
  const rounds = parseRounds(values.rounds);
  const only = values.only ?? (values.memory ? "encoder-22m" : names(workloads));
  const peer = values.peer ?? (values.memory ? "pytorch" : names(peers.filter((p) => p.usual)));
  const chosen = pick("--only", only, workloads);
  const against = present(pick("--peer", peer, peers));
  if (values.memory) {
    const rows = await forPairs(chosen, against, (w, p) => memory(w, ours, p));
    if (values.json) console.log(JSON.stringify(rows, null, 2));
    else printMemory(rows);
    return;
  }
  const timings = await forPairs(chosen, against, (w, p) => time(w, ours, p, rounds));
  if (values.json)
    console.log(
      JSON.stringify(
        timings.map(({ row }) => row),
        null,
        2,
      ),
    );
  else printTimes(timings);
}

try {
  await main();
} catch (error) {
  note((error as Error).message);
  process.exitCode = 1;
}
