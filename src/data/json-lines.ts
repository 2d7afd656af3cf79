/** Parses JSON lines and checks the structure of records, with errors that name line and field. */
import { DataError, type DataLocation } from "./errors.ts";

/** A parsed line and its number, counted from 1. */
export interface JsonLine {
  readonly line: number;
  readonly value: unknown;
}

/** All non-blank lines of a JSON-lines text. @throws DataError naming the line that is not JSON. */
export function parseJsonLines(text: string, file: string): JsonLine[] {
  const lines = text.split("\n");
  const parsed: JsonLine[] = [];
  lines.forEach((source, index) => {
    if (source.trim() === "") return;
    const line = index + 1;
    try {
      parsed.push({ line, value: JSON.parse(source) as unknown });
    } catch {
      // The parser's own message quotes the content, which may be personal, so it is not passed on.
      const isLast = lines.slice(line).every((rest) => rest.trim() === "");
      const hint = isLast
        ? "is the file truncated?"
        : "expected one complete JSON object on each line";
      throw new DataError({ file, record: `line ${line}` }, `the line is not valid JSON; ${hint}`);
    }
  });
  return parsed;
}

/** The value as an object. @throws DataError */
export function asObject(value: unknown, where: DataLocation): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new DataError(where, `expected an object, got ${kindOf(value)}`);
}

/** The value as a list. @throws DataError */
export function asArray(value: unknown, where: DataLocation): unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  throw new DataError(where, `expected a list, got ${kindOf(value)}`);
}

/** The value as a string with something other than white space in it. @throws DataError */
export function asText(value: unknown, where: DataLocation): string {
  if (typeof value !== "string") {
    throw new DataError(where, `expected a string, got ${kindOf(value)}`);
  }
  if (value.trim() === "") throw new DataError(where, "expected text, got an empty string");
  return value;
}

/** The value as a whole number. @throws DataError */
export function asInteger(value: unknown, where: DataLocation): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  const got = typeof value === "number" ? String(value) : kindOf(value);
  throw new DataError(where, `expected a whole number, got ${got}`);
}

function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : `a value of type ${typeof value}`;
}
