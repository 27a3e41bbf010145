import { basename, join } from "node:path";
import type { ProgramPart } from "./map-sizes.ts";
import { compileOnce } from "./object-cache.ts";
import { runProcess } from "./process.ts";
import { RunnerError } from "./runner-error.ts";
import type { Target } from "./target.ts";

/** A C program and how it is made. */
export interface CompileJob {
  readonly compiler: string;
  readonly compilerVersion: string;
  /** Where objects of translated modules are kept, which several programs of a board share. */
  readonly objectFolder: string;
  /** Holds the translated module, `core.c`, and takes the objects. */
  readonly folder: string;
  /** The program. */
  readonly file: string;
  readonly optimize: string;
  /** Of every source: what any build of a translated module needs. */
  readonly needed: readonly string[];
  /** Besides `core.c`. */
  readonly sources: readonly ProgramSource[];
  readonly includes: readonly string[];
  readonly target: Target;
  /** The board's C: its linker scripts, and the C library of a free-standing program. */
  readonly boardFolder: string;
  /** Put in front of every source. */
  readonly defines: readonly string[];
  /** Of a free-standing program; null for what its linker script says. */
  readonly stackBytes: number | null;
}

/** One C file, and what it is to the program. */
export interface ProgramSource {
  readonly file: string;
  readonly part: ProgramPart;
  readonly flags: readonly string[];
}

/** The linker's account of what it put where, beside the program; none from Apple's. */
export const MAP_FILE = "program.map";

/** Of the translated module alone: nothing here needs its marks on loads (`wasm-rt.h`). */
const MODULE = ["-w", "-DWASM_RT_PLAIN_LOADS"];
/**
 * Besides, where gcc makes it fast for a small core: short loops of a fixed length are unrolled, and nothing else grows.
 * What only saves waiting on larger cores, and copies of code that save jumps, cost flash and gain nothing.
 */
const FAST_MODULE = [
  "-fpeel-loops",
  ...["--param", "max-peeled-insns=0", "--param", "max-completely-peel-times=3"],
  ...["-fno-schedule-insns2", "-fno-thread-jumps"],
  ...["-fno-align-functions", "-fno-align-loops", "-fno-align-jumps"],
];
/**
 * Besides, where gcc makes it small, on Arm: what copies code to save a jump, or carries values for long, costs flash and
 * stack, and gains little time where registers are few; the same in board-support/firmware.mk.
 */
const SMALL_MODULE = [
  "-fno-thread-jumps",
  "-fno-tree-dominator-opts",
  "-fno-tree-fre",
  "-fno-tree-tail-merge",
  "-fno-cse-follow-jumps",
  "-fno-tree-loop-optimize",
  "-fno-tree-loop-im",
  "-fno-move-loop-invariants",
  "-fno-schedule-insns2",
  "-fno-inline-functions-called-once",
  "-fno-reorder-blocks",
  "-fno-ipa-pure-const",
  "-fno-tree-reassoc",
];
const MACHINE = `${process.platform} ${process.arch}`;
const FREESTANDING = ["-ffreestanding", "-nostartfiles", "-nostdlib"];
const LINK = [process.platform === "darwin" ? "-Wl,-dead_strip" : "-Wl,--gc-sections"];

/**
 * Compile and link a program around a translated module.
 *
 * @throws {RunnerError} `compile-failed`, with the file and what the compiler said
 */
export async function compileProgram(job: CompileJob): Promise<void> {
  const { target, compiler } = job;
  const core: ProgramSource = { file: join(job.folder, "core.c"), part: "module", flags: moduleFlags(job) };
  const units = [core, ...job.sources].map((source, place) => ({
    ...source,
    // The part is in the object's name, and so in the map.
    object: join(job.folder, `${source.part}-${place}-${basename(source.file, ".c")}.o`),
  }));
  const always = sharedFlags(job);
  const made = await Promise.allSettled(
    units.map(({ file, flags, object }) => {
      const args = [...always, ...flags];
      const make = () => compile(compiler, file, [...args, "-c", "-o", object, file]);
      return file === core.file ? compileModule(job, args, object, make) : make();
    }),
  );
  // Not before all have ended: the caller of one that failed removes the folder.
  for (const one of made) if (one.status === "rejected") throw one.reason;
  await compile(compiler, job.file, [
    ...target.cpuFlags,
    ...(target.isFreestanding ? [...FREESTANDING, `-L${job.boardFolder}`] : []),
    ...target.linkFlags,
    ...(job.stackBytes === null || !target.isFreestanding ? [] : [`-Wl,--defsym=board_stack_bytes=${job.stackBytes}`]),
    ...LINK,
    // By -Xlinker, not -Wl, which takes a comma in the path for its own.
    ...(process.platform === "darwin" ? [] : ["-Xlinker", `-Map=${join(job.folder, MAP_FILE)}`]),
    "-o",
    job.file,
    ...units.map(({ object }) => object),
    ...(target.isFreestanding ? ["-lgcc"] : []),
  ]);
}

/** What every source of a program is compiled with. */
export type CompileSetting = Pick<
  CompileJob,
  "compiler" | "optimize" | "needed" | "includes" | "target" | "boardFolder" | "defines"
>;

/**
 * A source as the compiler proper gets it: with the text of every header that it reads, wherever that one lies.
 *
 * @throws {RunnerError} `compile-failed`, with the file and what the preprocessor said
 */
export async function preprocess(setting: CompileSetting, source: ProgramSource): Promise<Buffer> {
  const args = [...sharedFlags(setting), ...source.flags, "-E", "-P", source.file];
  const { exitCode, output, errorText } = await runProcess(setting.compiler, args);
  if (exitCode !== 0) throw new RunnerError("compile-failed", { file: basename(source.file), said: errorText.trim() });
  return output;
}

function sharedFlags(setting: CompileSetting): string[] {
  const { target, optimize, needed, defines } = setting;
  return [...needed, ...target.cpuFlags, optimize, ...defines, ...includeFlags(setting)];
}

/** The translated module is by far the longest text: its object is kept by what the preprocessor makes of it. */
async function compileModule(
  { compiler, compilerVersion, folder, objectFolder }: CompileJob,
  args: readonly string[],
  object: string,
  make: () => Promise<void>,
): Promise<void> {
  const { output } = await runProcess(compiler, [...args, "-E", "-P", join(folder, "core.c")]);
  const flags = args.filter((flag) => !flag.startsWith("-I"));
  await compileOnce(objectFolder, [compiler, compilerVersion, MACHINE, JSON.stringify(flags), output], object, make);
}

/** What the translated module is compiled with, besides what every source is. */
export function moduleFlags({ target, optimize }: Pick<CompileJob, "target" | "optimize">): readonly string[] {
  if (!target.isFreestanding) return MODULE;
  if (optimize === "-O2") return [...MODULE, ...FAST_MODULE];
  // On RISC-V, where -Os makes a call of each access, these cost more time than they are worth
  return target.cpuFlags.includes("-mthumb") ? [...MODULE, ...SMALL_MODULE] : MODULE;
}

function includeFlags({ target, boardFolder, includes }: CompileSetting): string[] {
  const library = target.isFreestanding ? ["-ffreestanding", "-isystem", join(boardFolder, "libc")] : [];
  return [...library, ...includes.map((folder) => `-I${folder}`)];
}

async function compile(compiler: string, making: string, args: readonly string[]): Promise<void> {
  const { exitCode, errorText } = await runProcess(compiler, args);
  if (exitCode !== 0) throw new RunnerError("compile-failed", { file: basename(making), said: errorText.trim() });
}
