/** Reads a text whose entities are marked inline, `<label type="Name">…</label>` in one root element. */
import type { AnnotatedDocument, Entity } from "./annotated.ts";
import { cleanEntities, REPAIR } from "./entities.ts";
import { DataError } from "./errors.ts";
import type { Repairs } from "./repairs.ts";

/** Whether a text begins like XML. */
export function isInlineXml(text: string): boolean {
  return /^\s*<[?A-Za-z]/.test(text);
}

const PIECE =
  /<label\b([^>]*)>|<\/label\s*>|&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#[xX]([\da-fA-F]{1,6}));|(?:\\x[\da-f]{2})+|[<&]/g;
const NAMED = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" } as const;

/**
 * One XML text to a document; its text is the content with the tags taken out. Only `label` elements are markup: any
 * other `<` or `&`, left unescaped by the annotators, is text and counted. Byte escapes (`\xe2\x80\xa2`, a Python
 * `repr` left in the data) are decoded and counted.
 * @throws DataError when the root element is missing or unclosed (a truncated file), a label has no type or no end.
 */
export function readInlineXml(
  source: string,
  file: string,
  id: string,
  repairs: Repairs,
): AnnotatedDocument {
  const where = { file, record: id };
  const body = bodyOf(source, where);
  const open: { label: string; start: number }[] = [];
  const raw: Entity[] = [];
  let text = "";
  let last = 0;
  for (const match of body.matchAll(PIECE)) {
    text += body.slice(last, match.index);
    last = match.index + match[0].length;
    const [piece, attributes, name, decimal, hex] = match;
    if (attributes !== undefined) {
      const type = /\btype\s*=\s*(?:"([^"]*)"|'([^']*)')/.exec(attributes);
      const label = (type?.[1] ?? type?.[2] ?? "").trim();
      if (label === "") {
        throw new DataError(
          { ...where, field: `label ${raw.length + open.length + 1}` },
          'expected <label type="…">, got a label without type',
        );
      }
      open.push({ label, start: text.length });
    } else if (piece.startsWith("</")) {
      const top = open.pop();
      if (!top) throw new DataError(where, `</label> without <label> after ${raw.length} labels`);
      raw.push({ ...top, end: text.length });
    } else if (name !== undefined) text += NAMED[name as keyof typeof NAMED];
    else if (decimal !== undefined) text += characterOf(Number(decimal), piece);
    else if (hex !== undefined) text += characterOf(parseInt(hex, 16), piece);
    else if (piece.startsWith("\\x")) {
      const decoded = decodeByteEscapes(piece);
      if (decoded !== piece) repairs.add(REPAIR.byteEscapes, id);
      text += decoded;
    } else {
      repairs.add(REPAIR.unescapedMarkup, id);
      text += piece;
    }
  }
  text += body.slice(last);
  const unclosed = open.at(-1);
  if (unclosed) {
    throw new DataError(
      { ...where, field: `label ${raw.length + 1} (${unclosed.label})` },
      "<label> is never closed; is the file truncated?",
    );
  }
  if (text.trim() === "") throw new DataError(where, "the document has no text");
  return { id, text, entities: cleanEntities(text, raw, id, repairs) };
}

function bodyOf(source: string, where: { file: string; record: string }): string {
  const opening = /^\s*(?:<\?xml[^>]*\?>\s*)?<([A-Za-z_][\w.-]*)[^>]*>/.exec(source);
  if (!opening) {
    throw new DataError(where, "expected XML with one root element around the text");
  }
  const closing = `</${opening[1]}>`;
  const end = source.lastIndexOf(closing);
  if (end < 0) throw new DataError(where, `expected ${closing} at the end; is the file truncated?`);
  return source
    .slice(opening[0].length, end)
    .replace(/^\r?\n/, "")
    .replace(/\r?\n$/, "");
}

function characterOf(code: number, piece: string): string {
  return code <= 0x10ffff && code !== 0 && (code < 0xd800 || code > 0xdfff)
    ? String.fromCodePoint(code)
    : piece;
}

/** `\xHH` runs to the characters that their bytes are in UTF-8; bytes that are not UTF-8 keep their escape. */
function decodeByteEscapes(run: string): string {
  const bytes = Uint8Array.from(run.slice(2).split("\\x"), (hex) => parseInt(hex, 16));
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  for (let i = 0; i < bytes.length;) {
    const byte = bytes[i] ?? 0;
    const length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    try {
      if (byte === 0) throw new RangeError("NUL is no text");
      text += decoder.decode(bytes.subarray(i, i + length));
      i += length;
    } catch {
      text += run.slice(4 * i, 4 * i + 4);
      i += 1;
    }
  }
  return text;
}
