/** TensorBoard's Event messages and the records that hold them in a file, as bytes. */

import { WireWriter } from "../../onnx/wire-writer.ts";
import { maskedCrc32c } from "./crc.ts";
import type { Histogram } from "./histogram.ts";

/** An encoded image. */
export interface EncodedImage {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
}

/** One value under a tag. */
export type SummaryValue = { readonly tag: string } & (
  | { readonly scalar: number }
  | { readonly histogram: Histogram }
  | { readonly image: EncodedImage }
  | { readonly text: string }
);

/** What an event says: which version the file has, values, or that a run goes on and later steps are void. */
export type EventContent =
  | { readonly fileVersion: string }
  | { readonly values: readonly SummaryValue[] }
  | { readonly sessionStart: true };

export interface FileEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  readonly content: EventContent;
}

/** The first event of each file. */
export const FILE_VERSION = "brain.Event:2";

/** DT_STRING of tensorflow/core/framework/types.proto. */
const DT_STRING = 7;
/** SessionLog.START of tensorflow/core/util/event.proto. */
const START = 1;

const utf8 = new TextEncoder();

/** An Event of tensorflow/core/util/event.proto. */
export function encodeEvent({ wallTime, step, content }: FileEvent): Uint8Array {
  const writer = new WireWriter();
  if ("fileVersion" in content) writer.string(3, content.fileVersion);
  else if ("values" in content)
    writer.message(5, content.values, (w, values) =>
      w.each(values, (value) => w.message(1, value, writeValue)),
    );
  else writer.message(7, START, (w, status) => w.int(1, status));
  // Protobuf leaves out what is 0.
  if (step !== 0) writer.int(2, step);
  writer.double(1, wallTime);
  return writer.finish();
}

/** A Summary.Value of tensorflow/core/framework/summary.proto, last field first as the writer wants it. */
function writeValue(w: WireWriter, value: SummaryValue): void {
  if ("text" in value) {
    w.message(9, value.text, writePluginOfText);
    w.message(8, value.text, writeTextTensor);
  } else if ("histogram" in value) w.message(5, value.histogram, writeHistogram);
  else if ("image" in value) w.message(4, value.image, writeImage);
  else w.float(2, value.scalar);
  w.string(1, value.tag);
}

function writeHistogram(w: WireWriter, histogram: Histogram): void {
  w.bytes(7, doubles(histogram.counts));
  w.bytes(6, doubles(histogram.limits));
  const { min, max, count, sum, sumSquares } = histogram;
  [min, max, count, sum, sumSquares].reverse().forEach((value, i) => {
    if (!Object.is(value, 0)) w.double(5 - i, value);
  });
}

function writeImage(w: WireWriter, { png, width, height, channels }: EncodedImage): void {
  w.bytes(4, png);
  w.int(3, channels);
  w.int(2, width);
  w.int(1, height);
}

/** A tensor of one string. */
function writeTextTensor(w: WireWriter, text: string): void {
  w.bytes(8, utf8.encode(text));
  w.message(2, 1, (shape, size) => shape.message(2, size, (dim) => dim.int(1, size)));
  w.int(1, DT_STRING);
}

/** SummaryMetadata that gives the tensor to the text plugin. */
function writePluginOfText(w: WireWriter): void {
  w.message(1, "text", (plugin, name) => plugin.string(1, name));
}

function doubles(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => view.setFloat64(8 * i, value, true));
  return bytes;
}

/** A TFRecord: length, its checksum, the bytes, their checksum. */
export function frameRecord(bytes: Uint8Array): Uint8Array {
  const record = new Uint8Array(16 + bytes.length);
  const view = new DataView(record.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(bytes, 12);
  view.setUint32(12 + bytes.length, maskedCrc32c(bytes), true);
  return record;
}
