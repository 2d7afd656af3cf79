/** Weights in several files: as Hugging Face writes them, so that it can read them, and indices that lie. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadFile, saveFile, saveSharded } from "../../src/hub/index.ts";
import { parseIndex } from "../../src/hub/shards.ts";
import { tensor, zeros } from "../../src/index.ts";
import { temporaryFolder } from "../data/temp.ts";
import { findPython, runPython } from "../support/python.ts";
import { described, expected, fixturePath } from "./fixtures.ts";

const { folder } = temporaryFolder();

/** Pairs of a described state dict by name. */
const byName = (value: unknown) =>
  Object.fromEntries((value as { dict: [string, unknown][] }).dict);

test.each(["sharded", "sharded-bin"])("reads the folder %s of Hugging Face", async (name) => {
  const index = readdirSync(fixturePath(name)).find((file) => file.endsWith(".index.json"))!;
  for (const path of [fixturePath(name), join(fixturePath(name), index)])
    expect(byName(await described(await loadFile(path)))).toEqual(byName(expected["sharded"]));
});

const weights = {
  a: tensor([1, 2, 3]),
  b: zeros([4, 2], { dtype: "float64" }),
  c: tensor([true]),
  large: zeros([40]),
  d: tensor([4]),
};

test("splits weights in their order, with an index over them", async () => {
  const target = join(folder, "split");
  const names = await saveSharded(weights, target, { maxShardSize: "80B" });
  expect(names).toEqual([
    "model-00001-of-00003.safetensors",
    "model-00002-of-00003.safetensors",
    "model-00003-of-00003.safetensors",
    "model.safetensors.index.json",
  ]);
  expect(JSON.parse(readFileSync(join(target, names[3]!), "utf8"))).toEqual({
    metadata: { total_size: 12 + 64 + 1 + 160 + 4 },
    weight_map: { a: names[0], b: names[0], c: names[0], large: names[1], d: names[2] },
  });
  expect(await described(await loadFile(target))).toEqual(await described(weights));

  await saveSharded(weights, target);
  expect(readdirSync(target)).toEqual(["model.safetensors"]);
  expect(byName(await described(await loadFile(target)))).toEqual(byName(await described(weights)));
  await saveSharded(weights, target, { maxShardSize: 80 });
  expect(readdirSync(target).sort()).toEqual(names);
  await saveSharded({}, target, { maxShardSize: "1.5 GiB" });
  expect(await loadFile(target)).toEqual({});
});

const python = findPython(["huggingface_hub", "torch"]);
test.skipIf(python === null)(
  `Hugging Face reads it${python === null ? " (skipped: no Python with huggingface_hub and torch)" : ""}`,
  async () => {
    const target = join(folder, "theirs");
    await saveSharded(weights, target, { maxShardSize: "80B" });
    const printed = runPython(
      python ?? "",
      `import sys, json, torch
from huggingface_hub import load_state_dict_from_file
from huggingface_hub.serialization import load_torch_model
class M(torch.nn.Module):
    def __init__(self):
        super().__init__()
        for n, s, d in [("a", (3,), torch.float32), ("b", (4, 2), torch.float64), ("c", (1,), torch.bool), ("large", (40,), torch.float32), ("d", (1,), torch.float32)]:
            self.register_buffer(n, torch.empty(s, dtype=d))
m = M()
r = load_torch_model(m, sys.stdin.read(), strict=True)
print(json.dumps({k: v.tolist() for k, v in m.state_dict().items()}))`,
      target,
    );
    const entries = Object.entries(weights).map(async ([k, v]) => [k, await v.toArray()] as const);
    expect(JSON.parse(printed)).toEqual(Object.fromEntries(await Promise.all(entries)));
  },
);

describe("what is refused", () => {
  test.each(["10 XB", "-1B", "GB", 0, NaN, "1e3MB"])("the shard size %s", async (maxShardSize) => {
    await expect(saveSharded(weights, folder, { maxShardSize })).rejects.toThrow(
      /saveSharded: maxShardSize: expected bytes or a size such as "500MB"/,
    );
  });

  test.each(["../x", "/etc/passwd", "a/b", "a\\b", "C:x", "..", ".", "", "a\0b", 1, null, ["a"]])(
    "the file name %j in an index",
    (name) => {
      expect(() => parseIndex(JSON.stringify({ weight_map: { w: name } }))).toThrow(
        /index of weights: tensor w stands in .*, expected the name of a file beside the index/,
      );
    },
  );

  test.each([
    ["{", "it is not JSON"],
    ["[]", "it has no weight_map"],
    ["null", "it has no weight_map"],
    ['{"weight_map": 1}', "it has no weight_map"],
    ['{"weight_map": {"a": "x", "a": "y"}}', "the key a twice"],
  ])("the index %s", (text, message) => {
    expect(() => parseIndex(text)).toThrow(message);
  });

  test("an index of tensors that are not there, files that are missing, empty folders", async () => {
    const target = join(folder, "wrong");
    await saveFile({ a: tensor([1]) }, join(folder, "one.safetensors"));
    await saveSharded(weights, target, { maxShardSize: "80B" });
    const index = join(target, "other.index.json");
    const write = (map: object) => writeFileSync(index, JSON.stringify({ weight_map: map }));
    write({ toString: "model-00001-of-00003.safetensors" });
    await expect(loadFile(index)).rejects.toThrow(
      /other\.index\.json: tensor toString is not in model-00001/,
    );
    write({ a: "absent.safetensors" });
    await expect(loadFile(index)).rejects.toThrow(/absent\.safetensors/);
    await expect(loadFile(folder)).rejects.toThrow(
      /no weights, expected one of model\.safetensors/,
    );
  });
});
