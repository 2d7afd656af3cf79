/** The alphabet of byte-level tokenizers: one visible character for each of the 256 bytes, as GPT-2 defined it. */

/** Bytes that stand for themselves: the printable ones of Latin-1 without space and soft hyphen. */
const isVisible = (byte: number): boolean =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xff && byte !== 0xad);

/** The character of each byte; those not visible take U+0100 and up, in order (the space becomes Ġ, U+0120). */
export const BYTE_CHARS: readonly string[] = byteChars();

/** The byte of each character of the alphabet. */
export const CHAR_BYTES: ReadonlyMap<string, number> = new Map(
  BYTE_CHARS.map((char, byte) => [char, byte]),
);

function byteChars(): string[] {
  let hidden = 0x100;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(isVisible(byte) ? byte : hidden++),
  );
}
