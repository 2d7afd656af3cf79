/** Writes images as PNG, the format in which TensorBoard keeps them. */

import { zlibSync } from "fflate";
import type { LoggedImage } from "../events.ts";
import { crc32 } from "./crc.ts";

const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
/** Colour types by number of channels: grey, RGB, RGBA (PNG specification, 11.2.1). */
const COLOUR_TYPE = { 1: 0, 3: 2, 4: 6 } as const;

/**
 * A PNG of 8 bits a channel.
 * @throws Error where size, channels and number of bytes do not fit.
 */
export function encodePng({ data, width, height, channels }: LoggedImage): Uint8Array {
  for (const [name, value] of Object.entries({ width, height }))
    if (!(Number.isInteger(value) && value >= 1 && value < 2 ** 31))
      throw new Error(`image: ${name} must be a positive integer, got ${String(value)}`);
  if (!(channels in COLOUR_TYPE))
    throw new Error(
      `image: channels must be 1 (grey), 3 (RGB) or 4 (RGBA), got ${String(channels)}`,
    );
  if (data.length !== width * height * channels)
    throw new Error(
      `image: ${height} x ${width} x ${channels} needs ${width * height * channels} bytes, got ${data.length}`,
    );
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, COLOUR_TYPE[channels], 0, 0, 0], 8);
  // A row is its filter, 0 for none, and its bytes.
  const stride = width * channels;
  const rows = new Uint8Array(height * (stride + 1));
  for (let y = 0; y < height; y++)
    rows.set(data.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1);
  const parts = [
    SIGNATURE,
    chunk("IHDR", header),
    chunk("IDAT", zlibSync(rows)),
    chunk("IEND", new Uint8Array(0)),
  ];
  const png = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    png.set(part, at);
    at += part.length;
  }
  return png;
}

/** Length, type, content, and the CRC-32 of type and content. */
function chunk(type: string, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i);
  bytes.set(content, 8);
  view.setUint32(8 + content.length, crc32(bytes.subarray(4, -4)));
  return bytes;
}
