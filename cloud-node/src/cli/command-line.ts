import { setImmediate } from "node:timers/promises";
import { Command, CommanderError } from "commander";
import { CommandError, EXIT_DONE, EXIT_FAILED, EXIT_USAGE } from "./command-error.ts";
import { packageVersion } from "./package-version.ts";
import { SUBCOMMANDS } from "./subcommands.ts";
import type { Surroundings } from "./surroundings.ts";
import { systemProblem } from "./system-problem.ts";

/**
 * Run one command line to its end.
 *
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage; for 1 and 2 one line on standard error says what to do
 */
export async function runCommandLine(surroundings: Surroundings): Promise<number> {
  const program = createProgram(surroundings);
  try {
    const [first] = surroundings.args;
    if (first === undefined) throw new CommandError("usage", "no command given", "try `lockstep demo`");
    refuseHelpOfUnknown(program, surroundings.args);
    await program.parseAsync(surroundings.args, { from: "user" });
    await checkOutput(surroundings);
    return EXIT_DONE;
  } catch (error) {
    const lost = await checkOutput(surroundings).catch((reason: unknown) => reason);
    return report(lost ?? error, program, surroundings);
  }
}

/** @throws {CommandError} `file` where standard output could not be written: streams tell of it a turn later */
async function checkOutput({ interrupt }: Surroundings): Promise<void> {
  await setImmediate();
  if (interrupt.reason instanceof CommandError) throw interrupt.reason;
}

/** `lockstep nothing --help` is answered like `lockstep nothing`; Commander would explain the command above it. */
function refuseHelpOfUnknown(program: Command, args: readonly string[]): void {
  let command = program;
  for (const arg of args) {
    if (arg.startsWith("-") || command.commands.length === 0) return;
    const child = subcommand(command, arg);
    if (child === undefined) {
      if (arg === "help" || !args.some((word) => word === "--help" || word === "-h")) return;
      throw new CommandError("usage", `unknown command '${arg}'`, "");
    }
    command = child;
  }
}

function subcommand(command: Command, name: string): Command | undefined {
  return command.commands.find((candidate) => candidate.name() === name || candidate.aliases().includes(name));
}

/** The whole command with its subcommands; nothing runs yet. */
export function createProgram(surroundings: Surroundings): Command {
  const program = new Command("lockstep")
    .description("Telemetry whose every value stays within the error bound that was asked for.")
    .version(packageVersion(), "-V, --version")
    // So that a subcommand can have a --version of its own.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => surroundings.stdout.write(text),
      // Errors of usage are thrown, and told in one line by `report`.
      writeErr: () => {},
    })
    .helpCommand(false)
    .addHelpText("after", "\nStart with:\n  $ lockstep demo\n\nEach command explains itself: lockstep COMMAND --help");
  for (const add of SUBCOMMANDS) add(program, surroundings);
  return program;
}

function report(error: unknown, program: Command, { stderr, args, interrupt }: Surroundings): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === EXIT_DONE) return EXIT_DONE;
    stderr.write(`lockstep: ${usageLine(error)}; see \`${helpLine(program, args)}\`\n`);
    return EXIT_USAGE;
  }
  if (error instanceof CommandError) {
    const help = error.code === "usage" ? `; see \`${helpLine(program, args)}\`` : "";
    stderr.write(`lockstep: ${error.message}${help}\n`);
    return error.exitCode;
  }
  if (interrupt.aborted && (isAbort(error) || isClosedPipe(error))) return EXIT_DONE;
  if (isExpected(error)) {
    stderr.write(`lockstep: ${systemProblem(error) ?? error.message}\n`);
    return EXIT_FAILED;
  }
  // Not foreseen, so a fault of this program: the stack is what whoever mends it needs.
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  stderr.write(`${detail}\nlockstep: this should not have happened: please report it with the lines above\n`);
  return EXIT_FAILED;
}

/** Commander's words in one line: "unknown option '--esp' (did you mean --eps?)". */
function usageLine(error: CommanderError): string {
  if (error.code === "commander.help") return "a subcommand is missing";
  const [problem = "", ...hints] = error.message
    .replace(/^error: /, "")
    .replace(" is invalid. ", " is invalid: ")
    .replace(/: Allowed choices are (.*)\.$/, ": allowed are $1")
    .split("\n");
  return [problem, ...hints.map((hint) => hint.replace(/^\(Did/, "(did"))].filter((part) => part !== "").join(" ");
}

/** The help of the innermost command that the words on the line name. */
function helpLine(program: Command, args: readonly string[]): string {
  const names = [program.name()];
  let command = program;
  for (const arg of args) {
    const child = subcommand(command, arg);
    if (child === undefined) break;
    names.push(child.name());
    command = child;
  }
  return [...names, "--help"].join(" ");
}

/** Errors of our own domains carry a `code` and facts, and a message made for a person; so do the system's. */
function isExpected(error: unknown): error is Error {
  return error instanceof Error && "code" in error && typeof error.code === "string" && !error.code.startsWith("ERR_");
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

/** Whoever read standard output has seen enough. */
function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED");
}
