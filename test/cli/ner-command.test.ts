/** The `ner` command around a tagger made of rules: options, errors, reports and what it writes. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runNer, type NerEnvironment } from "../../src/cli/ner-command.ts";
import { programName } from "../../src/cli/program.ts";
import type {
  Tagger,
  TrainingExtent,
  TrainTagger,
  TrainTaggerOptions,
} from "../../src/tasks/ner/tagger.ts";
import { tokenize } from "../../src/text/tokenize.ts";
import { temporaryFolder } from "../data/temp.ts";

const { folder, file } = temporaryFolder();

/** Marks every e-mail address, and nothing else. */
const emailTagger = (training: TrainingExtent = { steps: 4, plannedSteps: 4 }): Tagger => ({
  labels: ["Email Address"],
  training,
  tag: (texts) =>
    Promise.resolve(
      texts.map((text) => {
        const tokens = tokenize(text);
        const tags = tokens.map(({ kind }) => (kind === "email" ? "B-Email Address" : "O"));
        return { text, tokens, tags, confidence: tokens.map(() => 0.75) };
      }),
    ),
  files: () => Promise.resolve(new Map([["model.bin", Uint8Array.of(1, 2)]])),
});

const emailRule =
  (seen: TrainTaggerOptions[] = []): TrainTagger =>
  (_, options) => {
    seen.push(options);
    for (let step = 1; step <= 4; step++) {
      options.onStep?.({ step, steps: 4, epoch: 1, loss: 1 / step });
    }
    return Promise.resolve(emailTagger());
  };

async function run(args: string[], environment: Partial<NerEnvironment> = {}) {
  let stdout = "";
  let stderr = "";
  const code = await runNer(args, {
    program: "loop",
    version: "1.2.3",
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    train: emailRule(),
    load: (folder) => Promise.reject(new Error(`${folder}: nothing there`)),
    useDevice: (device) =>
      device === undefined
        ? Promise.resolve("abacus")
        : Promise.reject(new Error(`device ${device}: no adapter`)),
    ...environment,
  });
  return { code, stdout, stderr };
}

const record = (text: string, end: number) =>
  JSON.stringify({ text, entities: [{ label: "Email Address", start: 0, end }] });
const DATA = Array.from({ length: 10 }, (_, i) =>
  record(`mail${i}@example.org belongs to person number ${i} `.repeat(i + 1), 17),
).join("\n");

describe("a run", () => {
  test("reports scores and entities for people", async () => {
    const { code, stdout, stderr } = await run(["--data", file("data.jsonl", DATA), "--quiet"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("Scores on 2 documents held out, computed on abacus:");
    expect(stdout).toMatch(/Email Address +[\d.]+ +1\.000/);
    // The text, so that what was found in it can be judged.
    expect(stdout).toContain("The text of the sample resume");
    expect(stdout).toMatch(/^ {2}Marisol Quintero-Hayes$/m);
    expect(stdout).toMatch(/Email Address +marisol\.quintero@example\.org +\d+ +\d+ +0\.75/);
  });

  test("ends stdout with one line of JSON", async () => {
    const read = file("cv.txt", "Zoë 𝒜: zoe@example.org\n");
    const data = file("data.jsonl", DATA.replace('"start":0,"end":17', '"start":0,"end":18'));
    const { code, stdout, stderr } = await run(["--data", data, "--read", read, "--json"]);
    expect(code).toBe(0);
    const result = JSON.parse(stdout) as { f1: number; labels: object; entities: unknown[] };
    expect(stdout.trimEnd().split("\n")).toHaveLength(1);
    expect(Object.keys(result)).toEqual([
      "f1",
      "precision",
      "recall",
      "labels",
      "entities",
      "repairs",
      "device",
    ]);
    expect(Object.keys(result.labels)).toEqual(["Email Address"]);
    expect(result.entities).toEqual([
      { label: "Email Address", text: "zoe@example.org", start: 8, end: 23, confidence: 0.75 },
    ]);
    expect(result).toHaveProperty("repairs", { "spans with white space at an edge, trimmed": 1 });
    expect(result).toHaveProperty("device", "abacus");
    expect(stderr).toContain("10 documents (span-lines)");
    expect(stderr).toContain("repaired: spans with white space at an edge, trimmed: 1 in 1 record");
    expect(stderr).toContain("step 4/4");
  });

  test("makes up resumes without data and hands the options on", async () => {
    const seen: TrainTaggerOptions[] = [];
    const args = "--epochs 3 --max-steps 7 --batch-size 5 --lr 0.5 --seed 9".split(" ");
    const { code, stderr } = await run(args, { train: emailRule(seen) });
    expect(code).toBe(0);
    expect(seen).toMatchObject([
      { epochs: 3, maxSteps: 7, batchSize: 5, learningRate: 0.5, seed: 9 },
    ]);
    expect(stderr).toContain("resumes to train on");
  });

  test("writes model and result", async () => {
    const output = join(folder, "new", "run");
    const { code } = await run(["--data", file("data.jsonl", DATA), "--output", output]);
    expect(code).toBe(0);
    expect(readdirSync(output).sort()).toEqual(["model.bin", "result.json"]);
    expect(JSON.parse(readFileSync(join(output, "result.json"), "utf8"))).toHaveProperty("f1");
  });

  test("replaces a saved run only when told to", async () => {
    const output = join(folder, "once");
    const args = ["--data", file("data.jsonl", DATA), "--output", output, "--quiet"];
    expect((await run(args)).code).toBe(0);
    const before = readFileSync(join(output, "result.json"), "utf8");
    const elsewhere = { useDevice: () => Promise.resolve("elsewhere") };
    const { code, stdout, stderr } = await run(args, elsewhere);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toBe(
      `error: ${output}: holds a run already (result.json); name another folder, or replace the run with --overwrite\n`,
    );
    expect(readFileSync(join(output, "result.json"), "utf8")).toBe(before);
    expect((await run([...args, "--overwrite"], elsewhere)).code).toBe(0);
    expect(readFileSync(join(output, "result.json"), "utf8")).toContain("elsewhere");
  });
});

describe("--model", () => {
  const never: TrainTagger = () => Promise.reject(new Error("training was begun"));
  const load = (folder: string) =>
    Promise.resolve(emailTagger({ steps: folder === "cut" ? 3 : 9, plannedSteps: 9 }));
  const environment = { train: never, load };

  test("reads a text without training, and measures nothing", async () => {
    const read = file("cv.txt", "zoe@example.org\n");
    const args = ["--model", "saved", "--read", read];
    const { code, stdout } = await run([...args, "--json", "--quiet"], environment);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      entities: [
        { label: "Email Address", text: "zoe@example.org", start: 0, end: 15, confidence: 0.75 },
      ],
      device: "abacus",
    });
    const people = await run(args, environment);
    expect(people.stderr).toBe("saved: a model of 1 labels\n");
    expect(people.stdout).toContain(`Entities in ${read}, found on abacus:`);
    expect(people.stdout).not.toContain("Scores");
    expect(people.stdout).not.toContain("The text of");
  });

  test("measures on all documents of a file", async () => {
    const args = ["--model", "cut", "--data", file("data.jsonl", DATA)];
    const { stdout, stderr } = await run([...args, "--json"], environment);
    // Each of the ten documents has one annotated address among 1, 2, … 10 that are found.
    expect(JSON.parse(stdout)).toMatchObject({
      precision: 0.181818,
      recall: 1,
      labels: { "Email Address": { support: 10 } },
    });
    expect(stderr).toContain("whose training was stopped after 3 of 9 steps");
    expect(stderr).toContain(`Scores on all 10 documents of ${args[3]}`);
  });

  test("of a folder without a model is one error", async () => {
    const { code, stdout, stderr } = await run(["--model", "nowhere", "--quiet"]);
    expect([code, stdout, stderr]).toEqual([1, "", "error: nowhere: nothing there\n"]);
  });
});

test("--version", async () => {
  expect(await run(["--version"])).toEqual({ code: 0, stdout: "1.2.3\n", stderr: "" });
});

test.each([
  ["/home/jo/node_modules/.bin/loop", "loop"],
  ["C:\\jo\\node_modules\\learning-loop\\dist\\cli\\main.js", "loop"],
  ["/home/jo/learning-loop/dist/cli/main.js", "loop"],
  ["/home/jo/learning-loop/src/cli/main.ts", "npm start --"],
  [undefined, "npm start --"],
])("the script %s is called as %s", (script, name) => expect(programName(script)).toBe(name));

describe("wrong usage", () => {
  test.each([
    [["--nonsense"], "unknown option '--nonsense'"],
    [["stray"], "too many arguments"],
    [["--device", "abacus"], "Allowed choices are cpu, webgpu, wasm"],
    [["--epochs", "0"], "Expected a whole number from 1 to 10000"],
    [["--epochs", "1.5"], "Expected a whole number"],
    [["--lr", "0"], "Expected a number above 0 and up to 1"],
    [["--lr", "nan"], "Expected a number"],
    [["--seed", "-1"], "Expected a whole number from 0"],
    [["--data"], "argument missing"],
    [["--model", "m", "--epochs", "2"], "'--model <folder>' cannot be used with option '--epochs"],
    [["--model", "m", "--seed", "2"], "'--model <folder>' cannot be used with option '--seed"],
    [["--output", "o", "--model", "m"], "'--model <folder>' cannot be used with option '--output"],
  ])("%j is one error and exit code 2", async (args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
    expect(stderr.match(/error:/g)).toHaveLength(1);
  });

  test("--help lists options, defaults and an example", async () => {
    const { code, stdout, stderr } = await run(["--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/--seed <n> +seed of everything random \(default: 1\)/);
    expect(stdout).toContain("Usage: loop [options]");
    expect(stdout).toContain("loop --data resumes.jsonl");
  });
});

describe("bad input is one error, exit code 1, and nothing is trained or written", () => {
  const never: TrainTagger = () => Promise.reject(new Error("training was begun"));
  const bad = async (args: string[]) => {
    const { code, stdout, stderr } = await run([...args, "--quiet"], { train: never });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
    return stderr;
  };

  test("in the data", async () => {
    expect(await bad(["--data", join(folder, "none")])).toContain("none: no such file");
    expect(await bad(["--data", file("cut.jsonl", DATA.slice(0, -5))])).toContain(
      "cut.jsonl, line 10: the line is not valid JSON",
    );
    const array = file("array.json", JSON.stringify([{ text: "a", entities: [] }], null, 2));
    expect(await bad(["--data", array])).toContain("a JSON array; write one object a line");
    expect(await bad(["--data", file("one.jsonl", record("a b", 1))])).toContain(
      "expected at least two different documents",
    );
    expect(await bad(["--data", file("no.jsonl", '{"text":"a","entities":[]}')])).toContain(
      "nothing to learn",
    );
  });

  test("in the text to read, the device and the output folder", async () => {
    expect(await bad(["--read", file("cv.pdf", "%PDF-1.4")])).toContain("got a PDF document");
    const data = ["--data", file("data.jsonl", DATA)];
    const notWritable = "output folder is not writable";
    expect(await bad([...data, "--device", "webgpu"])).toContain("device webgpu: no adapter");
    expect(await bad([...data, "--output", file("plain", "x")])).toContain(notWritable);
    expect(await bad([...data, "--output", "/proc/none"])).toContain(notWritable);
  });

  test("a failure while training is told and leaves no file", async () => {
    const output = join(folder, "empty");
    const { code, stderr } = await run(["--data", file("data.jsonl", DATA), "--output", output], {
      train: never,
    });
    expect([code, readdirSync(output)]).toEqual([1, []]);
    expect(stderr.trimEnd().split("\n").at(-1)).toBe("error: training was begun");
  });
});

describe("Ctrl-C", () => {
  const data = () => ["--data", file("data.jsonl", DATA)];
  /** Is interrupted after so many of 9 steps. */
  const interruptedAfter =
    (steps: number): TrainTagger =>
    async (_, { signal, shouldStop }) => {
      process.emit("SIGINT");
      await Promise.resolve();
      signal?.throwIfAborted();
      if (!shouldStop?.()) throw new Error("training was not told to stop");
      return emailTagger({ steps, plannedSteps: 9 });
    };

  test("without --output stops with exit code 130 and nothing written", async () => {
    const before = process.listenerCount("SIGINT");
    const { code, stdout, stderr } = await run(data(), { train: interruptedAfter(5) });
    expect([code, stdout]).toEqual([130, ""]);
    expect(stderr).toContain("press Ctrl-C again to leave at once");
    expect(stderr).toContain("error: stopped by Ctrl-C, nothing was written");
    expect(process.listenerCount("SIGINT")).toBe(before);
  });

  test("with --output saves what was trained, unmeasured and marked", async () => {
    const output = join(folder, "stopped");
    const { code, stdout, stderr } = await run([...data(), "--output", output, "--json"], {
      train: interruptedAfter(5),
    });
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toEqual({
      interrupted: true,
      steps: 5,
      plannedSteps: 9,
      device: "abacus",
    });
    expect(readFileSync(join(output, "result.json"), "utf8")).toBe(stdout);
    expect(readdirSync(output).sort()).toEqual(["model.bin", "result.json"]);
    expect(stderr.trimEnd().split("\n").at(-1)).toBe(
      `error: stopped by Ctrl-C, saved unmeasured after 5 of 9 steps: wrote model.bin, result.json to ${output}`,
    );
  });

  test("before the first step leaves nothing to save", async () => {
    const output = join(folder, "stopped early");
    const { code, stderr } = await run([...data(), "--output", output], {
      train: interruptedAfter(0),
    });
    expect([code, readdirSync(output)]).toEqual([130, []]);
    expect(stderr).toContain("error: stopped by Ctrl-C, nothing was written");
  });

  test("while measuring saves the model too", async () => {
    const output = join(folder, "unmeasured");
    const tagger: Tagger = {
      ...emailTagger(),
      tag: async (_, signal) => {
        process.emit("SIGINT");
        await Promise.resolve();
        signal?.throwIfAborted();
        throw new Error("the signal was not aborted");
      },
    };
    const { code } = await run([...data(), "--output", output], {
      train: () => Promise.resolve(tagger),
    });
    expect([code, readdirSync(output).sort()]).toEqual([130, ["model.bin", "result.json"]]);
  });
});
