import { copyFile, readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { findBoard } from "./board.ts";
import { type BuildOptions, build, type Firmware } from "./build.ts";
import { doctor } from "./doctor.ts";
import { open } from "./machine.ts";
import { RunnerError } from "./runner-error.ts";

/** Where a command writes and what it is told of its surroundings. */
export interface CliContext {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
  /** Where programs are kept unless `--cache` says otherwise. */
  readonly cacheFolder: string;
}

const USAGE = `usage: qemu-wasm-runner build MODULE [--board host|node] [--optimize size|speed] [--memory BYTES] [--out FILE]
       qemu-wasm-runner run MODULE [--board …] --call "NAME ARGUMENT…" [--call …]
       qemu-wasm-runner doctor
Builds an integer-only WebAssembly module as a program and calls its exports there, as Node would.
  --board     host: as C, by this machine's compiler; node: Node's own WebAssembly   (default: host)
  --memory    bytes behind the module's memory, when it needs less than it declares
  --cache     folder of built programs
  --json      one JSON object on standard output
example: qemu-wasm-runner run add.wasm --call "add 2 40"
`;

const OPTIONS = {
  board: { type: "string", default: "host" },
  optimize: { type: "string", default: "size" },
  memory: { type: "string" },
  out: { type: "string" },
  cache: { type: "string" },
  call: { type: "string", multiple: true },
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
    if ((command === "build" || command === "run") && module !== undefined && rest.length === 0) {
      const firmware = await buildModule(module, values, context);
      return command === "build"
        ? await tellBuild(firmware, values, context)
        : await tellRun(firmware, values, context);
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

async function buildModule(file: string, values: Values, context: CliContext): Promise<Firmware> {
  const { optimize } = values;
  if (optimize !== "size" && optimize !== "speed") throw new RunnerError("usage", { optimize, known: "size speed" });
  const options: BuildOptions = {
    board: findBoard(values.board).name,
    optimize,
    cacheFolder: values.cache ?? context.cacheFolder,
    ...(values.memory === undefined ? {} : { memoryBytes: Number(values.memory) }),
  };
  const wasm = await readFile(file).catch((cause: unknown) => {
    throw new RunnerError("usage", { module: file, problem: "cannot be read" }, { cause });
  });
  return build(wasm, options);
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

function describeSizes(sizes: NonNullable<Firmware["sizes"]>): string {
  const { codeBytes, constantBytes, dataBytes, zeroedBytes } = sizes;
  return `code ${codeBytes} B, constants ${constantBytes} B, data ${dataBytes} B, zeroed ${zeroedBytes} B`;
}

async function tellRun(firmware: Firmware, values: Values, context: CliContext): Promise<number> {
  if (values.call === undefined) throw new RunnerError("usage", { run: "needs --call" });
  const machine = await open(firmware);
  const calls: { function: string; results?: string[]; trap?: string }[] = [];
  try {
    for (const call of values.call) {
      const [name = "", ...args] = call.trim().split(/\s+/);
      const answer = await machine.call(name, ...args.map(toInteger)).catch((error: unknown) => {
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

function toInteger(text: string): bigint {
  if (!/^-?(\d+|0x[0-9a-f]+)$/i.test(text)) throw new RunnerError("usage", { argument: text, want: "a whole number" });
  return text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text);
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
