import { copyFile, readFile } from "node:fs/promises";
import { BOARDS, findBoard } from "./board.ts";
import { type BuildOptions, build, type Firmware } from "./build.ts";
import { benchCommand } from "./cli-bench.ts";
import type { CliContext } from "./cli-context.ts";
import { readModule } from "./cli-files.ts";
import { openCommand } from "./cli-open.ts";
import { type CliValues, readCommandLine, readCount } from "./cli-options.ts";
import { tellCalls, tellProgram } from "./cli-run.ts";
import { doctor } from "./doctor.ts";
import { fileError, isSystemError } from "./file-error.ts";
import { RunnerError, type RunnerErrorCode } from "./runner-error.ts";
import { elfProgram } from "./running-program.ts";

/** Errors of what was typed. */
const USAGE_CODES: readonly RunnerErrorCode[] = ["usage", "unknown-board", "wrong-arguments"];
const MANIFEST = new URL("../package.json", import.meta.url);
const USAGE = `usage: qemu-wasm-runner build MODULE [--board BOARD] [--optimize size|speed] [--program FILE.c] [--out FILE]
       qemu-wasm-runner run MODULE [--board BOARD] --call "NAME ARGUMENT…" [--call …]
       qemu-wasm-runner run MODULE [--board BOARD] --call NAME --in FILE [--out FILE]
       qemu-wasm-runner run MODULE [--board BOARD] --program FILE.c [--in FILE] [--out FILE]
       qemu-wasm-runner run --elf FILE --board BOARD [--in FILE] [--out FILE]
       qemu-wasm-runner open --elf FILE --board BOARD [--socket PATH]
       qemu-wasm-runner bench MODULE --board BOARD --call … [--max-flash B] [--max-ram B] [--max-insns N] [--max-cycles N]
       qemu-wasm-runner doctor
Builds an integer-only WebAssembly module (.wasm, or .wat) as a program of a board, and calls its exports there, as Node
would. bench counts instructions, bounds cycles by a table, and ends with 1 when a budget is exceeded. run gives a program
the bytes of --in at its UART and waits for its end; open leaves the UART to you, until the program's end or Ctrl-C.
  --board     ${BOARDS.map(({ name }) => name).join(" ")}   (default: host)
  --program   C of your own around the module, in place of what answers calls; may be repeated
  --include   folder of its headers; may be repeated
  --elf       a program that is built already, for build and module
  --in        bytes for the UART; with --call, arguments: little-endian integers of its types, call after call
  --out       file for what comes back (default: standard output); of build, for the program
  --socket    Unix socket to offer the UART at, in place of standard input and output
  --mode      aot: compiled from C that is made of it; interp: run by the interpreter   (default: aot)
  --optimize  size or speed   (default: size)
  --memory    bytes behind the module's memory, when it needs less than it declares
  --checks    all: every access to it is checked; none: for a module that is proven   (default: all)
  --timeout   longest wait in milliseconds, of run and bench: for an answer of the board (default: 10000; traced 60000),
              for the end of a program (default: 60000)
  --cache     folder of built programs
  --json      one JSON object on standard output
  --version   of this program; -h or --help: this text
examples:
  qemu-wasm-runner build add.wasm --board mps2-an386 --out add.elf
  qemu-wasm-runner run add.wasm --board mps2-an386 --call "add 2 40"
  qemu-wasm-runner run mean.wasm --board mps2-an386 --call update --in samples.bin --out means.bin
  qemu-wasm-runner run mean.wasm --board mps2-an386 --program main.c --in samples.bin --out frames.bin
  qemu-wasm-runner run --elf firmware.elf --board netduinoplus2 --in samples.bin --json
  qemu-wasm-runner open --elf firmware.elf --board riscv32-virt --socket /tmp/uart
  qemu-wasm-runner bench add.wasm --board mps2-an386 --call "add 2 40" --max-flash 1000
  qemu-wasm-runner doctor --json
Exit codes: 0 done; 1 failed, trapped, over a budget, or a program that ended with another than 0; 2 wrong usage.
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

/** Commands on a module or a program. */
async function commandOn(command: string, file: string, values: CliValues, context: CliContext): Promise<number> {
  const timeoutMs = readCount(values, "timeout");
  const waiting = timeoutMs === undefined ? {} : { timeoutMs };
  if (values.elf !== undefined) {
    const program = elfProgram(values.elf, findBoard(values.board).name);
    return command === "open" ? openCommand(program, values, context) : tellProgram(program, waiting, values, context);
  }
  const options = buildOptions(values, context);
  const wasm = await readModule(file);
  if (command === "bench") return benchCommand(wasm, { ...options, ...waiting }, values, context.out);
  const firmware = await build(wasm, options);
  if (command === "build") return tellBuild(firmware, values, context);
  if (command === "open") return openCommand(firmware, values, context);
  const isCalled = !firmware.hasOwnProgram;
  return isCalled ? tellCalls(firmware, waiting, values, context) : tellProgram(firmware, waiting, values, context);
}

function buildOptions(values: CliValues, context: CliContext): BuildOptions {
  const { mode, optimize, checks, program, include = [] } = values;
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
    ...(program === undefined ? {} : { program: { sources: program, includes: include } }),
  };
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
