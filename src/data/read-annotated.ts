/** Reads a file of annotated documents, whichever of the known formats it holds. */
import type { AnnotatedDocument } from "./annotated.ts";
import { isDataTurks, readDataTurksRecord } from "./dataturks.ts";
import { REPAIR } from "./entities.ts";
import { DataError } from "./errors.ts";
import { isInlineXml, readInlineXml } from "./inline-xml.ts";
import { parseJsonLines } from "./json-lines.ts";
import { decodeUtf8, DEFAULT_MAX_BYTES, readBytes } from "./read-file.ts";
import { Repairs } from "./repairs.ts";
import { readSpanRecord } from "./span-lines.ts";
import { isZip, unpackZip, ZIP_LIMITS, type ZipLimits } from "./zip.ts";

/** What a file was found to be. */
export type AnnotatedFormat = "dataturks" | "span-lines" | "inline-xml";

/** Documents of a file or folder, and what else is in it. */
export interface AnnotatedData {
  readonly format: AnnotatedFormat;
  readonly documents: readonly AnnotatedDocument[];
  readonly repairs: Repairs;
}

/** Options of {@link readAnnotated}. */
export interface ReadOptions {
  /** Largest file read, in bytes. */
  readonly maxBytes?: number;
  readonly zipLimits?: ZipLimits;
}

/**
 * Reads annotated documents from DataTurks JSON lines, the project's own JSON lines, an XML file with inline labels,
 * or a zip archive of such XML files; the format is told by the content.
 * @throws DataError naming file, record and field of the first thing that is wrong.
 */
export async function readAnnotated(
  file: string,
  { maxBytes = DEFAULT_MAX_BYTES, zipLimits = ZIP_LIMITS }: ReadOptions = {},
): Promise<AnnotatedData> {
  const bytes = await readBytes(file, maxBytes);
  const repairs = new Repairs();
  let format: AnnotatedFormat;
  let documents: AnnotatedDocument[];
  if (isZip(bytes) || /\.zip$/i.test(file)) {
    format = "inline-xml";
    documents = readArchive(bytes, file, zipLimits, repairs);
  } else {
    const text = decodeUtf8(bytes, file);
    if (isInlineXml(text)) {
      format = "inline-xml";
      documents = [readInlineXml(text, file, "the document", repairs)];
    } else {
      const lines = readLines(text, file);
      format = isDataTurks(lines[0]?.value) ? "dataturks" : "span-lines";
      const read = format === "dataturks" ? readDataTurksRecord : readSpanRecord;
      documents = lines.map((line) => read(line, file, repairs));
    }
  }
  const texts = new Set<string>();
  for (const { id, text } of documents) {
    if (texts.has(text)) repairs.add(REPAIR.sameText, id);
    texts.add(text);
  }
  return { format, documents, repairs };
}

function readLines(text: string, file: string) {
  if (!text.trimStart().startsWith("{")) {
    throw new DataError(
      { file },
      'expected JSON lines ({"text", "entities"} or DataTurks), XML with inline labels, or a zip of such XML',
    );
  }
  return parseJsonLines(text, file);
}

function readArchive(
  bytes: Uint8Array,
  file: string,
  limits: ZipLimits,
  repairs: Repairs,
): AnnotatedDocument[] {
  const documents: AnnotatedDocument[] = [];
  for (const [name, content] of unpackZip(bytes, file, limits)) {
    const id = `entry ${name}`;
    if (!/\.xml$/i.test(name) || name.startsWith("__MACOSX/")) {
      repairs.add("archive entries left out, not .xml", id);
      continue;
    }
    documents.push(readInlineXml(decodeUtf8(content, file, id), file, id, repairs));
  }
  if (documents.length === 0) throw new DataError({ file }, "no .xml entry in the zip archive");
  return documents;
}
