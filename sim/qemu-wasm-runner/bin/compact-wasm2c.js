#!/usr/bin/env node
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { fixGlobals } from "./fixed-globals.js";
import { narrowGlobals } from "./narrow-globals.js";
import { tablesApart } from "./tables-apart.js";

/**
 * wasm2c (npm `wabt`) with the same arguments, and then the same C in another order, for small chips:
 *
 *   - the instance begins with the module's memory. Nearly every access reads its address, and on Thumb and RV32C such a
 *     read is half as long from the beginning of a structure as from behind all globals. A memory that lies in the
 *     instance itself (WASM_RT_MEMORY_BYTES) stays behind the globals, which would be out of reach after it.
 *   - the instance is set to zero as a whole, not global by global.
 *   - a global that is only ever set to numbers below 256 is a byte (narrow-globals.js).
 *   - a global that is exported and never changes is a constant, and takes no memory.
 *   - a global named by --fixed keeps its start value: it is a constant, and setting it to anything else traps. What a
 *     program will never ask of the module falls away with it.
 *   - a module that exports TABLES_END has its tables in flash, and its globals in their place (tables-apart.js).
 *   - where WASM_RT_FIXED_BYTES says how many bytes the memory always has, accesses are checked against that number: those
 *     whose address the compiler knows need no check at run time then.
 *   - the signatures' hashes, 32 bytes each, are there only with WASM_RT_FUNC_TYPES: for a program that puts functions of its
 *     own into a table.
 *
 *     node compact-wasm2c.js MODULE -n NAME -o FOLDER/NAME.c [--fixed GLOBAL,GLOBAL]
 *
 * What it does not know how to move, it leaves as it was.
 */
const INSIDE = "WASM_RT_MEMORY_BYTES";
const FUNC_TYPES = "WASM_RT_FUNC_TYPES";
const FIXED_BYTES = "WASM_RT_FIXED_BYTES";
/** How an access is checked, in the words of wasm2c. */
const CHECK =
  /^#define MEMCHECK_DEFAULT32\(mem, a, t\) +\\\n.*\n {2}if \(UNLIKELY\(a \+ \(uint64_t\)sizeof\(t\) > mem->size\)\) \\\n.*\n/m;
const SECTION_IMPORT = 2;
const SECTION_GLOBAL = 6;
const OPCODE_I32_CONST = 0x41;
const OPCODE_I64_CONST = 0x42;
const FIXED = "--fixed";
const given = process.argv.slice(2);
const fixedAt = given.indexOf(FIXED);
const fixed = fixedAt < 0 ? [] : (given.splice(fixedAt, 2)[1] ?? "").split(",").filter((name) => name !== "");
const wasm2c = fileURLToPath(import.meta.resolve("wabt/bin/wasm2c"));
const { status } = spawnSync(process.execPath, [wasm2c, ...given], { stdio: "inherit" });
const output = given[given.indexOf("-o") + 1] ?? "";
process.exitCode = status ?? 1;
if (status === 0 && output.endsWith(".c")) compact(output, output.replace(/\.c$/, ".h"));

function compact(sourceFile, headerFile) {
  const module = given.find((word) => word.endsWith(".wasm"));
  const plain = { source: readFileSync(sourceFile, "utf8"), header: readFileSync(headerFile, "utf8") };
  const constants = module === undefined ? [] : constantFields(readFileSync(module), plain.header);
  const named = constantsApart(hashesOnDemand(checksByNumber(plain.source)), constants);
  const some = { source: named, header: withoutFields(plain.header, constants, named) };
  const { unknown, ...kept } = fixGlobals(some, fixed);
  if (unknown.length > 0) {
    console.error(`compact-wasm2c: ${FIXED} ${unknown.join(",")}: the module exports no such global that may change`);
    process.exitCode = 2;
    return;
  }
  const { source, header } = narrowGlobals(kept);
  const whole = tablesApart({ source: zeroAtOnce(source), header: memoryFirst(header) });
  writeFileSync(sourceFile, whole.source);
  writeFileSync(headerFile, whole.header);
}

/** The instance's structure, its first memory in front. */
function memoryFirst(header) {
  return header.replace(
    /^(typedef struct w2c_\w+ \{\n)((?: {2}u(?:8|32|64) \w+;\n)+)( {2}wasm_rt_memory_t \w+;\n)/m,
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

/** Fields of the instance that stand for globals which never change. A module with imports is left alone. */
function constantFields(module, header) {
  const [, fields = ""] = /^typedef struct w2c_\w+ \{\n((?: {2}[uf](?:32|64) \w+;\n)+)/m.exec(header) ?? [];
  const names = [...fields.matchAll(/(\w+);/g)].map(([, name]) => name);
  const isMutable = globalMutability(module);
  return isMutable.length === names.length ? names.filter((_, place) => !isMutable[place]) : [];
}

/** Of each global whether it may change; none where a section or a start value is not as a compiler writes it. */
function globalMutability(module) {
  let at = 8;
  const uint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = module[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < module.length) {
    const id = module[at++];
    const end = uint() + at;
    if (id === SECTION_IMPORT && uint() > 0) return [];
    if (id === SECTION_GLOBAL) {
      const mutability = [];
      for (let left = uint(); left > 0; left--) {
        mutability.push(module[at + 1] === 1);
        at += 2;
        if (module[at] !== OPCODE_I32_CONST && module[at] !== OPCODE_I64_CONST) return [];
        at++;
        uint();
        at++;
      }
      return at === end ? mutability : [];
    }
    at = end;
  }
  return [];
}

/** Each that only its start value and its reader know becomes a constant, whose address the reader gives as before. */
function constantsApart(source, fields) {
  return fields.reduce((text, field) => {
    const uses = text.split(`instance->${field};`).length + text.split(`instance->${field} `).length - 2;
    const start = new RegExp(`^ {2}instance->${field} = (\\d+)(u|ull);\\n`, "m");
    const reader = new RegExp(`^(u32|u64)\\* (\\w+\\(\\w+\\* instance\\) \\{\\n) {2}return &instance->${field};`, "m");
    if (uses !== 2 || !start.test(text) || !reader.test(text)) return text;
    const value = start.exec(text)?.slice(1).join("") ?? "";
    return text
      .replace(start, "")
      .replace(
        reader,
        (_, type, rest) => `static const ${type} ${field} = ${value};\n${type}* ${rest}  return (${type}*)&${field};`,
      );
  }, source);
}

/** Those fields gone that became constants of the source. */
function withoutFields(header, fields, source) {
  return fields
    .filter(
      (field) => source.includes(`static const u32 ${field} = `) || source.includes(`static const u64 ${field} = `),
    )
    .reduce((text, field) => text.replace(new RegExp(`^ {2}u(?:32|64) ${field};\\n`, "m"), ""), header);
}

/** An address is of 64 bits: what a base and an offset come to beyond 32 bits is refused too. */
function checksByNumber(source) {
  if (!source.includes("_default32(&instance->")) return source;
  const check = `#define MEMCHECK_DEFAULT32(mem, a, t) \\\n  if (UNLIKELY(a > (uint64_t)${FIXED_BYTES} - sizeof(t))) TRAP(OOB);\n`;
  return source.replace(CHECK, (plain) => `#ifdef ${FIXED_BYTES}\n${check}#else\n${plain}#endif\n`);
}

/** A module without signatures has no hashes. */
function hashesOnDemand(source) {
  if (!/^FUNC_TYPE_T\(w2c_\w+\) = /m.test(source)) return source;
  return source.replace(
    /^wasm_rt_func_type_t wasm2c_\w+_get_func_type\([^{]*\{\n[\s\S]*?^\}\n/m,
    (whole) => `#ifdef ${FUNC_TYPES}\n${whole}#endif\n`,
  );
}
