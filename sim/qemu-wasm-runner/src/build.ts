import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BoardName, findBoard } from "./board.ts";
import { compileProgram } from "./compile.ts";
import { requireTool } from "./doctor.ts";
import { type ImageSizes, readElfSizes } from "./elf-sizes.ts";
import { type ModuleShape, readModuleShape } from "./module-shape.ts";
import { RunnerError } from "./runner-error.ts";
import { servedModuleSource } from "./served-program.ts";
import { sha256, translateToC } from "./translate.ts";

/** A program of the caller's around the module, in place of the one that answers calls. */
export interface OwnProgram {
  /** C files with a `main` and a `wasm_rt_trap`; they include `core.h` and `core-id.h`. */
  readonly sources: readonly string[];
  /** Folders of their headers. */
  readonly includes?: readonly string[];
  /** Further flags for these sources, such as warnings. */
  readonly flags?: readonly string[];
}

/** How a module is built. */
export interface BuildOptions {
  readonly board: BoardName;
  /** Where built programs are kept, by content; created when missing. */
  readonly cacheFolder: string;
  /** `size` (default) or `speed`. */
  readonly optimize?: "size" | "speed";
  /** Bytes behind the module's memory at the start; default, and at most, what it declares. Not for `node`. */
  readonly memoryBytes?: number;
  readonly program?: OwnProgram;
}

/** What was built. */
export interface Firmware {
  readonly board: BoardName;
  readonly wasm: Uint8Array;
  /** SHA-256 of the module, 64 hex digits. */
  readonly moduleId: string;
  readonly shape: ModuleShape;
  /** The program, null on a board that needs none. */
  readonly file: string | null;
  /** Bytes of the program, null where they cannot be told. */
  readonly sizes: ImageSizes | null;
  /** It was there already. */
  readonly isCached: boolean;
  /** The caller's own program: `run` it. Otherwise `open` it and call. */
  readonly hasOwnProgram: boolean;
}

const PAGE_BYTES = 65_536;
const PROGRAM_FILE = "program";
const OPTIMIZE = { size: "-Os", speed: "-O2" } as const;
/** The runner's own C, and the run time of the translated module: packed with it, else where the repository has it. */
const OWN_C = fileURLToPath(new URL("../firmware/", import.meta.url));
const RUNTIME_PLACES = ["../board-support/", "../../../firmware-examples/board-support/"];
const RUNTIME_FILES = ["wasm-rt.c", "wasm-rt.h"];

/**
 * Build a module for a board; the same module with the same options is built once.
 *
 * @throws {RunnerError} `unknown-board`, `bad-module`, `has-imports`, `not-integer-only`, `missing-tool` (with the line
 *         that installs it), `compile-failed` (with what the compiler said), `wrong-arguments`
 */
export async function build(wasm: Uint8Array, options: BuildOptions): Promise<Firmware> {
  const { name: board } = findBoard(options.board);
  const shape = readModuleShape(wasm);
  const hasOwnProgram = options.program !== undefined;
  const built = { board, wasm, moduleId: sha256(wasm), shape, hasOwnProgram };
  if (board === "node") {
    if (hasOwnProgram) throw new RunnerError("wrong-arguments", { board, takes: "no program of its own" });
    return { ...built, file: null, sizes: null, isCached: false };
  }
  const memoryBytes = chooseMemory(shape, options.memoryBytes);
  const { command, version } = await requireTool("c-compiler");
  const key = await cacheKey(wasm, options, memoryBytes, `${command} ${version} ${process.platform} ${process.arch}`);
  const folder = join(options.cacheFolder, key);
  const isCached = existsSync(join(folder, PROGRAM_FILE));
  if (!isCached) await buildInto(folder, wasm, shape, options, memoryBytes, command);
  const file = join(folder, PROGRAM_FILE);
  return { ...built, file, sizes: readElfSizes(await readFile(file)), isCached };
}

function chooseMemory(shape: ModuleShape, wanted: number | undefined): number {
  const declared = (shape.memory?.pages ?? 0) * PAGE_BYTES;
  if (wanted === undefined) return declared;
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > declared) {
    throw new RunnerError("wrong-arguments", { memoryBytes: wanted, least: 0, most: declared });
  }
  return wanted;
}

/** Everything that the program depends on. */
async function cacheKey(wasm: Uint8Array, options: BuildOptions, memoryBytes: number, tool: string): Promise<string> {
  const { sources = [], includes = [], flags = [] } = options.program ?? {};
  const runtime = RUNTIME_FILES.map((name) => join(runtimeFolder(), name));
  const own = (await filesIn(OWN_C)).concat(runtime);
  const headers = (await Promise.all(includes.map(filesIn))).flat().filter((file) => file.endsWith(".h"));
  const files = [...own, ...sources, ...headers];
  const texts = await Promise.all(files.map(async (file) => [`\0${basename(file)}\0`, await readFile(file)]));
  const facts = JSON.stringify([options.board, options.optimize ?? "size", memoryBytes, flags, sources.length, tool]);
  return sha256(wasm, facts, ...texts.flat());
}

async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(folder))
    .sort()
    .map((name) => join(folder, name))
    .filter((file) => /\.[ch]$/.test(file));
}

async function buildInto(
  folder: string,
  wasm: Uint8Array,
  shape: ModuleShape,
  options: BuildOptions,
  memoryBytes: number,
  compiler: string,
): Promise<void> {
  await mkdir(options.cacheFolder, { recursive: true });
  // Built aside and moved whole: two builds at once, or one that is ended, leave nothing half-written behind.
  const aside = await mkdtemp(join(options.cacheFolder, "building-"));
  try {
    const header = await translateToC(wasm, aside);
    const {
      sources,
      includes = [],
      flags = [],
    } = options.program ?? (await callServer(aside, shape, header, memoryBytes));
    await compileProgram({
      compiler,
      folder: aside,
      file: join(aside, PROGRAM_FILE),
      optimize: OPTIMIZE[options.optimize ?? "size"],
      sources: [join(runtimeFolder(), "wasm-rt.c"), ...sources],
      includes: [aside, runtimeFolder(), ...includes],
      flags,
    });
    await rename(aside, folder).catch((cause: unknown) => {
      if (!existsSync(join(folder, PROGRAM_FILE))) throw cause;
    });
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** The program for a module that is to be called: the server, the board, and what they must know about the module. */
async function callServer(
  folder: string,
  shape: ModuleShape,
  header: string,
  memoryBytes: number,
): Promise<OwnProgram> {
  const described = join(folder, "served-module.c");
  await writeFile(described, servedModuleSource(shape, header, memoryBytes));
  return { sources: [described, join(OWN_C, "call-server.c"), join(OWN_C, "board-host.c")], includes: [OWN_C] };
}

function runtimeFolder(): string {
  const places = RUNTIME_PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  const found = places.find((place) => existsSync(join(place, "wasm-rt.h")));
  if (found === undefined) throw new RunnerError("missing-tool", { tool: "wasm-rt.h", lookedIn: places.join(" ") });
  return found;
}
