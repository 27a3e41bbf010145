import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProcess } from "./process.ts";
import { RunnerError } from "./runner-error.ts";

/** The SHA-256 of some bytes, 64 hex digits. */
export function sha256(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** `core-id.h`: the module's SHA-256 as bytes for C. */
export function coreIdHeader(wasm: Uint8Array): string {
  const bytes =
    sha256(wasm)
      .match(/../g)
      ?.map((byte) => `0x${byte}`) ?? [];
  return `#define CORE_SHA256 {${bytes.join(",")}}\n`;
}

/** wasm2c of the package `wabt`, and what puts its C into the order that takes the least code. */
const COMPACT_WASM2C = fileURLToPath(new URL("../bin/compact-wasm2c.js", import.meta.url));

/** Files that say which translator it is. */
export const TRANSLATOR = [
  fileURLToPath(import.meta.resolve("wabt/package.json")),
  COMPACT_WASM2C,
  ...["fixed-globals", "narrow-globals", "tables-apart"].map((name) =>
    fileURLToPath(new URL(`../bin/${name}.js`, import.meta.url)),
  ),
];

/** What `translateToC` writes. */
export const TRANSLATED = ["core.c", "core.h", "core-id.h"] as const;

/**
 * Translate a module to C: TRANSLATED in the folder.
 *
 * @param fixed  exported globals that keep their start value
 * @throws {RunnerError} `not-integer-only`, `compile-failed`
 */
export async function translateToC(wasm: Uint8Array, folder: string, fixed: readonly string[]): Promise<void> {
  const module = join(folder, "core.wasm");
  const source = join(folder, "core.c");
  await writeFile(module, wasm);
  await writeFile(join(folder, "core-id.h"), coreIdHeader(wasm));
  // To standard output wasm2c fails for some kinds of pipe: hence a file.
  const { exitCode, errorText } = await runProcess(process.execPath, [
    COMPACT_WASM2C,
    module,
    "-n",
    "core",
    "-o",
    source,
    ...(fixed.length > 0 ? ["--fixed", fixed.join(",")] : []),
  ]);
  if (exitCode !== 0) throw new RunnerError("compile-failed", { tool: "wasm2c", said: errorText.trim() });
  refuseFloats(await readFile(source, "utf8"), await readFile(join(folder, "core.h"), "utf8"));
}

/** Floating point shows as a variable, parameter, result or global of such a type; the fixed head of the C has none. */
function refuseFloats(source: string, header: string): void {
  const found = /\b(f32|f64|v128) (?:var_|w2c_)\w+/.exec(header) ?? /\b(f32|f64|v128) (?:var_|w2c_)\w+/.exec(source);
  if (found) throw new RunnerError("not-integer-only", { type: found[1] ?? "", first: found[0] });
}
