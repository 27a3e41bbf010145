#!/usr/bin/env node
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * wasm2c (npm `wabt`) with the same arguments, and then the same C in another order, for small chips:
 *
 *   - the instance begins with the module's memory. Nearly every access reads its address, and on Thumb and RV32C such a
 *     read is half as long from the beginning of a structure as from behind all globals. A memory that lies in the
 *     instance itself (WASM_RT_MEMORY_BYTES) stays behind the globals, which would be out of reach after it.
 *   - the instance is set to zero as a whole, not global by global.
 *
 *     node compact-wasm2c.js MODULE -n NAME -o FOLDER/NAME.c
 *
 * What it does not know how to move, it leaves as it was.
 */
const INSIDE = "WASM_RT_MEMORY_BYTES";
const given = process.argv.slice(2);
const wasm2c = fileURLToPath(import.meta.resolve("wabt/bin/wasm2c"));
const { status } = spawnSync(process.execPath, [wasm2c, ...given], { stdio: "inherit" });
const output = given[given.indexOf("-o") + 1] ?? "";
if (status === 0 && output.endsWith(".c")) {
  rewrite(output, zeroAtOnce);
  rewrite(output.replace(/\.c$/, ".h"), memoryFirst);
}
process.exitCode = status ?? 1;

function rewrite(file, change) {
  writeFileSync(file, change(readFileSync(file, "utf8")));
}

/** The instance's structure, its first memory in front. */
function memoryFirst(header) {
  return header.replace(
    /^(typedef struct w2c_\w+ \{\n)((?: {2}u(?:32|64) \w+;\n)+)( {2}wasm_rt_memory_t \w+;\n)/m,
    (_, begin, globals, memory) =>
      `${begin}#ifndef ${INSIDE}\n${memory}#endif\n${globals}#ifdef ${INSIDE}\n${memory}#endif\n`,
  );
}

/** Globals of zero need no line each. A module with imports has its instance filled in part before its globals are. */
function zeroAtOnce(source) {
  if (source.includes("init_instance_import")) return source;
  return source.replace(
    /^(static void init_globals\(w2c_\w+\* instance\) \{\n)((?: {2}instance->\w+ = \d+(?:u|ull);\n)+)\}/m,
    (_, begin, lines) =>
      `${begin}  memset(instance, 0, sizeof *instance);\n${lines.replace(/^.* = 0(?:u|ull);\n/gm, "")}}`,
  );
}
