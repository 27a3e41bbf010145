import { readFile, writeFile } from "node:fs/promises";
import { fileError } from "./file-error.ts";
import { compileModuleText } from "./module-text.ts";
import { RunnerError } from "./runner-error.ts";

/** The module that was named, as a binary. @throws {RunnerError} `usage`; `bad-module` for text that is none */
export async function readModule(file: string): Promise<Uint8Array> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new RunnerError("usage", { module: file, problem: "cannot be read" }, { cause });
  });
  return file.endsWith(".wat") ? compileModuleText(file, bytes.toString()) : bytes;
}

/** The file of `--in`; nothing without it. @throws {RunnerError} `file-failed` */
export async function readInput(file: string | undefined): Promise<Uint8Array> {
  if (file === undefined) return new Uint8Array();
  return readFile(file).catch((cause: unknown) => {
    throw fileError(cause, file, { flag: "--in" });
  });
}

/** Into the file of `--out`. @throws {RunnerError} `file-failed` */
export async function writeOutput(file: string, bytes: Uint8Array): Promise<void> {
  await writeFile(file, bytes).catch((cause: unknown) => {
    throw fileError(cause, file, { flag: "--out" });
  });
}
