import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FirmwareBoard } from "@lockstep/sim";
import { type PartSizes, readSizes } from "../../scripts/firmware-sizes.js";
import { DEVICE_WASM } from "../conformance/raw-device.ts";
import { programPath } from "../os-package.ts";
import { buildExample } from "./firmware-builds.ts";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const MAC_WASM = new URL("../../edge-sdk/build/mac.wasm", import.meta.url);
const TRANSLATOR = join(REPOSITORY, "sim/qemu-wasm-runner/bin/compact-wasm2c.js");

/** What `make` made of an example, and what `make size` says of it. */
export interface MadeExample {
  readonly file: string;
  readonly sizes: ReadonlyMap<string, PartSizes>;
  /** Flash by the sections of the ELF file, bytes. */
  readonly sectionBytes: number;
}

/**
 * Copy what an example is made of to a folder outside the repository.
 *
 * @param folder  an empty one
 * @returns the example's own folder in it
 */
export function copyExample(folder: string, example: string): string {
  mkdirSync(join(folder, "firmware-examples"), { recursive: true });
  const parts = ["board-support", "cortex-m4-qemu", example].map((name) => `firmware-examples/${name}`);
  for (const part of [...parts, "edge-sdk/include"]) {
    cpSync(join(REPOSITORY, part), join(folder, part), { recursive: true, filter: (path) => !path.endsWith("/build") });
  }
  return join(folder, "firmware-examples", example);
}

/**
 * Make a copied example by its own Makefile, as its README says.
 *
 * @param board  null for a program of this machine
 * @param variables  further ones of `make`, NAME=VALUE
 */
export function makeExample(at: string, board: FirmwareBoard | null, variables: readonly string[] = []): MadeExample {
  const name = at.slice(at.lastIndexOf("/") + 1);
  const modules = [`WASM=${fileURLToPath(DEVICE_WASM)}`, `MAC_WASM=${fileURLToPath(MAC_WASM)}`];
  const args = ["-C", at, ...modules, `WASM2C=${process.execPath} ${TRANSLATOR}`, ...variables];
  if (board !== null) args.push(`BOARD=${board}`);
  execFileSync(programPath("make"), args, { stdio: "pipe" });
  const size = execFileSync(programPath("make"), ["--no-print-directory", "-s", ...args, "size"]).toString();
  const [, text = "", data = ""] = /\n\s*(\d+)\s+(\d+)\s+\d+/.exec(size) ?? [];
  const file = board === null ? join(at, "build", name) : join(at, "build", board, `${name}.elf`);
  return { file, sizes: readSizes(size), sectionBytes: Number(text) + Number(data) };
}

/** What `make` made, as the runner takes firmware: the same module, its file in place of the runner's own. */
export async function madeFirmware(board: FirmwareBoard, file: string) {
  return { ...(await buildExample(board, "cortex-m4-qemu", ["main.c"], "probe")), file, mapFile: null, sizes: null };
}

/** The README of an example. */
export function readmeOf(example: string): string {
  return readFileSync(join(REPOSITORY, "firmware-examples", example, "README.md"), "utf8");
}
