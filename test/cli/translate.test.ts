/** The `translate` commands as users start them, with a model that is too small to learn much. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { datePairs } from "../../src/tasks/translation/dates.ts";
import { temporaryFolder } from "../data/temp.ts";
import { start } from "./start.ts";

const { folder, file } = temporaryFolder();
const pairs = datePairs({ count: 300, seed: 5 });
const DATA = file(
  "pairs.tsv",
  pairs.map(({ source, target }) => `${source}\t${target}`).join("\n"),
);
const STEPS = 24;
const run = join(folder, "run");
const train = [
  ...["translate", "train", "--data", DATA, "--max-steps", String(STEPS), "--batch-size", "8"],
  ...["--vocab-size", "300", "--d-model", "16", "--heads", "2", "--layers", "1"],
  ...["--feedforward", "32", "--warmup", "4", "--held-out", "20", "--save-steps", "6"],
  ...["--eval-steps", "10", "--eval-pairs", "10", "--logging-steps", "2", "--keep", "2", "--json"],
];

interface Result {
  readonly exactMatch: number;
  readonly bleu: number;
  readonly chrf: number;
  readonly pairs: number;
}
const resultOf = (stdout: string) =>
  JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Result;

beforeAll(async () => {
  const { code, stdout } = await start([...train, "--output", run, "--quiet"]);
  expect(code).toBe(0);
  expect(resultOf(stdout)).toMatchObject({ pairs: 20, device: "cpu", skipped: {} });
  expect(`${stdout.trimEnd().split("\n").at(-1)}\n`).toBe(
    readFileSync(join(run, "result.json"), "utf8"),
  );
}, 120_000);

test("keeps a run that `runs` shows", { timeout: 60_000 }, async () => {
  expect(readdirSync(run).filter((name) => !/^(checkpoint-|events\.)/.test(name))).toEqual([
    ...["config.json", "held-out.tsv", "metrics.jsonl", "model", "result.json", "summary.json"],
    "training.json",
  ]);
  expect(readdirSync(join(run, "model")).sort()).toEqual([
    ...["config.json", "model.safetensors", "tokenizer.json"],
  ]);
  const { stdout } = await start(["runs", "show", run]);
  expect(stdout).toContain("status: finished");
  expect(stdout).toMatch(/^eval\/bleu /m);
});

test("eval repeats what the training measured", { timeout: 60_000 }, async () => {
  const { code, stdout } = await start(["translate", "eval", run, "--json", "--quiet"]);
  const { exactMatch, bleu, chrf } = JSON.parse(
    readFileSync(join(run, "result.json"), "utf8"),
  ) as Result;
  expect([code, JSON.parse(stdout)]).toEqual([
    0,
    expect.objectContaining({ exactMatch, bleu, chrf, pairs: 20 }),
  ]);
});

describe("predict", { timeout: 60_000 }, () => {
  test("translates stdin line for line, greedily and with beams", async () => {
    const stdin = "9 May 2031\n\n1. Mai 1999\n";
    for (const beams of ["1", "3"]) {
      const args = ["translate", "predict", run, "--beams", beams];
      const { code, stdout, stderr } = await start(args, { stdin });
      expect([code, stdout.split("\n").length, stdout.split("\n")[1]]).toEqual([0, 4, ""]);
      expect(stderr).toContain(`${run}: a translator of 1 + 1 layers of 16, 300 tokens`);
    }
  });

  test("shows attention", async () => {
    const page = join(folder, "attention.html");
    const args = ["translate", "predict", run, "9 May 2031", "--attention", page];
    const { code, stdout } = await start([...args, "--target", "2031-05-09"]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^.*\n$/)]);
    expect(readFileSync(page, "utf8")).toMatch(/^<!doctype html>[^]*2031-05-09/);
  });
});

test("a training that is killed goes on bit for bit", { timeout: 120_000 }, async () => {
  const killed = join(folder, "killed");
  let isKilled = false;
  const { signal } = await start([...train, "--output", killed], {
    onStdout: (text, kill) => {
      if (isKilled || !text.includes('"step":14')) return;
      isKilled = true;
      kill("SIGKILL");
    },
  });
  expect(signal).toBe("SIGKILL");
  const { code, stderr } = await start(["translate", "train", "--output", killed, "--resume"]);
  expect([code, stderr.match(/^error.*/gm)]).toEqual([0, null]);
  expect(stderr).toMatch(/^going on from .*killed\/checkpoint-\d+$/m);
  for (const name of ["result.json", "held-out.tsv", "model/model.safetensors"])
    expect(readFileSync(join(killed, name)).equals(readFileSync(join(run, name))), name).toBe(true);
});

test("a training that is killed before its first checkpoint begins again", async () => {
  const killed = join(folder, "killed early");
  let isKilled = false;
  await start([...train, "--output", killed], {
    onStdout: (text, kill) => {
      if (isKilled || !text.includes('"step":2,')) return;
      isKilled = true;
      kill("SIGKILL");
    },
  });
  expect(readdirSync(killed).filter((name) => /^(checkpoint|result|model)/.test(name))).toEqual([]);
  const other = ["translate", "train", "--output", killed, "--resume", "--d-model", "32"];
  expect((await start(other)).stderr).toContain(
    "--d-model must be as it was when the run was begun, 16",
  );
  const { code, stderr } = await start(["translate", "train", "--output", killed, "--resume"]);
  expect([code, stderr.match(/^error.*/gm)]).toEqual([0, null]);
  expect(stderr).toContain("no checkpoint there yet, so the run begins again, with its options");
  for (const name of ["result.json", "held-out.tsv", "model/model.safetensors"])
    expect(readFileSync(join(killed, name)).equals(readFileSync(join(run, name))), name).toBe(true);
}, 120_000);

test(
  "every command is known, and a run of one is none of another",
  { timeout: 60_000 },
  async () => {
    const ner = await start(["--output", run, "--resume"]);
    expect([ner.code, ner.stderr]).toEqual([
      1,
      expect.stringContaining("is of the command translate"),
    ]);
    const help = await start(["--help"]);
    for (const name of ["ner", "translate", "tokenizer", "runs"])
      expect(help.stdout).toMatch(new RegExp(`^  npm start -- ${name} +[a-z]`, "m"));
    const nobody = await start(["translat"]);
    expect([nobody.code, nobody.stderr]).toEqual([
      2,
      "error: unknown command 'translat'; there are ner, translate, tokenizer, runs, each with --help\n",
    ]);
  },
);
