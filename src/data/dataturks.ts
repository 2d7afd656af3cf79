/** Reads DataTurks' JSON-lines export of annotated texts, repairing the defects it is known for. */
import type { AnnotatedDocument, Entity } from "./annotated.ts";
import { cleanEntities, REPAIR } from "./entities.ts";
import { DataError, type DataLocation } from "./errors.ts";
import { findNearest } from "./find-span.ts";
import { asArray, asInteger, asObject, asText, type JsonLine } from "./json-lines.ts";
import type { Repairs } from "./repairs.ts";

/** Whether a record has the shape `{ "content": …, "annotation": … }`. */
export function isDataTurks(record: unknown): boolean {
  return typeof record === "object" && record !== null && "content" in record;
}

/**
 * One record to a document. `end` is inclusive in this format; where the offsets do not point at `points[].text`, its
 * nearest occurrence is taken; spans without a usable label are counted and left out.
 * @throws DataError when there is no text or a span is malformed or outside the text.
 */
export function readDataTurksRecord(
  { line, value }: JsonLine,
  file: string,
  repairs: Repairs,
): AnnotatedDocument {
  const id = `line ${line}`;
  const at = (field?: string): DataLocation => ({ file, record: id, field });
  const record = asObject(value, at());
  const text = asText(record["content"], at("content"));
  const annotations = asArray(record["annotation"] ?? [], at("annotation"));
  const raw: Entity[] = annotations.flatMap((item, i) => {
    const field = `annotation[${i}]`;
    const annotation = asObject(item, at(field));
    const label = labelOf(annotation["label"], at(`${field}.label`), id, repairs);
    const points = asArray(annotation["points"], at(`${field}.points`));
    if (label === undefined) return [];
    return points.flatMap((point, j) => {
      const range = readPoint(point, text, at(`${field}.points[${j}]`), id, repairs);
      return range ? [{ label, ...range }] : [];
    });
  });
  return { id, text, entities: cleanEntities(text, raw, id, repairs) };
}

function labelOf(
  value: unknown,
  where: DataLocation,
  id: string,
  repairs: Repairs,
): string | undefined {
  const labels = asArray(typeof value === "string" ? [value] : (value ?? []), where);
  if (labels.length === 0) {
    repairs.add(REPAIR.noLabel, id);
    return undefined;
  }
  if (labels.length > 1) repairs.add(REPAIR.severalLabels, id);
  const label = asText(labels[0], where);
  if (label !== "UNKNOWN") return label;
  repairs.add(REPAIR.unknownLabel, id);
  return undefined;
}

function readPoint(
  value: unknown,
  text: string,
  where: DataLocation,
  id: string,
  repairs: Repairs,
): { start: number; end: number } | undefined {
  const point = asObject(value, where);
  const inField = (name: string) => ({ ...where, field: `${where.field}.${name}` });
  const start = asInteger(point["start"], inField("start"));
  const end = asInteger(point["end"], inField("end")) + 1;
  const wanted = point["text"];
  if (wanted !== undefined && typeof wanted !== "string") {
    throw new DataError(inField("text"), "expected a string");
  }
  const inside = 0 <= start && start < end && end <= text.length;
  if (inside && (wanted === undefined || text.slice(start, end) === wanted)) return { start, end };

  const found = wanted === undefined ? undefined : findNearest(text, wanted, start);
  if (found) {
    repairs.add(REPAIR.drifted, id);
    return found;
  }
  if (!inside) {
    throw new DataError(
      where,
      `the span ${start} to ${end - 1} is outside the text of ${text.length} characters`,
    );
  }
  repairs.add(REPAIR.unrecoverable, id);
  return undefined;
}
