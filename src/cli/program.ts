/** What the program is called and which version it is. */
import { readFileSync } from "node:fs";

/** The commands and what they do; without one it is the first. */
export const COMMANDS = [
  [
    "ner",
    "find entities in resumes: train, measure, read; this is also what runs without a command",
  ],
  [
    "translate",
    "translate: train on pairs of sentences, measure with BLEU and chrF, translate texts",
  ],
  ["tokenizer", "train a BPE or WordPiece vocabulary, encode and decode with it"],
  ["runs", "list, show, compare and plot training runs"],
] as const;

/** How the user calls the program, told by the path of its script: `loop` as an installed command, else through npm. */
export function programName(script = ""): string {
  return /(^|[\\/])(loop|dist[\\/]cli[\\/]main\.js)$/.test(script) ? "loop" : "npm start --";
}

/** The version in package.json, which lies two folders above this file in sources and builds alike. */
export function programVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
