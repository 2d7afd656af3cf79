/** The program as users start it: its exit codes, what it prints and what it writes. */
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { toSpanLine } from "../../src/data/span-lines.ts";
import { fromSafetensors } from "../../src/hub/safetensors.ts";
import { generateResumes } from "../../src/tasks/ner/generate/resumes.ts";
import { temporaryFolder } from "../data/temp.ts";
import { ROOT, start } from "./start.ts";

const { folder, file } = temporaryFolder();
const DATA = file("data.jsonl", generateResumes(12, 3).map(toSpanLine).join("\n"));

describe("a run", () => {
  test("trains, measures, reads, writes, and ends stdout with one line of JSON", async () => {
    const output = join(folder, "run");
    const cv = "Zoë 𝒜 Doe\nzoe@example.org\nSKILLS\nPython, SQL\n";
    const args = ["--data", DATA, "--read", file("cv.txt", cv), "--output", output, "--keep", "1"];
    const { code, stdout, stderr } = await start([...args, "--json", "--max-steps", "3"]);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    const events = lines.slice(0, -1).map((line) => JSON.parse(line) as { type: string });
    expect(events.map(({ type }) => type)).toEqual([
      ...["start", "checkpoint", "step", "checkpoint", "end"],
    ]);
    const result = JSON.parse(lines.at(-1) ?? "") as {
      f1: number;
      labels: Record<string, { f1: number; support: number }>;
      entities: { label: string; text: string; start: number; end: number; confidence: number }[];
    };
    expect(result.f1).toBeGreaterThanOrEqual(0);
    expect(Object.keys(result.labels)).toContain("Skills");
    for (const { text, start, end, confidence } of result.entities) {
      expect(text).toBe(cv.slice(start, end));
      expect(confidence).toBeGreaterThan(0);
      expect(confidence).toBeLessThanOrEqual(1);
    }
    expect(stderr).toContain("step 3/3");
    expect(readdirSync(output).sort()).toEqual([
      "checkpoint-3",
      "config.json",
      expect.stringMatching(/^events\.out\.tfevents\./),
      "metrics.jsonl",
      "model",
      "result.json",
      "summary.json",
      "training.json",
    ]);
    const model = join(output, "model");
    expect(readdirSync(model).sort()).toEqual([
      "config.json",
      "model.safetensors",
      "vocabularies.json",
    ]);
    expect(readFileSync(join(output, "result.json"), "utf8")).toBe(`${lines.at(-1)}\n`);
    expect(JSON.parse(readFileSync(join(output, "config.json"), "utf8"))).toMatchObject({
      command: ["npm start --", ...args, "--json", "--max-steps", "3"],
      options: { data: DATA, maxSteps: 3, batchSize: 16, lr: 0.004 },
      seed: 1,
      device: "cpu",
      data: { path: DATA },
    });
    const { tensors } = fromSafetensors(readFileSync(join(model, "model.safetensors")));
    expect(tensors["classifier.weight"]?.shape[0]).toBe(
      Object.keys(
        (JSON.parse(readFileSync(join(model, "config.json"), "utf8")) as { id2label: object })
          .id2label,
      ).length,
    );
  });

  test("--version is the package's", async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      version: string;
    };
    const { code, stdout, stderr } = await start(["--version"]);
    expect([code, stdout, stderr]).toEqual([0, `${version}\n`, ""]);
  });

  test("--help", async () => {
    const { code, stdout, stderr } = await start(["--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("Usage: npm start --");
  });
});

describe("wrong usage and bad input are told at once, and nothing is written", () => {
  test.concurrent.each<[string, string[], number, string]>([
    ["an unknown option", ["--nonsense"], 2, "unknown option '--nonsense'"],
    ["an unknown device", ["--device", "abacus"], 2, "Allowed choices are cpu, webgpu, wasm"],
    ["a missing file", ["--data", join(folder, "none")], 1, "none: no such file"],
    ["an empty file", ["--data", file("empty.jsonl", "")], 1, "the file is empty"],
    ["a folder", ["--data", folder], 1, "got a directory"],
    [
      "a truncated file",
      ["--data", file("cut.jsonl", readFileSync(DATA, "utf8").slice(0, -9))],
      1,
      "cut.jsonl, line 12: the line is not valid JSON",
    ],
    ["UTF-16", ["--data", file("wide.jsonl", Buffer.from("\ufeff{}", "utf16le"))], 1, "got UTF-16"],
    ["a zip that is none", ["--data", file("bad.zip", "text")], 1, "expected a zip archive"],
    ["a missing resume", ["--read", join(folder, "none.txt")], 1, "none.txt: no such file"],
    [
      "a folder that cannot be written",
      ["--data", DATA, "--output", file("plain", "x")],
      1,
      "output folder is not writable",
    ],
  ])("%s", async (name, args, expected, message) => {
    const output = join(folder, `untouched ${name}`);
    mkdirSync(output);
    const withOutput = args.includes("--output") ? args : [...args, "--output", output];
    const { code, stdout, stderr } = await start([...withOutput, "--quiet"]);
    expect([code, stdout]).toEqual([expected, ""]);
    expect(stderr).toContain(message);
    expect(stderr.match(/^error: /gm)).toHaveLength(1);
    expect(stderr).not.toContain("    at ");
    expect(readdirSync(output)).toEqual([]);
  });

  test("an unknown device in the environment", async () => {
    const env = { LEARNING_LOOP_DEVICE: "abacus" };
    const { code, stderr } = await start(["--quiet"], { env });
    expect(code).toBe(2);
    expect(stderr).toContain("Allowed choices are cpu, webgpu, wasm");
  });
});

describe("signals while training", () => {
  const long = ["--data", DATA, "--epochs", "10000"];

  test.each([
    ["SIGINT", "Ctrl-C", 130],
    ["SIGTERM", "SIGTERM", 143],
  ] as const)(
    "one %s stops in order, and saves a model that can be read",
    async (signal, name, exitCode) => {
      const output = join(folder, `stopped ${signal}`);
      let sent = false;
      const args = ["--data", DATA, "--max-steps", "300", "--output", output, "--json"];
      const { code, stdout, stderr } = await start([...args, "--save-steps", "1000"], {
        onStderr: (text, kill) => {
          if (sent || !text.includes("step 30/300")) return;
          sent = true;
          kill(signal);
        },
      });
      expect(code).toBe(exitCode);
      const { steps, ...rest } = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as {
        steps: number;
      };
      expect(rest).toMatchObject({ interrupted: true, device: "cpu" });
      expect(readdirSync(output)).toContain(`checkpoint-${steps}`);
      expect(stderr).toContain("press Ctrl-C again to leave at once");
      expect(stderr.trimEnd().split("\n").at(-1)).toMatch(
        new RegExp(
          `^error: stopped by ${name}, saved unmeasured after \\d+ of 300 steps: wrote model/config\\.json, .* to `,
        ),
      );
      if (signal === "SIGTERM") return;

      const read = await start(["--model", output]);
      expect(read.code).toBe(0);
      expect(read.stderr).toContain(`whose training was stopped after ${steps} of `);
      expect(read.stdout).toContain("found on cpu:");
    },
  );

  test("two leave at once", async () => {
    let sent = false;
    const { code, stdout } = await start(long, {
      onStderr: (text, kill) => {
        if (sent || !text.includes("to train on")) return;
        sent = true;
        setTimeout(() => {
          kill("SIGINT");
          setTimeout(() => kill("SIGTERM"), 1);
        }, 500);
      },
    });
    expect([code, stdout]).toEqual([130, ""]);
  });
});

test("a reader that closes the pipe is no error", async () => {
  const child = spawn(process.execPath, ["--import", "tsx", "src/cli/main.ts", "--help"], {
    cwd: ROOT,
  });
  child.stdout.destroy();
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect([code, stderr]).toEqual([0, ""]);
});
