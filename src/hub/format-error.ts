/** The one error that readers of foreign files throw, so that a caller can tell a bad file from a defect of the program. */

/** A file that is damaged, hostile, or of a kind that is not read. The message tells what is wrong and what to do. */
export class FormatError extends Error {
  override readonly name = "FormatError";
}

/** Text from a file as messages show it: clipped, and without control characters, since the file is not trusted. */
export function shown(text: string): string {
  const clipped = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return clipped.replace(/\p{Cc}/gu, "\ufffd");
}
