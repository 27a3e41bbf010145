import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * One file of the core by itself, with what it exports though no module of ours does.
 *
 * @param source  from this folder, such as `../assembly/fixed-point.ts`
 * @returns its exports; `memory` is a page
 */
export function compileSource<T>(source: string): T {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-compiled-"));
  try {
    const out = join(folder, "compiled.wasm");
    const asc = createRequire(import.meta.url).resolve("assemblyscript/bin/asc.js");
    const options = ["--runtime", "stub", "--optimizeLevel", "3", "--noAssert", "--use", "abort=", "--outFile", out];
    const memory = ["--initialMemory", "1"];
    execFileSync(process.execPath, [asc, fileURLToPath(new URL(source, import.meta.url)), ...options, ...memory]);
    const module = new WebAssembly.Module(new Uint8Array(readFileSync(out)));
    return new WebAssembly.Instance(module).exports as unknown as T;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
