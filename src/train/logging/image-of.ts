/** Turns the numbers of a tensor into the bytes of an image. */

import { isFloat, type DType } from "../../graph/dtype.ts";
import { formatShape, type Shape } from "../../graph/shape.ts";
import type { LoggedImage } from "../events.ts";

/** Order of dimensions: channels, height, width. */
export type DataFormat = "CHW" | "HWC" | "HW";

export interface ImageLayout {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly dataFormat: DataFormat;
}

/**
 * Reads images of a shape into rows of bytes. Floats from 0 to 1 are scaled to 255 and cut off to integers as PyTorch
 * does, integers are taken as they are, both clipped.
 * @throws Error where the shape is not that of an image.
 */
export function imageReader({
  shape,
  dtype,
  dataFormat,
}: ImageLayout): (data: ArrayLike<number | bigint | boolean>) => LoggedImage {
  const at = (dim: string) => dataFormat.indexOf(dim);
  const [height = 0, width = 0, channels = 0] = [
    shape[at("H")],
    shape[at("W")],
    dataFormat === "HW" ? 1 : shape[at("C")],
  ];
  const fits = /^(CHW|HWC|HW)$/.test(dataFormat) && shape.length === dataFormat.length;
  if (!fits || (channels !== 1 && channels !== 3 && channels !== 4))
    throw new Error(
      `addImage: expected ${dataFormat} with 1, 3 or 4 channels, got shape ${formatShape(shape)}; dataFormat tells another order (CHW, HWC or HW)`,
    );
  const scale = isFloat(dtype) ? 255 : 1;
  const [pixelStride, channelStride] = dataFormat === "CHW" ? [1, height * width] : [channels, 1];
  return (data) => {
    const bytes = new Uint8Array(height * width * channels);
    for (let pixel = 0, to = 0; pixel < height * width; pixel++)
      for (let c = 0; c < channels; c++, to++) {
        const value = scale * Number(data[pixel * pixelStride + c * channelStride]);
        bytes[to] = Math.min(255, Math.max(0, value));
      }
    return { data: bytes, width, height, channels };
  };
}
