/** Options of a command from a JSON file: `--config`. */
import { InvalidArgumentError, type Command, type Option } from "commander";
import { DataError } from "../data/errors.ts";
import { readText } from "../data/read-file.ts";

/** Options that say something to the command line itself. */
const NOT_IN_FILES = ["config", "help", "version"];

/**
 * Sets the options that the file named by `--config` gives and the command line does not.
 * @throws DataError naming the file and the key that is unknown, or whose value is wrong.
 */
export async function applyConfig(command: Command): Promise<void> {
  const file: unknown = command.getOptionValue("config");
  if (typeof file !== "string") return;
  for (const [key, value] of Object.entries(await readObject(file))) {
    const option = command.options.find(
      (each) => key === each.attributeName() || key === each.name(),
    );
    const name = option?.attributeName() ?? key;
    if (option === undefined || NOT_IN_FILES.includes(name)) {
      const names = command.options
        .map((each) => each.attributeName())
        .filter((each) => !NOT_IN_FILES.includes(each));
      throw new DataError({ file, field: key }, `unknown option; there are ${names.join(", ")}`);
    }
    const parsed = parse(option, value, file, key);
    const isGiven = command.getOptionValueSource(name) === "cli";
    if (!isGiven && parsed !== undefined) command.setOptionValueWithSource(name, parsed, "config");
  }
}

async function readObject(file: string): Promise<object> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readText(file));
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError({ file }, "not valid JSON", { cause: error });
  }
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed;
  throw new DataError({ file }, 'expected a JSON object of options, e.g. { "epochs": 3 }');
}

/** The option's value; undefined where it is as if it were not given. */
function parse(option: Option, value: unknown, file: string, key: string): unknown {
  const wrong = (problem: string) => new DataError({ file, field: key }, problem);
  if (typeof value === "boolean" && (!option.required || option.negate)) {
    return option.negate || value ? value : undefined;
  }
  if (option.isBoolean() || option.negate) throw wrong("expected true or false");
  if (typeof value !== "string" && typeof value !== "number") {
    throw wrong("expected a string or a number");
  }
  if (option.parseArg === undefined) return String(value);
  try {
    return option.parseArg(String(value), undefined);
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw wrong(error.message);
    throw error;
  }
}
