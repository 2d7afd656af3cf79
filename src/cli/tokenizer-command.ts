/** The `tokenizer` command: train a BPE or WordPiece vocabulary on files, encode texts with it, decode ids. */
import { Command, Option } from "commander";
import { runCommand, subcommandsOf, withManners } from "./command-line.ts";
import { wholeNumber } from "./options.ts";
import {
  decodeIds,
  encodeTexts,
  type TokenizerDecodeOptions,
  type TokenizerEncodeOptions,
} from "./tokenizer-apply.ts";
import {
  trainTokenizer,
  type TokenizerSurroundings,
  type TokenizerTrainOptions,
} from "./tokenizer-train.ts";

/** What the command needs of the world around it. */
export interface TokenizerEnvironment extends TokenizerSurroundings {
  /** How the user calls the program, for its help. */
  readonly program: string;
}

/** Those of Python's ready-made trainers; the library's own are those of its bare ones. */
const VOCABULARY = 30_000;
const FREQUENCY = 2;
const MOST = 2 ** 31 - 1;

/**
 * Runs the command and gives its exit code, as `runCommand` says.
 * @param argv arguments after `tokenizer`.
 */
export function runTokenizer(
  argv: readonly string[],
  environment: TokenizerEnvironment,
): Promise<number> {
  const name = `${environment.program} tokenizer`;
  const command = withManners(new Command(name), environment).description(
    "Cut texts into pieces of a vocabulary, as Hugging Face tokenizers do, and learn such a vocabulary.",
  );
  const sub = subcommandsOf(command, name, environment);

  sub("train", "Learn a vocabulary from text files and write a tokenizer.json.", [
    'train book.txt --vocab-size 8000 --special-tokens "<pad>,<s>,</s>"',
    "train part-*.txt.gz --type wordpiece --output bert/tokenizer.json",
    "train - --quiet --json < book.txt",
  ])
    .argument("<files...>", "text in UTF-8, also .gz and .br; - is stdin")
    .addOption(
      new Option("--type <type>", "byte-level BPE as GPT-2's, or WordPiece as BERT's")
        .choices(["bpe", "wordpiece"])
        .default("bpe"),
    )
    .option("--cased", "keep case and accents (default: wordpiece removes them, bpe never does)")
    .option(
      "--vocab-size <n>",
      "tokens to learn until, all included",
      wholeNumber(1, MOST),
      VOCABULARY,
    )
    .option(
      "--min-frequency <n>",
      "what pieces must occur together to be joined",
      wholeNumber(0, MOST),
      FREQUENCY,
    )
    .option(
      "--special-tokens <tokens>",
      "tokens with the first ids, with commas between or the option repeated (default: none; BERT's for wordpiece)",
      list,
    )
    .option(
      "--limit-alphabet <n>",
      "keep the most frequent characters only (default: all)",
      wholeNumber(0, MOST),
    )
    .option(
      "--max-token-length <n>",
      "join no pieces to as many characters (default: any)",
      wholeNumber(1, MOST),
    )
    .option("--output <file>", "file to write", "tokenizer.json")
    .option("--overwrite", "let --output replace a file that is there")
    .option("--json", "print the result as one line of JSON on stdout")
    .option("--quiet", "print nothing but errors and what --json prints")
    .action(async (files: string[], options: TokenizerTrainOptions, self: Command) => {
      if (options.type === "wordpiece" && options.specialTokens?.includes("[UNK]") === false)
        self.error("error: option '--special-tokens <tokens>' needs [UNK] for wordpiece", {
          exitCode: 2,
        });
      if (options.type === "bpe" && options.cased)
        self.error("error: option '--cased' is for --type wordpiece; bpe keeps case anyway", {
          exitCode: 2,
        });
      await trainTokenizer(files, options, environment);
    });

  sub("encode", "Show the tokens, ids and offsets of texts, given or read line by line.", [
    'encode tokenizer.json "The quick brown fox"',
    "encode tokenizer.json --ids --file book.txt > ids.txt",
  ])
    .argument("<tokenizer>", "a tokenizer.json, or the folder of a model or run with one")
    .argument("[text...]", "texts, each in quotes (default: the lines of --file or stdin)")
    .option("--file <file>", "read texts from it, one a line")
    .option("--no-special-tokens", "leave out the tokens put around each text")
    .addOption(new Option("--ids", "print the ids alone, a line for each text").conflicts("json"))
    .option("--json", "print a line of JSON for each text; offsets count UTF-16 units")
    .action(
      async (file: string, texts: string[], options: TokenizerEncodeOptions, self: Command) => {
        checkSource(texts, options, self);
        await encodeTexts(file, texts, options, environment);
      },
    );

  sub("decode", "Show the text of ids, given or read line by line.", [
    "decode tokenizer.json 464 2068 7586",
    "decode tokenizer.json --file ids.txt",
  ])
    .argument("<tokenizer>", "a tokenizer.json, or the folder of a model or run with one")
    .argument("[ids...]", "ids of one text (default: the lines of --file or stdin)")
    .option("--file <file>", "read ids from it, those of a text a line")
    .option("--special-tokens", "keep special tokens in the text")
    .option("--json", "print a line of JSON for each text")
    .action(async (file: string, ids: string[], options: TokenizerDecodeOptions, self: Command) => {
      checkSource(ids, options, self);
      await decodeIds(file, ids, options, environment);
    });
  return runCommand(command, argv, environment);
}

function checkSource(given: readonly string[], { file }: { file?: string }, self: Command): void {
  if (given.length > 0 && file !== undefined)
    self.error("error: option '--file <file>' cannot be used with texts or ids as arguments", {
      exitCode: 2,
    });
}

const list = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...value.split(",").filter((item) => item !== ""),
];
