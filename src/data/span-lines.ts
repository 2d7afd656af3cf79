/** Reads the project's own JSON-lines form of annotated texts: one `{ "text", "entities" }` object a line. */
import type { AnnotatedDocument, Entity } from "./annotated.ts";
import { cleanEntities } from "./entities.ts";
import { DataError, type DataLocation } from "./errors.ts";
import { asArray, asInteger, asObject, asText, type JsonLine } from "./json-lines.ts";
import type { Repairs } from "./repairs.ts";

/**
 * One record to a document. An entity is `{ "label", "start", "end" }`, in UTF-16 offsets, `end` exclusive; an optional
 * `"id"` names the document.
 * @throws DataError when there is no text or an entity is malformed or outside the text.
 */
export function readSpanRecord(
  { line, value }: JsonLine,
  file: string,
  repairs: Repairs,
): AnnotatedDocument {
  const lineName = `line ${line}`;
  const at = (field?: string): DataLocation => ({ file, record: lineName, field });
  const record = asObject(value, at());
  const text = asText(record["text"], at("text"));
  const id = typeof record["id"] === "string" ? record["id"] : lineName;
  const raw = asArray(record["entities"], at("entities")).map((item, i): Entity => {
    const field = `entities[${i}]`;
    const entity = asObject(item, at(field));
    const label = asText(entity["label"], at(`${field}.label`));
    const start = asInteger(entity["start"], at(`${field}.start`));
    const end = asInteger(entity["end"], at(`${field}.end`));
    if (start < 0 || end <= start || end > text.length) {
      throw new DataError(
        at(field),
        `the span ${start} to ${end} (exclusive) is not inside the text of ${text.length} characters`,
      );
    }
    return { label, start, end };
  });
  return { id, text, entities: cleanEntities(text, raw, lineName, repairs) };
}

/** A document as one line of this form, without the line break. */
export function toSpanLine({ id, text, entities }: AnnotatedDocument): string {
  return JSON.stringify({ id, text, entities });
}
