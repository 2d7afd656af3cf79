/** What all commands do alike: where commander writes, and how errors become exit codes. */
import { CommanderError, type Command } from "commander";
import { InterruptedError } from "./interrupt.ts";

/** Where a command prints. */
export interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** The command with the manners that all share: help, strict arguments, and no exit of its own. */
export function withManners(command: Command, { stdout, stderr }: Streams): Command {
  return command
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
    })
    .helpOption("-h, --help", "show this help")
    .helpCommand(false)
    .allowExcessArguments(false)
    .showHelpAfterError("(--help lists the options)");
}

/** What adds a command below `command`, which the user calls `name`: its usage, what it does, and examples for its help. */
export const subcommandsOf =
  (command: Command, name: string, streams: Streams) =>
  (usage: string, description: string, examples: readonly string[]): Command =>
    withManners(command.command(usage), streams)
      .description(description)
      .addHelpText(
        "after",
        ["", "Examples:", ...examples.map((example) => `  ${name} ${example}`), ""].join("\n"),
      );

/**
 * Runs a command and gives its exit code: 0, 1 for bad input or a failure, 2 for wrong usage, 130 after Ctrl-C, 143
 * after SIGTERM. In every case but the first the last line on stderr says why.
 *
 * @param argv arguments without the program's and the command's own names.
 */
export async function runCommand(
  command: Command,
  argv: readonly string[],
  { stderr }: Pick<Streams, "stderr">,
): Promise<number> {
  try {
    await command.parseAsync(argv, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const message = error instanceof Error ? error.message : String(error);
    stderr.write(`error: ${message}\n`);
    return error instanceof InterruptedError ? error.exitCode : 1;
  }
}
