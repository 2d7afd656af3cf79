/** `tokenizer encode` and `tokenizer decode`: texts to tokens and ids, and ids to texts, line by line. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "../data/errors.ts";
import { modelFolder } from "../tasks/model-folder.ts";
import { Tokenizer } from "../text/tokenizer/tokenizer.ts";
import { table } from "./table.ts";
import { lineGroups, openText } from "./text-lines.ts";
import type { TokenizerSurroundings } from "./tokenizer-train.ts";

interface ApplyOptions {
  /** Lines are read from it where there are none among the arguments. */
  readonly file?: string;
  readonly json?: true;
}

export interface TokenizerEncodeOptions extends ApplyOptions {
  readonly ids?: true;
  readonly specialTokens: boolean;
}

export interface TokenizerDecodeOptions extends ApplyOptions {
  readonly specialTokens?: boolean;
}

const LINES = 256;

/** Prints the tokens of texts: a table each, ids alone, or a line of JSON. */
export async function encodeTexts(
  file: string,
  texts: readonly string[],
  { ids, json, specialTokens, ...options }: TokenizerEncodeOptions,
  surroundings: TokenizerSurroundings,
): Promise<void> {
  const tokenizer = await load(file);
  let isFirst = true;
  for await (const text of linesOf(texts, options, surroundings)) {
    const encoding = tokenizer.encode(text, { addSpecialTokens: specialTokens });
    if (json) {
      const { ids, tokens, offsets } = encoding;
      surroundings.stdout.write(`${JSON.stringify({ text, ids, tokens, offsets })}\n`);
    } else if (ids) surroundings.stdout.write(`${encoding.ids.join(" ")}\n`);
    else {
      const rows = encoding.ids.map((id, i) => {
        const [start, end] = encoding.offsets[i]!;
        const from = JSON.stringify(text.slice(start, end));
        return [String(id), visible(encoding.tokens[i]!), `${start}–${end}`, from];
      });
      const header = ["id", "token", "offsets", "text"];
      surroundings.stdout.write(`${isFirst ? "" : "\n"}${table(header, rows)}\n`);
    }
    isFirst = false;
  }
}

/** Prints the texts of ids; each line of input is one list, plain or as `encode` prints it with or without --json. */
export async function decodeIds(
  file: string,
  args: readonly string[],
  { json, specialTokens = false, ...options }: TokenizerDecodeOptions,
  surroundings: TokenizerSurroundings,
): Promise<void> {
  const tokenizer = await load(file);
  const given = args.length === 0 ? [] : [args.join(" ")];
  let line = 0;
  for await (const text of linesOf(given, options, surroundings)) {
    line += 1;
    const where =
      args.length > 0 ? { file: "ids" } : { file: options.file ?? "stdin", record: `line ${line}` };
    const ids = readIds(text, where);
    const unknown = ids.find((id) => tokenizer.idToToken(id) === undefined);
    if (unknown !== undefined)
      throw new DataError(where, `id ${unknown} is none of the tokenizer's; is it the right one?`);
    const decoded = tokenizer.decode(ids, { skipSpecialTokens: !specialTokens });
    surroundings.stdout.write(`${json ? JSON.stringify({ ids, text: decoded }) : decoded}\n`);
  }
}

/** A tokenizer from its file, or from the folder of a model or of a run. */
async function load(path: string): Promise<Tokenizer> {
  const isThere = (file: string) => stat(file).catch(() => null);
  if (!(await isThere(path))?.isDirectory()) return Tokenizer.load(path);
  const own = join(path, "tokenizer.json");
  return Tokenizer.load(
    (await isThere(own)) ? own : join(await modelFolder(path), "tokenizer.json"),
  );
}

async function* linesOf(
  given: readonly string[],
  { file }: ApplyOptions,
  { stdin, stderr }: TokenizerSurroundings,
): AsyncGenerator<string, void> {
  if (given.length > 0) return yield* given;
  if (file === undefined && stdin.isTTY) stderr.write("one text a line; Ctrl-D ends\n");
  const bytes = file === undefined ? stdin : await openText(file);
  for await (const lines of lineGroups(bytes, { name: file ?? "stdin", limit: LINES }))
    yield* lines;
}

function readIds(text: string, where: { file: string; record?: string }): number[] {
  const list = /^\s*[[{]/.test(text) ? parsedIds(text) : text.split(/[\s,]+/).filter(Boolean);
  if (Array.isArray(list)) {
    const ids = list.map((id: unknown) =>
      typeof id === "string" && !/^\d+$/.test(id) ? NaN : Number(id),
    );
    if (ids.every((id) => Number.isSafeInteger(id) && id >= 0)) return ids;
  }
  throw new DataError(
    where,
    'expected whole numbers with spaces or commas between, a list, or {"ids": […]}',
  );
}

/** The list in JSON, or what its `ids` are; null where the text is no JSON. */
function parsedIds(text: string): unknown {
  try {
    const value = JSON.parse(text) as unknown;
    return Array.isArray(value) ? value : (value as Record<string, unknown>)["ids"];
  } catch {
    return null;
  }
}

/** A token with what would move the cursor written out. */
const visible = (token: string): string =>
  token.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (char) => JSON.stringify(char).slice(1, -1));
