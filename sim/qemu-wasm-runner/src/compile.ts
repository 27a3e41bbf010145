import { basename, join } from "node:path";
import { runProcess } from "./process.ts";
import { RunnerError } from "./runner-error.ts";

/** A C program and how it is made. */
export interface CompileJob {
  readonly compiler: string;
  /** Holds the translated module, `core.c`, and takes the objects. */
  readonly folder: string;
  /** The program. */
  readonly file: string;
  readonly optimize: string;
  /** Besides `core.c`. */
  readonly sources: readonly string[];
  readonly includes: readonly string[];
  /** For `sources`, not for the translated module. */
  readonly flags: readonly string[];
}

/** The translated module reaches every type through bytes, asserts nothing, and drops what is not called. */
const ALWAYS = [
  "-std=c99",
  "-DNDEBUG",
  "-fno-strict-aliasing",
  "-ffunction-sections",
  "-fdata-sections",
  "-fno-asynchronous-unwind-tables",
];
const DROP_UNUSED = process.platform === "darwin" ? "-Wl,-dead_strip" : "-Wl,--gc-sections";

/**
 * Compile and link a program around a translated module.
 *
 * @throws {RunnerError} `compile-failed`, with the file and what the compiler said
 */
export async function compileProgram(job: CompileJob): Promise<void> {
  const includes = job.includes.map((folder) => `-I${folder}`);
  const units = [{ source: join(job.folder, "core.c"), flags: ["-w"] }].concat(
    job.sources.map((source) => ({ source, flags: [...job.flags] })),
  );
  const objects = units.map(({ source }, place) => join(job.folder, `${place}-${basename(source, ".c")}.o`));
  await Promise.all(
    units.map(({ source, flags }, place) =>
      compile(job.compiler, source, [
        ...ALWAYS,
        job.optimize,
        ...flags,
        ...includes,
        "-c",
        "-o",
        objects[place] ?? "",
        source,
      ]),
    ),
  );
  await compile(job.compiler, job.file, [DROP_UNUSED, "-o", job.file, ...objects]);
}

async function compile(compiler: string, making: string, args: readonly string[]): Promise<void> {
  const { exitCode, errorText } = await runProcess(compiler, args);
  if (exitCode !== 0) throw new RunnerError("compile-failed", { file: basename(making), said: errorText.trim() });
}
