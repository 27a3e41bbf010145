import { existsSync, readFileSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BoardName, findBoard } from "./board.ts";
import { type CompileSetting, compileProgram, MAP_FILE, type ProgramSource, preprocess } from "./compile.ts";
import { requireTool } from "./doctor.ts";
import { fileError } from "./file-error.ts";
import { type FirmwareSizes, readFirmwareSizes } from "./firmware-sizes.ts";
import { INTERPRETER_SOURCES, interpretModule, type RunMode } from "./interpreted-module.ts";
import { isWhole, keepFolder, seal } from "./kept-folder.ts";
import { type ModuleShape, readModuleShape } from "./module-shape.ts";
import { makePrivateFolder } from "./private-folder.ts";
import { RunnerError } from "./runner-error.ts";
import { servedModuleSources } from "./served-program.ts";
import { type Target, targetOf } from "./target.ts";
import { sha256, TRANSLATED, TRANSLATOR, translateToC } from "./translate.ts";

/** A program of the caller's around the module, in place of the one that answers calls. */
export interface OwnProgram {
  /** C files with a `main` and a `wasm_rt_trap`; they include `core.h`, `core-id.h` and, if they like, `board.h`. */
  readonly sources: readonly string[];
  /** C files that the sizes count with what the module stands on, part `runtime`, and not with the program around. */
  readonly supportSources?: readonly string[];
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
  /**
   * `aot` (default): the module is made C, and that is compiled. `interp`: the module itself is in the program, and the
   * interpreter runs it. Not for `node`.
   */
  readonly mode?: RunMode;
  /** Of mode `interp`: lent to the interpreter for globals, values and frames, a multiple of 4, default 2,048. */
  readonly interpreterStackBytes?: number;
  /** `size` (default) or `speed`. */
  readonly optimize?: "size" | "speed";
  /** Bytes behind the module's memory at the start; default, and at most, what it declares. Not for `node`. */
  readonly memoryBytes?: number;
  /**
   * `lent` (default): the program lends the memory. `inside`: its `memoryBytes` are in the module's instance, which is
   * faster, and WASM_RT_MEMORY_BYTES says how many; only with a program of the caller's own.
   */
  readonly memoryPlace?: "lent" | "inside";
  /**
   * `all` (default): every access of the module to its memory is checked. `none`: no access is; only for a module whose
   * every address is proven. Not for `node`.
   */
  readonly checks?: "all" | "none";
  /**
   * Exported globals of the module that keep their start value: they are constants of the program, and the module traps
   * (`unreachable`) where it would set one to anything else. What the program never asks of the module falls away with them.
   * Of mode `aot`.
   */
  readonly fixedGlobals?: readonly string[];
  /** Memory set aside for the stack where no operating system gives it: 256 or more, a multiple of 8, default 8,192. */
  readonly stackBytes?: number;
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
  /** The linker's map of it, null where there is none. */
  readonly mapFile: string | null;
  /** Bytes of the program, null where they cannot be told. */
  readonly sizes: FirmwareSizes | null;
  /** It was there already, whole; a damaged one is built again. */
  readonly isCached: boolean;
  /** The caller's own program: `run` it. Otherwise `open` it and call. */
  readonly hasOwnProgram: boolean;
}

const MACHINE = `${process.platform} ${process.arch}`;
const PAGE_BYTES = 65_536;
const PROGRAM_FILE = "program";
const STACK_BYTES_LEAST = 256;
/** Words of it have 16-bit numbers. */
const INTERPRETER_STACK_MOST = 4 * 65_535;
const OPTIMIZE = { size: "-Os", speed: "-O2" } as const;
const CHECKS = { all: [], none: ["-DWASM_RT_MEMCHECK_GUARD_PAGES=1"] } as const;
/** What of the runner decides how a program is made: a program that was made otherwise is another one. */
const RECIPE = [
  ...["build", "compile", "interpreted-module", "served-program", "target", "translate"].map((name) =>
    fileURLToPath(new URL(`./${name}${extname(import.meta.url)}`, import.meta.url)),
  ),
  ...TRANSLATOR,
];
/** The runner's own C; and the board support: packed with it, else where the repository has it. */
const OWN_C = fileURLToPath(new URL("../firmware/", import.meta.url));
/** What any build of a translated module is compiled with: the same file for every build system there is. */
const NEEDED_FLAGS = "needed.flags";
const SUPPORT_PLACES = ["../board-support/", "../../../firmware-examples/board-support/"];

/**
 * Build a module for a board; the same module with the same options is built once, and again when what was kept of it is damaged.
 *
 * @throws {RunnerError} `unknown-board`, `bad-module`, `has-imports`, `not-integer-only`, `missing-tool` (with the line
 *         that installs it), `compile-failed` (with what the compiler said), `wrong-arguments`, `file-failed` (with the path)
 */
export async function build(wasm: Uint8Array, options: BuildOptions): Promise<Firmware> {
  const { name: board } = findBoard(options.board);
  const shape = readModuleShape(wasm);
  const hasOwnProgram = options.program !== undefined;
  const built = { board, wasm, moduleId: sha256(wasm), shape, hasOwnProgram };
  if (board === "node") {
    if (hasOwnProgram) throw new RunnerError("wrong-arguments", { board, takes: "no program of its own" });
    return { ...built, file: null, mapFile: null, sizes: null, isCached: false };
  }
  const target = targetOf(board);
  const memoryBytes = chooseMemory(shape, options.memoryBytes);
  refuseStack(options.stackBytes);
  refuseInterpreterStack(options.interpreterStackBytes);
  if (options.memoryPlace === "inside" && !hasOwnProgram) {
    throw new RunnerError("wrong-arguments", { memoryPlace: "inside", needs: "a program of its own" });
  }
  const { command, version } = await requireTool(target.compiler);
  await mkdir(options.cacheFolder, { recursive: true }).catch((cause: unknown) => {
    throw fileError(cause, options.cacheFolder, { want: "a folder for built programs" });
  });
  const plan = { options, target, memoryBytes, compiler: command, compilerVersion: version };
  const folder = join(options.cacheFolder, await cacheKey(wasm, plan));
  const file = join(folder, PROGRAM_FILE);
  const isCached = await isWhole(folder);
  if (!isCached) await buildInto(folder, wasm, shape, plan);
  const mapFile = existsSync(join(folder, MAP_FILE)) ? join(folder, MAP_FILE) : null;
  return { ...built, file, mapFile, sizes: await readFirmwareSizes(file, mapFile), isCached };
}

function chooseMemory(shape: ModuleShape, wanted: number | undefined): number {
  const declared = (shape.memory?.pages ?? 0) * PAGE_BYTES;
  if (wanted === undefined) return declared;
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > declared) {
    throw new RunnerError("wrong-arguments", { memoryBytes: wanted, least: 0, most: declared });
  }
  return wanted;
}

function refuseStack(stackBytes: number | undefined): void {
  if (stackBytes === undefined || (stackBytes >= STACK_BYTES_LEAST && stackBytes % 8 === 0)) return;
  throw new RunnerError("wrong-arguments", { stackBytes, least: STACK_BYTES_LEAST, multipleOf: 8 });
}

function refuseInterpreterStack(interpreterStackBytes = 4): void {
  if (interpreterStackBytes > 0 && interpreterStackBytes % 4 === 0 && interpreterStackBytes <= INTERPRETER_STACK_MOST)
    return;
  throw new RunnerError("wrong-arguments", { interpreterStackBytes, most: INTERPRETER_STACK_MOST, multipleOf: 4 });
}

/** Everything that the program depends on. */
async function cacheKey(wasm: Uint8Array, plan: Plan): Promise<string> {
  const { options, target, memoryBytes, compiler, compilerVersion } = plan;
  const folders = [OWN_C, supportFolder(), interpreterFolder(), boardFolder(), join(boardFolder(), "libc")];
  const files = (await Promise.all(folders.map(filesIn))).flat().concat(RECIPE);
  const texts = await Promise.all(files.map(async (file) => [`\0${basename(file)}\0`, await readFile(file)]));
  const tool = `${compiler} ${compilerVersion} ${MACHINE}`;
  const { interpreterStackBytes = 0, fixedGlobals = [] } = options;
  const { board, mode = "aot", optimize = "size", checks = "all", stackBytes = 0, memoryPlace = "lent" } = options;
  const facts = JSON.stringify([
    board,
    target,
    mode,
    interpreterStackBytes,
    neededFlags(),
    optimize,
    checks,
    memoryBytes,
    memoryPlace,
    fixedGlobals,
    stackBytes,
    tool,
  ]);
  return sha256(wasm, facts, ...texts.flat(), ...(await ownTexts(wasm, plan)));
}

/** The caller's own sources with every header that they read, a separator and the flags before each. */
async function ownTexts(wasm: Uint8Array, plan: Plan): Promise<(string | Uint8Array)[]> {
  const { program } = plan.options;
  if (program === undefined) return [];
  const setting = settingOf(plan, await translateOnce(wasm, plan.options));
  const texts = ownProgram(program).map(async (source) => [
    `\0${JSON.stringify([source.part, basename(source.file), source.flags])}\0`,
    await preprocess(setting, source),
  ]);
  return (await Promise.all(texts)).flat();
}

/** @param translated  folder of the translated module */
function settingOf({ options, target, compiler, memoryBytes }: Plan, translated: string): CompileSetting {
  return {
    compiler,
    optimize: OPTIMIZE[options.optimize ?? "size"],
    needed: neededFlags(),
    includes: [
      translated,
      supportFolder(),
      interpreterFolder(),
      boardFolder(),
      OWN_C,
      ...(options.program?.includes ?? []),
    ],
    target,
    boardFolder: boardFolder(),
    defines: [
      ...CHECKS[options.checks ?? "all"],
      ...interpreterDefines(options),
      ...(options.memoryPlace === "inside" ? [`-DWASM_RT_MEMORY_BYTES=${memoryBytes}`] : []),
    ],
  };
}

function interpreterDefines({ mode, interpreterStackBytes }: BuildOptions): string[] {
  return mode === "interp" && interpreterStackBytes !== undefined
    ? [`-DCORE_STACK_WORDS=${interpreterStackBytes / 4}`]
    : [];
}

async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(folder))
    .sort()
    .map((name) => join(folder, name))
    .filter((file) => /\.([ch]|ld)$/.test(file));
}

interface Plan {
  readonly options: BuildOptions;
  readonly target: Target;
  readonly memoryBytes: number;
  readonly compiler: string;
  readonly compilerVersion: string;
}

async function buildInto(folder: string, wasm: Uint8Array, shape: ModuleShape, plan: Plan): Promise<void> {
  const { options, target, compilerVersion } = plan;
  // Built aside and moved whole: two builds at once, or one that is ended, leave nothing half-written behind.
  const { path: aside, remove } = await makePrivateFolder(options.cacheFolder, "building-");
  try {
    const translated = await translateOnce(wasm, options);
    for (const name of TRANSLATED) await copyFile(join(translated, name), join(aside, name));
    const header = await readFile(join(translated, "core.h"), "utf8");
    const isInterpreted = options.mode === "interp";
    if (isInterpreted) {
      await interpretModule(wasm, {
        folder: aside,
        interpreterFolder: interpreterFolder(),
        memoryBytes: plan.memoryBytes,
      });
    }
    const { program } = options;
    const around = program === undefined ? await callServer(aside, shape, header, plan) : ownProgram(program);
    const board = target.boardSources.map((name) => ownSource("board", join(boardFolder(), name)));
    const library = target.isFreestanding ? ["memory.c"] : [];
    const interpreter = isInterpreted ? INTERPRETER_SOURCES.map((name) => join(interpreterFolder(), name)) : [];
    const runtime = [
      join(supportFolder(), "wasm-rt.c"),
      ...interpreter,
      ...library.map((name) => join(boardFolder(), name)),
    ];
    await compileProgram({
      ...settingOf(plan, aside),
      compilerVersion,
      objectFolder: join(options.cacheFolder, "objects"),
      folder: aside,
      file: join(aside, PROGRAM_FILE),
      sources: [...board, ...runtime.map((file) => ownSource("runtime", file)), ...around],
      stackBytes: options.stackBytes ?? null,
    });
    await seal(aside, [PROGRAM_FILE, MAP_FILE]);
    await keepFolder(aside, folder);
  } finally {
    await remove();
  }
}

/** The C of a module is the same for every board. @returns the folder that has it, TRANSLATED */
async function translateOnce(wasm: Uint8Array, { cacheFolder, fixedGlobals = [] }: BuildOptions): Promise<string> {
  const translator = await Promise.all(TRANSLATOR.map((file) => readFile(file)));
  const kept = join(cacheFolder, `c-${sha256(wasm, fixedGlobals.join(), ...translator)}`);
  if (!(await isWhole(kept))) {
    const { path: aside, remove } = await makePrivateFolder(cacheFolder, "translating-");
    try {
      await translateToC(wasm, aside, fixedGlobals);
      await seal(aside, TRANSLATED);
      await keepFolder(aside, kept);
    } finally {
      await remove();
    }
  }
  return kept;
}

function ownSource(part: ProgramSource["part"], file: string): ProgramSource {
  return { file, part, flags: [] };
}

function ownProgram({ sources, supportSources = [], flags = [] }: OwnProgram): ProgramSource[] {
  const around = sources.map((file): ProgramSource => ({ file, part: "program", flags }));
  return [...around, ...supportSources.map((file): ProgramSource => ({ file, part: "runtime", flags }))];
}

/** The program for a module that is to be called: the server, and what it must know about the module. */
async function callServer(
  folder: string,
  shape: ModuleShape,
  header: string,
  { memoryBytes, target }: Plan,
): Promise<ProgramSource[]> {
  const { server, state } = servedModuleSources(shape, header, memoryBytes, target.grownBytesMax);
  const served = join(folder, "served-module.c");
  const stateFile = join(folder, "module-state.c");
  await writeFile(served, server);
  await writeFile(stateFile, state);
  return [
    ownSource("module", stateFile),
    ownSource("program", served),
    ownSource("program", join(OWN_C, "call-server.c")),
  ];
}

function supportFolder(): string {
  const places = SUPPORT_PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  const found = places.find((place) => existsSync(join(place, "wasm-rt.h")));
  if (found === undefined) throw new RunnerError("missing-tool", { tool: "wasm-rt.h", lookedIn: places.join(" ") });
  return found;
}

function neededFlags(): string[] {
  return readFileSync(join(supportFolder(), NEEDED_FLAGS), "utf8").trim().split(/\s+/);
}

function interpreterFolder(): string {
  return join(supportFolder(), "interpreter");
}

function boardFolder(): string {
  return join(supportFolder(), "boards");
}
