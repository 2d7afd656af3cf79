/** The `ner` command around a tagger made of rules: options, errors, reports and what it writes. */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runNer, type NerEnvironment } from "../../src/cli/ner-command.ts";
import { nerRuns, type NerBackend, type NerTraining } from "../../src/cli/ner-job.ts";
import { programName } from "../../src/cli/program.ts";
import type { Tagger } from "../../src/tasks/ner/tagger.ts";
import type { TrainingExtent } from "../../src/tasks/training-extent.ts";
import type { TrainTaggerOptions } from "../../src/tasks/ner/train.ts";
import { tokenize } from "../../src/text/tokenize.ts";
import type { TrainingEvent } from "../../src/train/events.ts";
import { runHere } from "../../src/train/worker.ts";
import { temporaryFolder } from "../data/temp.ts";
import { endEvent, startEvent, stepEvent } from "../train/events.ts";

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

/** A training of four steps, or of what `run` does. */
const emailTraining = ({
  tagger = emailTagger(),
  events = [startEvent(), ...[1, 2, 3, 4].map((step) => stepEvent({ step, steps: 4 })), endEvent()],
}: {
  tagger?: Tagger;
  events?: Iterable<TrainingEvent> | AsyncIterable<TrainingEvent>;
} = {}): NerTraining => ({
  tagger,
  trainer: {
    run: async function* () {
      yield* events;
    },
    pause: () => undefined,
    resume: () => undefined,
    stop: () => undefined,
  },
  takeBest: () => Promise.resolve(),
});

const BACKEND: NerBackend = {
  train: () => emailTraining(),
  load: (folder) => Promise.reject(new Error(`${folder}: nothing there`)),
  useDevice: (device) =>
    device === undefined
      ? Promise.resolve("abacus")
      : Promise.reject(new Error(`device ${device}: no adapter`)),
};

async function run(args: string[], backend: Partial<NerBackend> = {}) {
  let stdout = "";
  let stderr = "";
  const runs = nerRuns({ ...BACKEND, ...backend });
  const environment: NerEnvironment = {
    program: "loop",
    version: "1.2.3",
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    run: (name, job) => runHere(runs[name], job),
  };
  const code = await runNer(args, environment);
  return { code, stdout, stderr };
}

/** Lines of JSON on stdout. */
const linesOf = (stdout: string): unknown[] =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);

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
    const lines = linesOf(stdout);
    expect(lines.slice(0, -1)).toMatchObject([
      { type: "start" },
      ...[1, 2, 3, 4].map((step) => ({ type: "step", step, steps: 4 })),
      { type: "end", reason: "finished" },
    ]);
    const result = lines.at(-1) as { f1: number; labels: object; entities: unknown[] };
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
    const backend: Partial<NerBackend> = {
      train: (documents, options) => {
        seen.push(options);
        expect(documents).toHaveLength(1600);
        return emailTraining();
      },
    };
    const args =
      "--epochs 3 --max-steps 7 --batch-size 5 --lr 0.5 --seed 9 --eval-steps epoch --patience 2 --accumulate 3 --logging-steps 4 --skip-non-finite";
    const { code, stderr } = await run(args.split(" "), backend);
    expect(code).toBe(0);
    expect(seen).toMatchObject([
      {
        ...{ epochs: 3, maxSteps: 7, batchSize: 5, learningRate: 0.5, seed: 9, evalSteps: "epoch" },
        ...{ patience: 2, accumulate: 3, loggingSteps: 4, onNonFinite: "skip" },
      },
    ]);
    expect(seen[0]?.validation).toHaveLength(100);
    expect(seen[0]).not.toHaveProperty("output");
    expect(stderr).toContain("resumes to train on");
  });

  test("writes model and result", async () => {
    const output = join(folder, "new", "run");
    const { code } = await run(["--data", file("data.jsonl", DATA), "--output", output]);
    expect(code).toBe(0);
    expect(readdirSync(output).sort()).toEqual(["model", "result.json", "training.json"]);
    expect(readdirSync(join(output, "model"))).toEqual(["model.bin"]);
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
      `error: ${output}: holds a run already (model); name another folder, go on with it with --resume, or replace it with --overwrite\n`,
    );
    expect(readFileSync(join(output, "result.json"), "utf8")).toBe(before);
    expect((await run([...args, "--overwrite"], elsewhere)).code).toBe(0);
    expect(readFileSync(join(output, "result.json"), "utf8")).toContain("elsewhere");
  });
});

describe("--model", () => {
  const never: NerBackend["train"] = () => {
    throw new Error("training was begun");
  };
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
  const never: NerBackend["train"] = () => {
    throw new Error("training was begun");
  };
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

describe.each([
  ["SIGINT", "Ctrl-C", 130],
  ["SIGTERM", "SIGTERM", 143],
] as const)("%s", (signal, name, exitCode) => {
  const data = () => ["--data", file("data.jsonl", DATA)];
  /** Is interrupted after so many of 9 steps. */
  const interruptedAfter = (steps: number): Partial<NerBackend> => ({
    train: () => {
      let stop: () => void;
      const stopped = new Promise<void>((resolve) => (stop = resolve));
      async function* events() {
        yield startEvent();
        process.emit(signal, signal);
        await stopped;
        yield endEvent({ reason: "stopped", step: steps });
      }
      const training = emailTraining({
        tagger: emailTagger({ steps, plannedSteps: 9 }),
        events: events(),
      });
      return { ...training, trainer: { ...training.trainer, stop: () => stop() } };
    },
  });

  test("without --output stops with its exit code and nothing written", async () => {
    const before = process.listenerCount(signal);
    const { code, stdout, stderr } = await run(data(), interruptedAfter(5));
    expect([code, stdout]).toEqual([exitCode, ""]);
    expect(stderr).toContain("press Ctrl-C again to leave at once");
    expect(stderr).toContain(`error: stopped by ${name}, nothing was written`);
    expect(process.listenerCount(signal)).toBe(before);
  });

  test("with --output saves what was trained, unmeasured and marked", async () => {
    const output = join(folder, `stopped ${signal}`);
    const args = [...data(), "--output", output, "--json"];
    const { code, stdout, stderr } = await run(args, interruptedAfter(5));
    expect(code).toBe(exitCode);
    expect(linesOf(stdout).at(-1)).toEqual({
      interrupted: true,
      steps: 5,
      plannedSteps: 9,
      device: "abacus",
    });
    expect(readFileSync(join(output, "result.json"), "utf8")).toBe(
      `${stdout.trimEnd().split("\n").at(-1)}\n`,
    );
    expect(readdirSync(output).sort()).toEqual(["model", "result.json", "training.json"]);
    expect(stderr.trimEnd().split("\n").at(-1)).toBe(
      `error: stopped by ${name}, saved unmeasured after 5 of 9 steps: wrote model/model.bin, result.json to ${output}; --resume goes on`,
    );
  });

  test("before the first step leaves nothing to save", async () => {
    const output = join(folder, `stopped early ${signal}`);
    const { code, stderr } = await run([...data(), "--output", output], interruptedAfter(0));
    // But with which options to begin again.
    expect([code, readdirSync(output)]).toEqual([exitCode, ["training.json"]]);
    expect(stderr).toContain(
      `error: stopped by ${name}, before the first step; no model was written`,
    );
  });

  test("while measuring saves the model too", async () => {
    const output = join(folder, `unmeasured ${signal}`);
    const tagger: Tagger = {
      ...emailTagger(),
      tag: async (_, stopping) => {
        process.emit(signal, signal);
        await new Promise((resolve) => setImmediate(resolve));
        stopping?.throwIfAborted();
        throw new Error("the signal was not aborted");
      },
    };
    const { code } = await run([...data(), "--output", output], {
      train: () => emailTraining({ tagger }),
    });
    expect([code, readdirSync(output).sort()]).toEqual([
      exitCode,
      ["model", "result.json", "training.json"],
    ]);
  });
});

describe("--config", () => {
  const seen: TrainTaggerOptions[] = [];
  const backend: Partial<NerBackend> = {
    train: (_, options) => {
      seen.push(options);
      return emailTraining();
    },
  };
  const withConfig = (config: unknown, ...args: string[]) => {
    const content = typeof config === "string" ? config : JSON.stringify(config);
    return run(["--config", file("options.json", content), ...args], backend);
  };

  test("gives any option by its name, and the command line goes first", async () => {
    const config = { "batch-size": 5, lr: 0.25, evalSteps: "epoch", data: file("d.jsonl", DATA) };
    const { code, stderr } = await withConfig({ ...config, quiet: true }, "--lr", "0.5");
    expect([code, stderr]).toEqual([0, ""]);
    expect(seen.at(-1)).toMatchObject({ batchSize: 5, learningRate: 0.5, evalSteps: "epoch" });
  });

  test.each<[string, unknown, string]>([
    ["an unknown key", { epoch: 3 }, "field epoch: unknown option; there are read, model, data,"],
    ["a value out of range", { epochs: 0 }, "field epochs: Expected a whole number from 1"],
    ["a value of another kind", { "batch-size": [1] }, "field batch-size: expected a string or"],
    ["a flag that is no flag", { quiet: "yes" }, "field quiet: expected true or false"],
    ["a choice that there is not", { device: "abacus" }, "Allowed choices are cpu, webgpu, wasm"],
    ["itself", { config: "more.json" }, "field config: unknown option"],
    ["a list", [1], "expected a JSON object of options"],
    ["no JSON", "{", "not valid JSON"],
  ])("%s is one error naming the file", async (_, config, message) => {
    const { code, stdout, stderr } = await withConfig(config, "--quiet");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^error: [^\n]*options\.json[^\n]+\n$/);
    expect(stderr).toContain(message);
  });

  test("options of a training do not go with --model there either", async () => {
    const { code, stderr } = await withConfig({ epochs: 3 }, "--model", "m");
    expect(code).toBe(2);
    expect(stderr).toContain("'--model <folder>' cannot be used with \"epochs\" of --config");
  });
});

describe("--resume", () => {
  test("needs a folder, and one without another model", async () => {
    const without = await run(["--resume", "--quiet"]);
    expect([without.code, without.stderr]).toEqual([
      2,
      expect.stringContaining("'--resume' needs '--output <folder>'"),
    ]);
    const output = join(folder, "a model");
    mkdirSync(join(output, "model"), { recursive: true });
    const { code, stderr } = await run(["--resume", "--output", output, "--quiet"]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `error: ${output}: holds a model already (model), but no checkpoint to go on from; name another folder\n`,
    );
    const both = await run(["--resume", "--overwrite", "--output", output]);
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining("cannot be used with")]);
  });

  test("of a folder that is no checkpoint is one error", async () => {
    const { code, stderr } = await run(["--resume", join(folder, "nowhere"), "--quiet"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/nowhere\/training\.json: no such file.*is it a checkpoint/);
  });
});
