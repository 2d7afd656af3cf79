/** TensorBoard's files: byte for byte those of its own protos, and read by its own reader. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { unzlibSync } from "fflate";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { randn, tensor } from "../../src/index.ts";
import { crc32, crc32c } from "../../src/train/logging/crc.ts";
import {
  encodeEvent,
  frameRecord,
  type EventContent,
} from "../../src/train/logging/event-records.ts";
import { histogramOf } from "../../src/train/logging/histogram.ts";
import { encodePng } from "../../src/train/logging/png.ts";
import { SummaryWriter } from "../../src/train/logging/summary-writer.ts";
import { TensorBoardLogger } from "../../src/train/logging/tensorboard.ts";
import { temporaryFolder } from "../data/temp.ts";
import { findPython, runPython } from "../support/python.ts";
import { evaluationAt, started, stepAt } from "./logging-events.ts";

const { folder } = temporaryFolder();

interface Case {
  readonly wallTime: number;
  readonly step: number;
  readonly record: string;
  readonly fileVersion?: string;
  readonly sessionStart?: true;
  readonly values?: readonly { tag: string; scalar: number }[];
  readonly histogram?: { tag: string; values: number[] };
  readonly image?: { tag: string; width: number; height: number; channels: 3; png: string };
}

const fixture = new URL("../fixtures/train/tensorboard-events.json", import.meta.url);
const CASES = JSON.parse(readFileSync(fixture, "utf8")) as Case[];

function contentOf({ fileVersion, sessionStart, values, histogram, image }: Case): EventContent {
  if (fileVersion !== undefined) return { fileVersion };
  if (sessionStart) return { sessionStart };
  if (histogram)
    return { values: [{ tag: histogram.tag, histogram: histogramOf(histogram.values) }] };
  if (image) {
    const { tag, png, ...size } = image;
    return { values: [{ tag, image: { ...size, png: Buffer.from(png, "base64") } }] };
  }
  return { values: values! };
}

describe("bytes", () => {
  test.each(CASES.map((c, i) => [i, c] as const))("record %i is TensorBoard's", (_, c) => {
    const { wallTime, step } = c;
    const record = frameRecord(encodeEvent({ wallTime, step, content: contentOf(c) }));
    expect(Buffer.from(record).toString("base64")).toBe(c.record);
  });

  test("checksums", () => {
    const digits = new TextEncoder().encode("123456789");
    expect(crc32(digits)).toBe(0xcbf43926);
    expect(crc32c(digits)).toBe(0xe3069283);
    // RFC 3720, appendix B.4.
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  });

  test("histograms leave out what is not finite and keep what is beyond their limits", () => {
    const values = [NaN, 1, Infinity, -1e30, 1e30];
    const { count, counts, min, max } = histogramOf(values);
    expect([count, min, max, counts[1], counts.at(-1)]).toEqual([3, -1e30, 1e30, 1, 1]);
    expect(counts.reduce((a, b) => a + b)).toBe(3);
    expect(() => histogramOf([NaN, Infinity])).toThrow("histogram: none of 2 values is finite");
  });

  test("PNG: rows without filter, checksums, sizes that must fit", () => {
    const png = encodePng({
      data: Uint8Array.of(1, 2, 3, 4, 5, 6),
      width: 1,
      height: 2,
      channels: 3,
    });
    expect(Buffer.from(png.subarray(0, 8)).toString("latin1")).toBe("\x89PNG\r\n\x1a\n");
    const length = new DataView(png.buffer).getUint32(33);
    expect([...unzlibSync(png.subarray(41, 41 + length))]).toEqual([0, 1, 2, 3, 0, 4, 5, 6]);
    const image = { data: new Uint8Array(3), width: 2, height: 1, channels: 1 } as const;
    expect(() => encodePng(image)).toThrow("image: 1 x 2 x 1 needs 2 bytes, got 3");
    expect(() => encodePng({ ...image, width: 0 })).toThrow("width must be a positive integer");
    expect(() => encodePng({ ...image, channels: 2 as 1 })).toThrow("channels must be 1 (grey)");
  });
});

describe("SummaryWriter", () => {
  test("refuses what it cannot write, where it is called", async () => {
    expect(() => new SummaryWriter("")).toThrow('SummaryWriter: logDir must name a folder, got ""');
    const writer = new SummaryWriter(join(folder, "refused"));
    expect(() => writer.addScalar("a", 1, 0.5)).toThrow("addScalar: step must be an integer");
    expect(() => writer.addScalar("a", tensor([1, 2]))).toThrow(
      "addScalar: a must have one element",
    );
    expect(() => writer.addImage("i", tensor([[1, 2]]))).toThrow(
      "addImage: expected CHW with 1, 3 or 4 channels, got shape [1,2]",
    );
    await writer.close();
    expect(() => writer.addScalar("a", 1)).toThrow("addScalar: the writer is closed");
  });

  test("tells at flush and close that a file cannot be written", async () => {
    const writer = new SummaryWriter("/proc/nowhere");
    writer.addScalar("a", 1);
    await expect(writer.flush()).rejects.toThrow("/proc/nowhere");
    writer.addScalar("a", 2);
    await expect(writer.close()).rejects.toThrow("/proc/nowhere");
  });

  test("writes after a while without being told to", async () => {
    const path = join(folder, "soon");
    const writer = new SummaryWriter(path, { flushSeconds: 0.01 });
    writer.addScalar("a", 1);
    await expect
      .poll(() => readdirSync(folder).includes("soon") && readdirSync(path))
      .toHaveLength(1);
    await writer.close();
  });
});

const python = findPython(["tensorboard", "PIL", "numpy"]);

interface Read {
  readonly scalars: Record<string, [step: number, value: number][]>;
  readonly histograms: Record<string, [step: number, number[], number[], number[]][]>;
  readonly images: Record<string, [step: number, number, number, string, string][]>;
  readonly texts: Record<string, [step: number, string][]>;
}

/** What TensorBoard's reader finds in a folder; of images size, mode and SHA-256 of the pixels. */
const read = (path: string): Read =>
  JSON.parse(
    runPython(
      python!,
      `
import sys, json, io, hashlib, logging
logging.disable(logging.CRITICAL)
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from PIL import Image
acc = EventAccumulator(sys.stdin.read(), size_guidance={"scalars": 0, "histograms": 0, "images": 0, "tensors": 0})
acc.Reload()
tags = acc.Tags()
def picture(e):
    image = Image.open(io.BytesIO(e.encoded_image_string))
    return [e.step, e.width, e.height, image.mode, hashlib.sha256(image.tobytes()).hexdigest()]
def histogram(e):
    h = e.histogram_value
    return [e.step, [h.min, h.max, h.num, h.sum, h.sum_squares], list(h.bucket_limit), list(h.bucket)]
print(json.dumps({
    "scalars": {t: [[e.step, e.value] for e in acc.Scalars(t)] for t in tags["scalars"]},
    "histograms": {t: [histogram(e) for e in acc.Histograms(t)] for t in tags["histograms"]},
    "images": {t: [picture(e) for e in acc.Images(t)] for t in tags["images"]},
    "texts": {t: [[e.step, e.tensor_proto.string_val[0].decode()] for e in acc.Tensors(t)]
              for t in acc.PluginTagToContent("text")} if tags["tensors"] else {},
}))
`,
      path,
    ),
  ) as Read;

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe.skipIf(python === null)(
  "TensorBoard's reader (skipped where LEARNING_LOOP_PYTHON has no tensorboard and pillow)",
  () => {
    test("finds scalars, histograms, images and texts as they were added", async () => {
      const path = join(folder, "all");
      const writer = new SummaryWriter(path);
      const losses = Array.from({ length: 300 }, (_, i) => Math.fround(1 / (i + 1)));
      losses.forEach((loss, i) => writer.addScalar("train/loss", loss, i + 1));
      writer.addScalar("größe", tensor(2.5), 4);
      writer.addScalars("both", { a: 1, b: 2 }, 9);
      const weights = randn([40, 3]);
      writer.addHistogram("weights", weights, 5);
      writer.addHistogram("plain", [1, 2, 2, 300], 6);
      const rgb = Uint8Array.from({ length: 4 * 3 * 3 }, (_, i) => i * 7);
      writer.addImage("bytes", { data: rgb, width: 4, height: 3, channels: 3 }, 1);
      writer.addImage(
        "float",
        tensor([
          [
            [0, 0.5],
            [1, 2],
          ],
        ]),
        2,
      );
      writer.addImage("hwc", tensor([[[1, 2, 3, 4]], [[5, 6, 7, 300]]], { dtype: "int32" }), 3, {
        dataFormat: "HWC",
      });
      writer.addText("note", "# Größe\n\n| a | b |", 7);
      await writer.close();

      const { scalars, histograms, images, texts } = read(path);
      expect(scalars["train/loss"]).toEqual(losses.map((loss, i) => [i + 1, loss]));
      expect(scalars["größe"]).toEqual([[4, 2.5]]);
      for (const [name, value] of [
        ["a", 1],
        ["b", 2],
      ] as const)
        expect(read(join(path, `both_${name}`)).scalars).toEqual({ both: [[9, value]] });
      const values = [...(await weights.data())].map(Number);
      const [step, numbers, limits, counts] = histograms["weights"]![0]!;
      expect([step, numbers[2], numbers[0]]).toEqual([5, 120, Math.min(...values)]);
      expect(numbers[3]).toBeCloseTo(
        values.reduce((a, b) => a + b),
        9,
      );
      counts.forEach((n, i) => {
        const low = limits[i - 1] ?? -Infinity;
        expect(values.filter((v) => v >= low && v < limits[i]!)).toHaveLength(n);
      });
      expect(histograms["plain"]![0]!.slice(0, 2)).toEqual([6, [1, 300, 4, 305, 90009]]);
      expect(images).toEqual({
        bytes: [[1, 4, 3, "RGB", sha256(rgb)]],
        float: [[2, 2, 2, "L", sha256(Uint8Array.of(0, 127, 255, 255))]],
        hwc: [[3, 1, 2, "RGBA", sha256(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 255))]],
      });
      expect(texts).toEqual({ "note/text_summary": [[7, "# Größe\n\n| a | b |"]] });
    });

    test("finds each step of a resumed run once", async () => {
      const path = join(folder, "resumed");
      const first = new TensorBoardLogger(path);
      await first.onEvent(started(0));
      for (let step = 1; step <= 7; step++) await first.onEvent(stepAt(step, 1 / step));
      await first.onEvent(evaluationAt(5, { f1: 0.5 }));
      await first.close();
      const second = new TensorBoardLogger(path);
      await second.onEvent(started(5));
      for (let step = 6; step <= 9; step++) await second.onEvent(stepAt(step, 10 / step));
      second.histogram(9, "weights", [1, 2]);
      second.image(9, "picture", {
        data: Uint8Array.of(9),
        width: 1,
        height: 1,
        channels: 1,
      });
      second.text(9, "note", "hello");
      await second.close();
      const { scalars, histograms, images, texts } = read(path);
      expect(scalars["train/loss"]).toEqual(
        [1, 2, 3, 4, 5, 6, 7, 8, 9].map((s) => [s, Math.fround((s > 5 ? 10 : 1) / s)]),
      );
      expect(scalars["eval/f1"]).toEqual([[5, 0.5]]);
      expect(scalars["train/lr"]).toHaveLength(9);
      expect([histograms["weights"]![0]![0], images["picture"]![0]![0]]).toEqual([9, 9]);
      expect(texts).toEqual({ "note/text_summary": [[9, "hello"]] });
    });
  },
);
