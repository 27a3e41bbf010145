import { parseArgs } from "node:util";
import { RunnerError } from "./runner-error.ts";

const OPTIONS = {
  board: { type: "string", default: "host" },
  mode: { type: "string", default: "aot" },
  optimize: { type: "string", default: "size" },
  memory: { type: "string" },
  checks: { type: "string", default: "all" },
  program: { type: "string", multiple: true },
  include: { type: "string", multiple: true },
  elf: { type: "string" },
  in: { type: "string" },
  out: { type: "string" },
  socket: { type: "string" },
  cache: { type: "string" },
  call: { type: "string", multiple: true },
  timeout: { type: "string" },
  "max-flash": { type: "string" },
  "max-ram": { type: "string" },
  "max-insns": { type: "string" },
  "max-cycles": { type: "string" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
  version: { type: "boolean", default: false },
} as const;

type Option = keyof typeof OPTIONS;

const HOW_BUILT: readonly Option[] = ["board", "mode", "optimize", "memory", "checks", "cache", "json"];
const OWN_PROGRAM: readonly Option[] = ["program", "include"];
/** What each command takes; every one of them is refused elsewhere. */
const COMMANDS: ReadonlyMap<string, readonly Option[]> = new Map([
  ["build", [...HOW_BUILT, ...OWN_PROGRAM, "out"]],
  ["run", [...HOW_BUILT, ...OWN_PROGRAM, "elf", "call", "timeout", "in", "out"]],
  ["open", [...HOW_BUILT, ...OWN_PROGRAM, "elf", "socket"]],
  ["bench", [...HOW_BUILT, "call", "timeout", "max-flash", "max-ram", "max-insns", "max-cycles"]],
  ["doctor", ["json"]],
]);
/** For a file that is built already, nothing says how. */
const NOT_FOR_ELF: readonly Option[] = ["mode", "optimize", "memory", "checks", "cache", ...OWN_PROGRAM, "call"];
/** Not for the board `node`, which builds nothing and calls in this process. */
const NOT_FOR_NODE: readonly Option[] = ["mode", "memory", "timeout", ...OWN_PROGRAM, "elf", "socket"];

/** What was typed, with every option in its place. */
export interface CommandLine {
  /** The command; `help` and `version` for the options of these names, and `help` too where nothing was typed. */
  readonly command: string;
  /** File of the module; none for `doctor`, `help` and `version`, and with `--elf`. */
  readonly module: string;
  readonly values: CliValues;
}

/** Values of options, defaults among them. */
export type CliValues = ReturnType<typeof parse>["values"];

/**
 * Read a command line.
 *
 * @param args  without the program's name
 * @throws {RunnerError} `usage`
 */
export function readCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals, tokens } = parse(args);
  if (values.help) return { command: "help", module: "", values };
  if (values.version) return { command: "version", module: "", values };
  const [command = "", module = "", ...rest] = positionals;
  const taken = COMMANDS.get(command);
  const hasModule = command !== "doctor" && values.elf === undefined;
  if (taken === undefined || rest.length > 0 || hasModule !== positionals.length > 1) {
    throw new RunnerError("usage", { command: `"${positionals.join(" ")}"`, see: "--help" });
  }
  const given = tokens.flatMap((token) => (token.kind === "option" ? [token.name as Option] : []));
  const stray = given.find((name) => !taken.includes(name));
  if (stray !== undefined) throw new RunnerError("usage", { command, refuses: `--${stray}`, takes: listed(taken) });
  refuseTogether(command, values, given);
  return { command, module, values };
}

/** Options that each are taken, and say nothing together. */
function refuseTogether(command: string, values: CliValues, given: readonly Option[]): void {
  if (values.board === "node") {
    const idle = given.find((name) => NOT_FOR_NODE.includes(name) || (command === "build" && name === "out"));
    if (idle !== undefined) throw new RunnerError("usage", { board: "node", refuses: `--${idle}` });
  }
  if (values.elf !== undefined) {
    const idle = given.find((name) => NOT_FOR_ELF.includes(name));
    if (idle !== undefined) throw new RunnerError("usage", { flag: "--elf", refuses: `--${idle}` });
    if (!given.includes("board")) throw new RunnerError("usage", { flag: "--elf", needs: "--board" });
  } else if (command === "open" && values.program === undefined) {
    throw new RunnerError("usage", { command, needs: "--elf FILE, or --program FILE.c around a module" });
  }
  if (values.include !== undefined && values.program === undefined) {
    throw new RunnerError("usage", { flag: "--include", needs: "--program" });
  }
  if (command === "run") refuseTogetherInRun(values);
  if (command === "open" && values.json && values.socket === undefined) {
    throw new RunnerError("usage", { flag: "--json", needs: "--socket: without it standard output is the UART's" });
  }
}

function refuseTogetherInRun({ elf, program, call, in: input, out }: CliValues): void {
  if (elf !== undefined) return;
  if (program !== undefined && call !== undefined) {
    throw new RunnerError("usage", { flag: "--program", refuses: "--call: the program makes its own" });
  }
  if (program !== undefined) return;
  if (call === undefined) throw new RunnerError("usage", { run: "needs --call, --program or --elf" });
  const isStream = input !== undefined;
  if (out !== undefined && !isStream)
    throw new RunnerError("usage", { flag: "--out", needs: "--in, --program or --elf" });
  if (isStream && (call.length !== 1 || /\s/.test(call[0]?.trim() ?? ""))) {
    throw new RunnerError("usage", { flag: "--in", needs: "one --call, of a name without arguments" });
  }
}

/**
 * An option's whole number.
 *
 * @returns undefined where it was not given
 * @throws {RunnerError} `usage`
 */
export function readCount(values: CliValues, option: "memory" | "timeout"): number | undefined {
  const text = values[option];
  if (text === undefined) return undefined;
  const isCount = /^\d{1,10}$/.test(text) && Number(text) <= MOST[option] && Number(text) >= LEAST[option];
  if (isCount) return Number(text);
  const facts = { given: `"${text}"`, want: "a whole number", least: LEAST[option], most: MOST[option] };
  throw new RunnerError("usage", { flag: `--${option}`, ...facts });
}

const LEAST = { memory: 0, timeout: 1 } as const;
/** The memory of 32-bit addresses; the longest wait of a timer. */
const MOST = { memory: 2 ** 32, timeout: 2 ** 31 - 1 } as const;

function listed(options: readonly Option[]): string {
  return options.map((name) => `--${name}`).join(" ");
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, tokens: true });
  } catch (cause) {
    throw new RunnerError("usage", { problem: cause instanceof TypeError ? cause.message : "" }, { cause });
  }
}
