import { copyFile, readFile } from "node:fs/promises";
import { BOARDS, findBoard } from "./board.ts";
import { type BuildOptions, build, type Firmware } from "./build.ts";
import { benchCommand } from "./cli-bench.ts";
import { type CliValues, readCommandLine, readCount } from "./cli-options.ts";
import { doctor } from "./doctor.ts";
import { fileError, isSystemError } from "./file-error.ts";
import { type OpenOptions, open } from "./machine.ts";
import { parseCall } from "./module-call.ts";
import { compileModuleText } from "./module-text.ts";
import { RunnerError, type RunnerErrorCode } from "./runner-error.ts";

/** Where a command writes and what it is told of its surroundings. */
export interface CliContext {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
  /** Where programs are kept unless `--cache` says otherwise. */
  readonly cacheFolder: string;
}

/** Errors of what was typed. */
const USAGE_CODES: readonly RunnerErrorCode[] = ["usage", "unknown-board", "wrong-arguments"];
const MANIFEST = new URL("../package.json", import.meta.url);
const USAGE = `usage: qemu-wasm-runner build MODULE [--board BOARD] [--optimize size|speed] [--out FILE]
       qemu-wasm-runner run MODULE [--board BOARD] --call "NAME ARGUMENT…" [--call …]
       qemu-wasm-runner bench MODULE --board BOARD --call … [--max-flash B] [--max-ram B] [--max-insns N] [--max-cycles N]
       qemu-wasm-runner doctor
Builds an integer-only WebAssembly module (.wasm, or .wat) as a program of a board, and calls its exports there, as Node
would. bench counts instructions, bounds cycles by a table, and ends with 1 when a budget is exceeded.
  --board     ${BOARDS.map(({ name }) => name).join(" ")}   (default: host)
  --mode      aot: compiled from C that is made of it; interp: run by the interpreter   (default: aot)
  --optimize  size or speed   (default: size)
  --memory    bytes behind the module's memory, when it needs less than it declares
  --checks    all: every access to it is checked; none: for a module that is proven   (default: all)
  --timeout   longest wait for an answer of the board in milliseconds, of run and bench   (default: 10000; traced 60000)
  --cache     folder of built programs
  --json      one JSON object on standard output
  --version   of this program; -h or --help: this text
example: qemu-wasm-runner run add.wasm --board mps2-an386 --call "add 2 40"
`;

/**
 * The command.
 *
 * @param args  without the program's name
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage
 */
export async function main(args: readonly string[], context: CliContext): Promise<number> {
  if (args.length === 0) {
    context.error(USAGE);
    return 2;
  }
  try {
    const { command, module, values } = readCommandLine(args);
    if (command === "help") return tellText(USAGE, context);
    if (command === "version") return tellText(`${JSON.parse(await readFile(MANIFEST, "utf8")).version}\n`, context);
    return command === "doctor" ? await tellDoctor(values, context) : await commandOn(command, module, values, context);
  } catch (error) {
    return tellError(error, context);
  }
}

function tellText(text: string, context: CliContext): number {
  context.out(text);
  return 0;
}

/** Commands on a module. */
async function commandOn(command: string, file: string, values: CliValues, context: CliContext): Promise<number> {
  const options = buildOptions(values, context);
  const timeoutMs = readCount(values, "timeout");
  const waiting = timeoutMs === undefined ? {} : { timeoutMs };
  const wasm = await readModule(file);
  if (command === "bench") return benchCommand(wasm, { ...options, ...waiting }, values, context.out);
  const firmware = await build(wasm, options);
  return command === "build" ? tellBuild(firmware, values, context) : tellRun(firmware, waiting, values, context);
}

function buildOptions(values: CliValues, context: CliContext): BuildOptions {
  const { mode, optimize, checks } = values;
  if (mode !== "aot" && mode !== "interp") throw new RunnerError("usage", { mode, known: "aot interp" });
  if (optimize !== "size" && optimize !== "speed") throw new RunnerError("usage", { optimize, known: "size speed" });
  if (checks !== "all" && checks !== "none") throw new RunnerError("usage", { checks, known: "all none" });
  const memoryBytes = readCount(values, "memory");
  return {
    board: findBoard(values.board).name,
    mode,
    optimize,
    checks,
    cacheFolder: values.cache ?? context.cacheFolder,
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  };
}

async function readModule(file: string): Promise<Uint8Array> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new RunnerError("usage", { module: file, problem: "cannot be read" }, { cause });
  });
  return file.endsWith(".wat") ? compileModuleText(file, bytes.toString()) : bytes;
}

async function tellBuild(firmware: Firmware, values: CliValues, context: CliContext): Promise<number> {
  const { board, moduleId, sizes, isCached } = firmware;
  if (values.out !== undefined && firmware.file !== null) await copyTo(firmware.file, values.out);
  const file = values.out ?? firmware.file;
  const exported = firmware.shape.exports.map(({ kind, name }) => ({ kind, name }));
  if (values.json) context.out(`${JSON.stringify({ board, moduleId, file, sizes, isCached, exports: exported })}\n`);
  else context.out(`${file ?? "nothing to build"}\n${sizes ? `${describeSizes(sizes)}\n` : ""}`);
  return 0;
}

async function copyTo(file: string, out: string): Promise<void> {
  await copyFile(file, out).catch((cause: unknown) => {
    throw fileError(cause, out, { flag: "--out" });
  });
}

function describeSizes({ flashBytes, ramBytes, stackBytes, parts }: NonNullable<Firmware["sizes"]>): string {
  const whole = `flash ${flashBytes} B, memory ${ramBytes} B, of it ${stackBytes} B set aside for the stack`;
  const lines = Object.entries(parts ?? {}).map(
    ([part, { codeBytes, constantBytes, dataBytes, zeroedBytes }]) =>
      `  ${part.padEnd(8)} code ${codeBytes} B, constants ${constantBytes} B, data ${dataBytes} B, zeroed ${zeroedBytes} B`,
  );
  return [whole, ...lines].join("\n");
}

async function tellRun(
  firmware: Firmware,
  waiting: OpenOptions,
  values: CliValues,
  context: CliContext,
): Promise<number> {
  if (values.call === undefined) throw new RunnerError("usage", { run: "needs --call" });
  const machine = await open(firmware, waiting);
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

async function tellDoctor(values: CliValues, context: CliContext): Promise<number> {
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

function tellError(thrown: unknown, context: CliContext): number {
  const error = isSystemError(thrown) ? fileError(thrown, thrown.path ?? "") : thrown;
  if (!(error instanceof RunnerError)) throw error;
  context.error(`${error.message}\n`);
  return USAGE_CODES.includes(error.code) ? 2 : 1;
}
