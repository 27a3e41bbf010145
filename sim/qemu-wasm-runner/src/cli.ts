import { copyFile, readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { BOARDS, findBoard } from "./board.ts";
import { type BuildOptions, build, type Firmware } from "./build.ts";
import { benchCommand } from "./cli-bench.ts";
import { doctor } from "./doctor.ts";
import { open } from "./machine.ts";
import { parseCall } from "./module-call.ts";
import { compileModuleText } from "./module-text.ts";
import { RunnerError } from "./runner-error.ts";

/** Where a command writes and what it is told of its surroundings. */
export interface CliContext {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
  /** Where programs are kept unless `--cache` says otherwise. */
  readonly cacheFolder: string;
}

const COMMANDS = ["build", "run", "bench"];
const USAGE = `usage: qemu-wasm-runner build MODULE [--board BOARD] [--optimize size|speed] [--out FILE]
       qemu-wasm-runner run MODULE [--board BOARD] --call "NAME ARGUMENT…" [--call …]
       qemu-wasm-runner bench MODULE --board BOARD --call … [--max-flash B] [--max-ram B] [--max-insns N] [--max-cycles N]
       qemu-wasm-runner doctor
Builds an integer-only WebAssembly module (.wasm, or .wat) as a program of a board, and calls its exports there, as Node
would. bench counts instructions, bounds cycles by a table, and ends with 1 when a budget is exceeded.
  --board     ${BOARDS.map(({ name }) => name).join(" ")}   (default: host)
  --optimize  size or speed   (default: size)
  --memory    bytes behind the module's memory, when it needs less than it declares
  --checks    all: every access to it is checked; none: for a module that is proven   (default: all)
  --cache     folder of built programs
  --json      one JSON object on standard output
example: qemu-wasm-runner run add.wasm --board mps2-an386 --call "add 2 40"
`;

const OPTIONS = {
  board: { type: "string", default: "host" },
  optimize: { type: "string", default: "size" },
  memory: { type: "string" },
  checks: { type: "string", default: "all" },
  out: { type: "string" },
  cache: { type: "string" },
  call: { type: "string", multiple: true },
  "max-flash": { type: "string" },
  "max-ram": { type: "string" },
  "max-insns": { type: "string" },
  "max-cycles": { type: "string" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

type Values = ReturnType<typeof parse>["values"];

/**
 * The command.
 *
 * @param args  without the program's name
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage
 */
export async function main(args: readonly string[], context: CliContext): Promise<number> {
  try {
    const { values, positionals } = parse(args);
    if (values.help) {
      context.out(USAGE);
      return 0;
    }
    const [command = "", module, ...rest] = positionals;
    if (command === "doctor" && module === undefined) return await tellDoctor(values, context);
    if (COMMANDS.includes(command) && module !== undefined && rest.length === 0) {
      return await commandOn(command, module, values, context);
    }
    throw new RunnerError("usage", { command: `"${positionals.join(" ")}"`, see: "--help" });
  } catch (error) {
    return tellError(error, context);
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (cause) {
    throw new RunnerError("usage", { problem: cause instanceof TypeError ? cause.message : "" }, { cause });
  }
}

/** Commands on a module. */
async function commandOn(command: string, file: string, values: Values, context: CliContext): Promise<number> {
  const options = buildOptions(values, context);
  const wasm = await readModule(file);
  if (command === "bench") return benchCommand(wasm, options, values, context.out);
  const firmware = await build(wasm, options);
  return command === "build" ? tellBuild(firmware, values, context) : tellRun(firmware, values, context);
}

function buildOptions(values: Values, context: CliContext): BuildOptions {
  const { optimize, checks } = values;
  if (optimize !== "size" && optimize !== "speed") throw new RunnerError("usage", { optimize, known: "size speed" });
  if (checks !== "all" && checks !== "none") throw new RunnerError("usage", { checks, known: "all none" });
  return {
    board: findBoard(values.board).name,
    optimize,
    checks,
    cacheFolder: values.cache ?? context.cacheFolder,
    ...(values.memory === undefined ? {} : { memoryBytes: Number(values.memory) }),
  };
}

async function readModule(file: string): Promise<Uint8Array> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new RunnerError("usage", { module: file, problem: "cannot be read" }, { cause });
  });
  return file.endsWith(".wat") ? compileModuleText(file, bytes.toString()) : bytes;
}

async function tellBuild(firmware: Firmware, values: Values, context: CliContext): Promise<number> {
  const { board, moduleId, sizes, isCached } = firmware;
  if (values.out !== undefined && firmware.file !== null) await copyFile(firmware.file, values.out);
  const file = values.out ?? firmware.file;
  const exported = firmware.shape.exports.map(({ kind, name }) => ({ kind, name }));
  if (values.json) context.out(`${JSON.stringify({ board, moduleId, file, sizes, isCached, exports: exported })}\n`);
  else context.out(`${file ?? "nothing to build"}\n${sizes ? `${describeSizes(sizes)}\n` : ""}`);
  return 0;
}

function describeSizes({ flashBytes, ramBytes, stackBytes, parts }: NonNullable<Firmware["sizes"]>): string {
  const whole = `flash ${flashBytes} B, memory ${ramBytes} B, of it ${stackBytes} B set aside for the stack`;
  const lines = Object.entries(parts ?? {}).map(
    ([part, { codeBytes, constantBytes, dataBytes, zeroedBytes }]) =>
      `  ${part.padEnd(8)} code ${codeBytes} B, constants ${constantBytes} B, data ${dataBytes} B, zeroed ${zeroedBytes} B`,
  );
  return [whole, ...lines].join("\n");
}

async function tellRun(firmware: Firmware, values: Values, context: CliContext): Promise<number> {
  if (values.call === undefined) throw new RunnerError("usage", { run: "needs --call" });
  const machine = await open(firmware);
  const calls: { function: string; results?: string[]; trap?: string }[] = [];
  try {
    for (const call of values.call) {
      const { function: name, args } = parseCall(call);
      const answer = await machine.call(name, ...args).catch((error: unknown) => {
        if (error instanceof RunnerError && error.code === "trap") return String(error.facts.reason);
        throw error;
      });
      const told = typeof answer === "string" ? { trap: answer } : { results: answer.map(String) };
      calls.push({ function: name, ...told });
      if (!values.json) context.out(`${call.trim()}: ${told.trap ? `trap, ${told.trap}` : told.results?.join(" ")}\n`);
    }
  } finally {
    await machine.close();
  }
  if (values.json) context.out(`${JSON.stringify({ board: firmware.board, calls })}\n`);
  return calls.some(({ trap }) => trap !== undefined) ? 1 : 0;
}

async function tellDoctor(values: Values, context: CliContext): Promise<number> {
  const tools = await doctor();
  if (values.json) context.out(`${JSON.stringify({ tools })}\n`);
  else {
    for (const { name, boards, command, version, install } of tools) {
      const state =
        command === null ? `missing (${boards.join(", ")}); install it: ${install}` : `${command}, ${version}`;
      context.out(`${name}: ${state}\n`);
    }
  }
  return tools.every(({ command }) => command !== null) ? 0 : 1;
}

function tellError(error: unknown, context: CliContext): number {
  if (!(error instanceof RunnerError)) throw error;
  context.error(`${error.message}\n`);
  return error.code === "usage" || error.code === "unknown-board" ? 2 : 1;
}
