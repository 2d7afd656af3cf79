/** Cyclic checksums: CRC-32 as in PNG, and CRC-32C as in the records of TensorBoard's files. */

/** A checksum whose polynomial is given with its bits reversed. */
function checksumOf(polynomial: number): (bytes: Uint8Array) => number {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ polynomial : rest >>> 1;
    return rest;
  });
  return (bytes) => {
    let crc = 0xffffffff;
    for (const byte of bytes) crc = table[(crc ^ byte) & 255]! ^ (crc >>> 8);
    return ~crc >>> 0;
  };
}

/** From 0 to 2^32 - 1 (PNG specification, annex D). */
export const crc32 = checksumOf(0xedb88320);

/** Castagnoli's, from 0 to 2^32 - 1 (RFC 3720, appendix B.4). */
export const crc32c = checksumOf(0x82f63b78);

/** CRC-32C in TFRecord's disguise, which keeps checksums of data that hold checksums apart. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
