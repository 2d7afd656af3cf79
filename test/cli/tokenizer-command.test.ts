/** The `tokenizer` command: what it writes and prints, how it refuses, and that Ctrl-C leaves nothing behind. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { runTokenizer } from "../../src/cli/tokenizer-command.ts";
import { trainBpe, trainWordPiece } from "../../src/text/tokenizer/trainer.ts";
import { Tokenizer } from "../../src/text/tokenizer/tokenizer.ts";
import { temporaryFolder } from "../data/temp.ts";

const { folder, file } = temporaryFolder();
const at = (name: string) => join(folder, name);

const LINES = [
  "The ferry left the harbour before the harbour master came.\n",
  "The ferry's master was at breakfast; été 😀.\n",
];
const TEXT = LINES.join("");

async function run(args: readonly string[], input = "") {
  let [stdout, stderr] = ["", ""];
  const code = await runTokenizer(args, {
    program: "loop",
    stdin: Readable.from([Buffer.from(input)]),
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
  });
  return { code, stdout, stderr };
}

let text: string;
beforeAll(() => {
  text = file("text.txt", TEXT);
});

describe("train", () => {
  test("writes what the library trains", async () => {
    const output = at("bpe.json");
    const special = ["--special-tokens", "<pad>,<s>", "--special-tokens", "</s>"];
    const { code, stdout, stderr } = await run(
      ["train", text, "--vocab-size", "280", ...special, "--output", output], //
    );
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toMatch(/^wrote .*bpe\.json: 280 tokens from 2 lines in 0:0\d\n$/);
    const options = { vocabSize: 280, minFrequency: 2, specialTokens: ["<pad>", "<s>", "</s>"] };
    expect(JSON.parse(readFileSync(output, "utf8"))).toEqual(
      JSON.parse(JSON.stringify(await trainBpe(LINES, options))),
    );
  });

  test("reads several files, compressed ones and stdin, and prints one line of JSON", async () => {
    const packed = file("text.txt.gz", gzipSync(TEXT));
    const output = at("wordpiece.json");
    const { code, stdout, stderr } = await run(
      ["train", packed, "-", "--type", "wordpiece", "--output", output, "--json", "--quiet"],
      "more ferries\n",
    );
    expect([code, stderr]).toEqual([0, ""]);
    const result = JSON.parse(stdout) as Record<string, unknown>;
    const wanted = await trainWordPiece([...LINES, "more ferries\n"], { minFrequency: 2 });
    expect((await Tokenizer.load(output)).toJSON()).toEqual(wanted.toJSON());
    expect(result).toMatchObject({ output, type: "wordpiece", lines: 3 });
    expect(result["vocabSize"]).toBe(wanted.vocabSize);
  });

  test("keeps case where it is told to", async () => {
    const output = at("cased.json");
    const args = ["train", text, "--cased", "--output", output, "--quiet"];
    expect(await run([...args, "--type", "wordpiece"])).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(readFileSync(output, "utf8"))).toEqual(
      JSON.parse(
        JSON.stringify(await trainWordPiece(LINES, { minFrequency: 2, lowercase: false })),
      ),
    );
    expect((await run(args)).stderr).toContain(
      "error: option '--cased' is for --type wordpiece; bpe keeps case anyway",
    );
  });

  test("warns where the alphabet is more than the vocabulary", async () => {
    const { code, stderr } = await run(
      ["train", text, "--vocab-size", "100", "--output", at("small.json")], //
    );
    expect(code).toBe(0);
    expect(stderr).toContain(
      "warning: special tokens and alphabet alone are 256 tokens, more than --vocab-size 100",
    );
  });

  test("keeps a file that is there, unless told to replace it", async () => {
    const output = file("mine.json", "mine");
    const { code, stderr } = await run(["train", text, "--output", output]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: .*mine\.json: is there already.*--overwrite\n$/);
    expect(readFileSync(output, "utf8")).toBe("mine");
    expect((await run(["train", text, "--output", output, "--overwrite"])).code).toBe(0);
    expect((await Tokenizer.load(output)).vocabSize).toBeGreaterThan(256);
  });

  test.each([
    [["train"], 2, "missing required argument 'files'"],
    [["train", "x", "--vocab-size", "0"], 2, "Expected a whole number from 1"],
    [["train", "x", "--type", "unigram"], 2, "Allowed choices are bpe, wordpiece"],
    [["train", "x", "--type", "wordpiece", "--special-tokens", "a"], 2, "needs [UNK]"],
    [["train", at("none.txt"), "--output", at("no.json")], 1, "none.txt: no such file"],
    [["train", folder, "--output", at("no.json")], 1, "expected a file, got a directory"],
    [["train", "-", "--output", at("no.json")], 1, "there is no text"],
    [["train", "-", "--output", "/proc/no/no.json"], 1, "not writable"],
    [["train", "x", "--output", folder, "--overwrite"], 1, "is a directory; name a file"],
  ])("refuses %j", async (args, expected, message) => {
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout]).toEqual([expected, ""]);
    expect(stderr).toContain(message);
    expect(existsSync(at("no.json"))).toBe(false);
  });

  test("names the byte that is not UTF-8 and writes nothing", async () => {
    const bad = file("latin1.txt", Uint8Array.of(0x6e, 0x61, 0xef, 0x76, 0x65));
    const { code, stderr } = await run(["train", bad, "--output", at("bad.json")]);
    expect(code).toBe(1);
    expect(stderr).toContain("latin1.txt: expected UTF-8, got byte 0xEF at byte offset 2");
    expect(existsSync(at("bad.json"))).toBe(false);
  });

  test("Ctrl-C stops it and leaves nothing behind", async () => {
    const outputs = at("stopped");
    mkdirSync(outputs);
    let stderr = "";
    const stdin = Readable.from(
      (async function* () {
        for (let i = 0; ; i++) {
          if (i === 3) process.emit("SIGINT");
          await new Promise((resolve) => setTimeout(resolve, 20));
          yield Buffer.from(TEXT);
        }
      })(),
    );
    const code = await runTokenizer(["train", "-", "--output", join(outputs, "t.json")], {
      program: "loop",
      stdin,
      stdout: { write: () => undefined },
      stderr: { write: (text) => (stderr += text) },
    });
    expect(code).toBe(130);
    expect(stderr).toMatch(/error: stopped by Ctrl-C, nothing was written\n$/);
    expect(readdirSync(outputs)).toEqual([]);
  });
});

describe("encode and decode", () => {
  let tokenizer: string;
  beforeAll(async () => {
    mkdirSync(at("model"));
    tokenizer = at("model/tokenizer.json");
    const specialTokens = ["[UNK]", "[CLS]", "[SEP]"];
    await (await trainWordPiece(LINES, { specialTokens })).save(tokenizer);
  });

  test("takes the folder of a model or of a run", async () => {
    const model = at("run/model");
    mkdirSync(model, { recursive: true });
    cpSync(tokenizer, join(model, "tokenizer.json"));
    writeFileSync(join(model, "model.safetensors"), "");
    const plain = await run(["encode", tokenizer, "The ferry"]);
    for (const place of [model, at("run")])
      expect(await run(["encode", place, "The ferry"])).toEqual(plain);
  });

  test("shows a table of tokens for each text", async () => {
    const { code, stdout, stderr } = await run(["encode", tokenizer, "The ferry", "été?"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^id +token +offsets +text\n─+ +─+ +─+ +─+\n +1 +\[CLS\] +0–0 +""\n/);
    expect(stdout).toMatch(/\n\d+ +the +0–3 +"The"\n\d+ +ferry +4–9 +"ferry"\n/);
    expect(stdout).toMatch(/\n\nid .*\n.*\n.*\n\d+ +ete +0–3 +"été"\n +0 +\[UNK\] +3–4 +"\?"\n/);
  });

  test("prints lines of JSON for the lines of stdin or a file, from a model's folder", async () => {
    const args = ["encode", at("model"), "--json", "--no-special-tokens"];
    const { stdout } = await run(args, "The ferry\r\n\nferry");
    const loaded = await Tokenizer.load(tokenizer);
    const [the, ferry] = ["the", "ferry"].map((token) => loaded.tokenToId(token));
    const lines = stdout.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        text: "The ferry",
        ids: [the, ferry],
        tokens: ["the", "ferry"],
        offsets: [
          [0, 3],
          [4, 9],
        ],
      },
      { text: "", ids: [], tokens: [], offsets: [] },
      { text: "ferry", ids: [ferry], tokens: ["ferry"], offsets: [[0, 5]] },
    ]);
    const path = file("lines.txt", "The ferry\r\n\nferry");
    expect((await run([...args, "--file", path])).stdout).toBe(stdout);
  });

  test("decoding gives back what encoding printed", async () => {
    const text = "the ferry left the harbour\nthe master came\n";
    for (const option of ["--ids", "--json"]) {
      const { stdout } = await run(["encode", tokenizer, option], text);
      expect(await run(["decode", tokenizer], stdout)).toEqual({
        ...{ code: 0, stderr: "" },
        stdout: text,
      });
    }
    const ids = (await run(["encode", tokenizer, "--ids", "the ferry"])).stdout.trim().split(" ");
    expect((await run(["decode", tokenizer, ...ids, "--special-tokens"])).stdout).toBe(
      "[CLS] the ferry [SEP]\n",
    );
    const { stdout } = await run(["decode", tokenizer, ids.join(","), "--json"]);
    expect(JSON.parse(stdout)).toEqual({ ids: ids.map(Number), text: "the ferry" });
  });

  test.each([
    [["encode", "none.json", "x"], "none.json: no such file"],
    [["decode", "MODEL", "1", "99999"], "id 99999 is none of the tokenizer's"],
    [["decode", "MODEL", "one"], "expected whole numbers with spaces or commas between"],
    [["decode", "MODEL", '{"ids":[1.5]}'], "expected whole numbers with spaces or commas between"],
    [["decode", "MODEL", "[1"], "expected whole numbers with spaces or commas between"],
  ])("refuses %j", async (args, message) => {
    const { code, stdout, stderr } = await run(
      args.map((arg) => (arg === "MODEL" ? tokenizer : arg)), //
    );
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(message);
  });

  test("names the line of ids that is wrong", async () => {
    const { code, stdout, stderr } = await run(["decode", tokenizer], "0\n\nx\n");
    expect([code, stdout]).toEqual([1, "\n\n"]);
    expect(stderr).toContain("error: stdin, line 3: expected whole numbers");
  });

  test("texts and --file do not go together", async () => {
    const { code, stderr } = await run(["encode", tokenizer, "x", "--file", "y"]);
    expect(code).toBe(2);
    expect(stderr).toContain("option '--file <file>' cannot be used with texts or ids");
  });
});

test("every command has help with examples", async () => {
  for (const name of ["train", "encode", "decode"]) {
    const { code, stdout } = await run([name, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain(`Examples:\n  loop tokenizer ${name} `);
  }
  const { code, stdout } = await run(["--help"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/train .*\n +encode .*\n +decode /);
});
