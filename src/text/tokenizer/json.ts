/** Reads untrusted JSON field by field, so that a malformed tokenizer file is one error naming the field. */
import { DataError } from "../../data/errors.ts";

/** Deepest nesting of normalizers, pre-tokenizers and the like that is followed. */
const MAX_DEPTH = 32;

/** A value somewhere in a JSON document, with the path that leads to it. */
export class JsonField {
  readonly value: unknown;
  readonly path: string;
  readonly file: string;
  readonly depth: number;

  constructor(value: unknown, file: string, path = "", depth = 0) {
    this.value = value;
    this.file = file;
    this.path = path;
    this.depth = depth;
  }

  /** @throws DataError always, naming file and field. */
  fail(problem: string, cause?: unknown): never {
    const options = cause === undefined ? undefined : { cause };
    throw new DataError({ file: this.file, field: this.path || undefined }, problem, options);
  }

  /** What was found, in words short enough for an error. */
  get found(): string {
    const { value } = this;
    if (value === undefined) return "nothing";
    if (value === null) return "null";
    if (Array.isArray(value)) return "an array";
    if (typeof value === "object") return "an object";
    if (typeof value === "string") return quoted(value);
    return typeof value === "number" || typeof value === "boolean" ? String(value) : typeof value;
  }

  get missing(): boolean {
    return this.value === undefined || this.value === null;
  }

  /** A member of this object; one that is not there has the value undefined. */
  get(name: string): JsonField {
    const members = this.object();
    return this.#child(
      Object.hasOwn(members, name) ? members[name] : undefined,
      this.path ? `${this.path}.${name}` : name,
    );
  }

  object(): Readonly<Record<string, unknown>> {
    const { value } = this;
    if (typeof value !== "object" || value === null || Array.isArray(value))
      this.fail(`expected an object, got ${this.found}`);
    return value as Readonly<Record<string, unknown>>;
  }

  entries(): [name: string, field: JsonField][] {
    return Object.entries(this.object()).map(([name, value]) => [
      name,
      this.#child(value, `${this.path}[${quoted(name)}]`),
    ]);
  }

  array(): JsonField[] {
    const { value } = this;
    if (!Array.isArray(value)) this.fail(`expected an array, got ${this.found}`);
    return (value as unknown[]).map((item, i) => this.#child(item, `${this.path}[${i}]`));
  }

  string(): string {
    const { value } = this;
    if (typeof value !== "string") this.fail(`expected a string, got ${this.found}`);
    return value;
  }

  /** A string of exactly one character. */
  character(): string {
    const text = this.string();
    if ([...text].length !== 1) this.fail(`expected one character, got ${this.found}`);
    return text;
  }

  boolean(fallback?: boolean): boolean {
    const { value } = this;
    if (value === undefined && fallback !== undefined) return fallback;
    if (typeof value !== "boolean") this.fail(`expected true or false, got ${this.found}`);
    return value;
  }

  /** An integer of 0 … 2³² − 1, as ids and lengths are, or of narrower bounds. */
  count(least = 0, most = 0xffffffff): number {
    const { value } = this;
    if (!Number.isInteger(value) || (value as number) < least || (value as number) > most)
      this.fail(`expected an integer of at least ${least} and at most ${most}, got ${this.found}`);
    return value as number;
  }

  oneOf<T extends string>(...choices: readonly T[]): T {
    const choice = choices.find((each) => each === this.value);
    if (choice === undefined)
      this.fail(`expected one of ${choices.map(quoted).join(", ")}, got ${this.found}`);
    return choice;
  }

  #child(value: unknown, path: string): JsonField {
    if (this.depth >= MAX_DEPTH) this.fail(`nested deeper than ${MAX_DEPTH} levels`);
    return new JsonField(value, this.file, path, this.depth + 1);
  }
}

/** The value of a JSON text. @throws DataError naming the file. */
export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError({ file }, `not valid JSON (${quoted(reason)})`, { cause: error });
  }
}

/** A value between quotes, cut when it is long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

/** A part of a tokenizer read by the `type` that it names. */
export type ByType<T> = Readonly<Record<string, (field: JsonField) => T>>;

/** Reads one part of a tokenizer; `what` names the part in the error about a kind that is not known. */
export function readByType<T>(field: JsonField, what: string, readers: ByType<T>): T {
  const type = field.get("type");
  const name = type.string();
  if (!Object.hasOwn(readers, name))
    type.fail(
      `the ${what} ${quoted(name)} is not supported; supported are ${Object.keys(readers).join(", ")}`,
    );
  return (readers[name] as (field: JsonField) => T)(field);
}
