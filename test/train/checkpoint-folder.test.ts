/** Whatever fails while a checkpoint is written, the ones before are whole; what is damaged is found and named. */
import { describe, expect, test } from "vitest";
import {
  CheckpointError,
  cleanCheckpoints,
  latestCheckpoint,
  pruneCheckpoints,
  readCheckpoint,
  writeCheckpoint,
} from "../../src/train/index.ts";
import { FaultyFiles, type Fault } from "./faulty-files.ts";

const files = (version: number) => ({
  "model.safetensors": Uint8Array.from({ length: 50 }, (_, i) => i * version),
  "trainer_state.json": `{"version": ${version}}`,
});
const versionOf = (read: Readonly<Record<string, Uint8Array>>): unknown =>
  (JSON.parse(new TextDecoder().decode(read["trainer_state.json"])) as { version: number }).version;

async function withCheckpoint(): Promise<FaultyFiles> {
  const fileSystem = new FaultyFiles();
  await writeCheckpoint("out", 100, files(1), { fileSystem });
  fileSystem.calls.length = 0;
  return fileSystem;
}

/** Step and version of the newest checkpoint that is whole. */
async function latest(fileSystem: FaultyFiles): Promise<unknown> {
  const { checkpoint, damaged } = await latestCheckpoint("out", { fileSystem });
  expect(damaged).toEqual([]);
  return checkpoint && [checkpoint.step, versionOf(checkpoint.files)];
}

test("all files and both folders are flushed before and after the rename", async () => {
  const fileSystem = await withCheckpoint();
  await writeCheckpoint("out", 200, files(2), { fileSystem });
  expect(fileSystem.unsynced).toEqual([]);
  const { calls } = fileSystem;
  expect(calls.slice(-3)).toEqual([
    "syncFolder out/.checkpoint-200.tmp",
    "rename out/.checkpoint-200.tmp → out/checkpoint-200",
    "syncFolder out",
  ]);
  expect(calls.filter((call) => call.startsWith("sync ")).length).toBe(3);
  expect(await latest(fileSystem)).toEqual([200, 2]);
});

describe.each([
  ["a new checkpoint", 200],
  ["one that replaces another", 100],
])("%s", (_, step) => {
  const FAULTS: readonly Fault[] = [
    { throws: "ENOSPC" },
    { throws: "EIO" },
    { throws: "EROFS" },
    { writesOnly: 0 },
  ];
  test.each(FAULTS)("survives %o at every call", async (fault) => {
    let failures = 0;
    for (let at = 0; ; at++) {
      const fileSystem = await withCheckpoint();
      fileSystem.fault = (call, name) =>
        call !== at || ("writesOnly" in fault && name !== "write") ? undefined : fault;
      const writing = writeCheckpoint("out", step, files(2), { fileSystem });
      const error: unknown = await writing.then(
        () => null,
        (thrown: unknown) => thrown,
      );
      const calls = fileSystem.calls.length;
      fileSystem.fault = () => undefined;
      if (error === null) {
        expect(await latest(fileSystem)).toEqual([step, 2]);
        if (at >= calls) break;
        continue;
      }
      failures++;
      expect(error).toBeInstanceOf(CheckpointError);
      const { message } = error as CheckpointError;
      expect(message).toMatch(`out/checkpoint-${step}: cannot be written (`);
      if ("throws" in fault) expect(message).toMatch(/disk|another folder/);
      else expect(message).toContain("no more bytes could be written");
      // Either the old or the whole new one, in one case both: when the new one's name could not be flushed.
      expect([
        [100, 1],
        [step, 2],
      ]).toContainEqual(await latest(fileSystem));
      await cleanCheckpoints("out", { fileSystem });
      expect(fileSystem.paths.filter((path) => path.includes("/."))).toEqual([]);
      await writeCheckpoint("out", step, files(3), { fileSystem });
      expect(await latest(fileSystem)).toEqual([step, 3]);
    }
    expect(failures).toBeGreaterThan("throws" in fault ? 12 : 2);
  });

  test("survives a disk that stays broken from any call on", async () => {
    for (let at = 0; ; at++) {
      const fileSystem = await withCheckpoint();
      fileSystem.fault = (call) => (call >= at ? { throws: "EIO" } : undefined);
      const failed = await writeCheckpoint("out", step, files(2), { fileSystem }).then(
        () => false,
        () => true,
      );
      // As after a crash: what is left is cleaned up by the next run.
      const calls = fileSystem.calls.length;
      fileSystem.fault = () => undefined;
      await cleanCheckpoints("out", { fileSystem });
      expect([
        [100, 1],
        [step, 2],
      ]).toContainEqual(await latest(fileSystem));
      expect(fileSystem.paths.filter((path) => path.includes("/."))).toEqual([]);
      if (!failed && at >= calls) break;
    }
  });

  test("short writes are gone on with", async () => {
    const fileSystem = await withCheckpoint();
    fileSystem.fault = (_, name) => (name === "write" ? { writesOnly: 7 } : undefined);
    await writeCheckpoint("out", step, files(2), { fileSystem });
    expect(await latest(fileSystem)).toEqual([step, 2]);
  });
});

describe("a damaged checkpoint is named and passed over", () => {
  const DAMAGES = {
    "a bit": ["model.safetensors", (bytes: Uint8Array) => bytes.with(9, bytes[9]! ^ 1), /SHA-256/],
    "the end": ["model.safetensors", (bytes: Uint8Array) => bytes.slice(0, -1), /SHA-256/],
    "a file": ["trainer_state.json", () => null, /is missing/],
    "the checksums": ["checksums.json", () => new Uint8Array(3), /not JSON/],
    "the checksums' content": [
      "checksums.json",
      () => new TextEncoder().encode("[]"),
      /no SHA-256 sums/,
    ],
  } as const;
  test.each(Object.entries(DAMAGES))(
    "%s is wrong or missing",
    async (_, [file, change, message]) => {
      const fileSystem = await withCheckpoint();
      await writeCheckpoint("out", 200, files(2), { fileSystem });
      fileSystem.change(`out/checkpoint-200/${file}`, change);
      const { checkpoint, damaged } = await latestCheckpoint("out", { fileSystem });
      expect(checkpoint).toMatchObject({ folder: "out/checkpoint-100", step: 100 });
      expect(damaged).toMatchObject([{ folder: "out/checkpoint-200", file }]);
      expect(damaged[0]!.message).toMatch(`out/checkpoint-200/${file}: `);
      expect(damaged[0]!.message).toMatch(message);
      await expect(readCheckpoint("out/checkpoint-200", { fileSystem })).rejects.toThrow(message);
    },
  );

  test("where there is nothing, nothing is found", async () => {
    const fileSystem = new FaultyFiles();
    expect(await latestCheckpoint("out", { fileSystem })).toEqual({
      checkpoint: null,
      damaged: [],
    });
  });
});

test("pruning keeps the newest and those that are protected, also when it is cut short", async () => {
  const make = async (): Promise<FaultyFiles> => {
    const fileSystem = new FaultyFiles();
    for (const step of [5, 10, 20, 100])
      await writeCheckpoint("out", step, files(step), { fileSystem });
    fileSystem.calls.length = 0;
    return fileSystem;
  };
  const prune = (fileSystem: FaultyFiles) =>
    pruneCheckpoints("out", { keep: 2, protect: ["out/checkpoint-5"], fileSystem });
  const fileSystem = await make();
  expect(await prune(fileSystem)).toEqual(["out/checkpoint-10"]);
  expect(await fileSystem.list("out")).toEqual(["checkpoint-100", "checkpoint-20", "checkpoint-5"]);
  for (const at of [0, 1]) {
    const broken = await make();
    broken.fault = (call) => (call >= at ? { throws: "EIO" } : undefined);
    await expect(prune(broken)).rejects.toThrow("EIO");
    broken.fault = () => undefined;
    for (const folder of (await broken.list("out")).filter((name) => !name.startsWith(".")))
      await readCheckpoint(`out/${folder}`, { fileSystem: broken });
    await cleanCheckpoints("out", { fileSystem: broken });
    expect(broken.paths.filter((path) => path.includes("/."))).toEqual([]);
  }
});
