import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileModuleText } from "qemu-wasm-runner";
import { afterAll, expect, test } from "vitest";
import { DEVICE_WASM } from "./raw-device.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "compact-wasm2c-"));
const WASM2C = fileURLToPath(import.meta.resolve("wabt/bin/wasm2c"));
const COMPACT = fileURLToPath(new URL("../../sim/qemu-wasm-runner/bin/compact-wasm2c.js", import.meta.url));
const INSTANCE = /typedef struct w2c_core \{\n([\s\S]*?)\} w2c_core;/;
const GLOBALS = /static void init_globals\(w2c_core\* instance\) \{\n([\s\S]*?)\n\}/;
/** A global that is none of the instance, with its line's end. */
const CONSTANT = /^static const (u32|u64) (w2c_\w+) = \d+u(?:ll)?;\n?/gm;
/** The instance as it is, and as it is where tables lie apart. */
const APART =
  /#if defined\(WASM_RT_MEMORY_BYTES\) && [\s\S]*?#define WASM_RT_TABLES_APART\n([\s\S]*?\} w2c_core;\n)#else\n([\s\S]*?\} w2c_core;\n)#endif\n/;
/** What is in the source for tables that lie apart, and what only without. */
const TABLES = /^#ifdef WASM_RT_TABLES_APART\nstatic const u8 tables[\s\S]*?^#endif\n\n/m;
const ONLY_WHOLE = /^#ifndef WASM_RT_TABLES_APART\n([\s\S]*?)#endif\n/gm;
const EITHER = /^#ifdef WASM_RT_TABLES_APART\n[\s\S]*?#else\n([\s\S]*?)#endif\n/gm;
const BYTES: Readonly<Record<string, number>> = { u8: 1, u32: 4, u64: 8 };
/** A module with nothing in it. */
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

afterAll(() => rmSync(FOLDER, { recursive: true }));

function translate(script: string, module: string, ...more: readonly string[]): { source: string; header: string } {
  const file = join(FOLDER, "core.c");
  execFileSync(process.execPath, [script, module, "-n", "core", "-o", file, ...more]);
  return { source: readFileSync(file, "utf8"), header: readFileSync(join(FOLDER, "core.h"), "utf8") };
}

/** The name that a line of the instance declares. */
function nameIn(line: string): string {
  return line.trim().split(" ")[1] ?? "";
}

/** Globals in the memory and behind it where tables lie apart, and all of them where not. */
function fieldsApart(header: string): { inside: string[]; behind: string[]; whole: string[] } {
  const [, apart = ""] = APART.exec(header) ?? [];
  const [, inside = "", behind = ""] =
    /__extension__ struct \{\n([\s\S]*?)\};\n\};\n([\s\S]*?)\} w2c_core;/.exec(apart) ?? [];
  const fields = (text: string) => text.match(/^ {2}u(?:8|32|64) \w+;$/gm) ?? [];
  return { inside: fields(inside), behind: fields(behind), whole: fields(header.replace(APART, "$2")) };
}

/** The memory of device.wasm before anything ran, and where its tables end. */
function memoryAtStart(): { bytes: Uint8Array; tablesEnd: number } {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(DEVICE_WASM)));
  const { memory, TABLES_END } = exports as { memory: WebAssembly.Memory; TABLES_END: WebAssembly.Global };
  return { bytes: new Uint8Array(memory.buffer), tablesEnd: Number(TABLES_END.value) };
}

function linesOf(text: string, part: RegExp): string[] {
  return (
    part
      .exec(text)?.[1]
      ?.split("\n")
      .filter((line) => line !== "") ?? []
  );
}

test("the compact C of device.wasm has its memory in front, and sets the same globals", () => {
  const plain = translate(WASM2C, fileURLToPath(DEVICE_WASM));
  const compact = translate(COMPACT, fileURLToPath(DEVICE_WASM));
  const [outside, memory, , ...rest] = linesOf(compact.header.replace(APART, "$2"), INSTANCE);
  expect([outside, memory]).toEqual(["#ifndef WASM_RT_MEMORY_BYTES", expect.stringMatching(/^ {2}wasm_rt_memory_t /)]);
  const globals = rest.slice(0, -3);
  expect(rest.slice(-3)).toEqual(["#ifdef WASM_RT_MEMORY_BYTES", memory, "#endif"]);
  expect(globals.length).toBeGreaterThan(50);
  const constants = [...compact.source.matchAll(CONSTANT)].map(([, type, name]) => `  ${type} ${name};`);
  expect(constants.length).toBe(5);
  const wide = globals.map((line) => line.replace("  u8 ", "  u32 "));
  expect([memory, ...wide, ...constants].toSorted()).toEqual(linesOf(plain.header, INSTANCE).toSorted());
  const [atOnce, ...set] = linesOf(compact.source.replace(ONLY_WHOLE, "$1"), GLOBALS);
  expect(atOnce).toBe("  memset(instance, 0, sizeof *instance);");
  const inInstance = linesOf(plain.source, GLOBALS).filter(
    (line) => !constants.some((one) => line.includes(`->${nameIn(one).replace(";", "")} `)),
  );
  expect(set).toEqual(inInstance.filter((line) => !/ = 0(u|ull);$/.test(line)));
});

test("where tables lie apart the same globals lie below them, and the tables are the module's bytes there", () => {
  const { source, header } = translate(COMPACT, fileURLToPath(DEVICE_WASM));
  const { inside, behind, whole } = fieldsApart(header);
  expect([...inside, ...behind]).toEqual(whole);
  const memory = memoryAtStart();
  const end = memory.tablesEnd;
  expect(
    inside.reduce((bytes, line) => bytes + (BYTES[line.trim().split(" ")[0] ?? ""] ?? Number.NaN), 0),
  ).toBeLessThanOrEqual(end);
  const [, length = "", bytes = ""] = /static const u8 tables\[(\d+)\][^{]*\{\n([^}]*)\};/.exec(source) ?? [];
  const from = end - Number(length);
  expect(bytes.split(",").flatMap((byte) => (byte.trim() === "" ? [] : [Number(byte)]))).toEqual([
    ...memory.bytes.subarray(from, end),
  ]);
  expect(memory.bytes.subarray(0, from).every((byte) => byte === 0)).toBe(true);
  expect(source.match(/_table\(\(var_i\d\) \+ \d+u\)/g)?.length).toBe(4);
});

test("with what a device on a serial line fixes, all globals find room below the tables' end", () => {
  const { header } = translate(COMPACT, fileURLToPath(DEVICE_WASM), "--fixed", "decodes,mtu,stacked");
  const { inside, behind } = fieldsApart(header);
  expect(behind).toEqual([]);
  expect(inside.length).toBeGreaterThan(50);
});

test("an exported global is a constant when nothing may change it, neither the module nor its host", async () => {
  const module = join(FOLDER, "globals.wasm");
  const text = `(module (global $fixed i32 (i32.const 7)) (global $hosts (mut i64) (i64.const 8))
    (global $used i32 (i32.const 9)) (export "fixed" (global $fixed)) (export "hosts" (global $hosts))
    (export "used" (global $used)) (func (export "use") (result i32) (global.get $used)))`;
  writeFileSync(module, await compileModuleText("globals.wat", text));
  const { source, header } = translate(COMPACT, module);
  expect(source.match(CONSTANT)).toEqual(["static const u32 w2c_fixed = 7u;\n"]);
  expect(linesOf(header, INSTANCE)).toEqual(["  u64 w2c_hosts;", "  u32 w2c_used;"]);
});

test("a global that is fixed is a constant, and traps where it would change", async () => {
  const module = join(FOLDER, "fixed.wasm");
  const text = `(module (global $kept (mut i32) (i32.const 3)) (global $free (mut i32) (i32.const 4)) (global $true i32 (i32.const 5))
    (export "kept" (global $kept)) (export "free" (global $free)) (export "true" (global $true))
    (func (export "change") (param i32) (result i32) (global.set $kept (local.get 0)) (global.set $free (local.get 0)) (global.get $kept)))`;
  writeFileSync(module, await compileModuleText("fixed.wat", text));
  const { source, header } = translate(COMPACT, module, "--fixed", "kept");
  expect(linesOf(header, INSTANCE)).toEqual(["  u32 w2c_free;"]);
  expect(header).toContain("#define WASM_FIXED_kept\n");
  expect(source).toContain("static const u32 fixed_w2c_kept = 3u;\n");
  expect(source).toContain("if (UNLIKELY((var_i0) != 3u)) TRAP(UNREACHABLE);");
  expect(source).not.toContain("instance->w2c_kept");
  for (const name of ["true", "none", "fr.e"]) {
    const args = [COMPACT, module, "-n", "core", "-o", join(FOLDER, "core.c"), "--fixed", name];
    expect(() => execFileSync(process.execPath, args, { stdio: "pipe" })).toThrow(
      expect.objectContaining({
        status: 2,
        stderr: expect.toSatisfy((said) => `${said}`.includes(`--fixed ${name}:`)),
      }),
    );
  }
});

test("a global that is only ever a small number is a byte, and no other is", async () => {
  const module = join(FOLDER, "narrow.wasm");
  const text = `(module (global $flag (mut i32) (i32.const 0)) (global $large (mut i32) (i32.const 256)) (global $any (mut i32) (i32.const 0))
    (global $seen (mut i32) (i32.const 0)) (global $sum (mut i32) (i32.const 1)) (export "seen" (global $seen))
    (func (export "change") (param i32) (result i32)
      (global.set $flag (i32.const 255)) (global.set $large (i32.const 1)) (global.set $any (i32.const 1)) (global.set $any (local.get 0))
      (global.set $seen (i32.const 1)) (global.set $sum (i32.add (global.get $sum) (i32.const 1)))
      (i32.add (global.get $flag) (i32.add (global.get $large) (i32.add (global.get $any) (global.get $sum))))))`;
  writeFileSync(module, await compileModuleText("narrow.wat", text));
  const { header } = translate(COMPACT, module);
  expect(linesOf(header, INSTANCE)).toEqual([
    "  u8 w2c_g0;",
    "  u32 w2c_g1;",
    "  u32 w2c_g2;",
    "  u32 w2c_seen;",
    "  u32 w2c_g4;",
  ]);
});

test("nothing else of it differs from what wasm2c writes", () => {
  const plain = translate(WASM2C, fileURLToPath(DEVICE_WASM));
  const compact = translate(COMPACT, fileURLToPath(DEVICE_WASM));
  expect(plain.source).toMatch(GLOBALS);
  const restored = compact.source
    .replace(TABLES, "")
    .replace(
      /i(32|64)_load(\w*)_table\(\((\w+)\) \+ (\d+)u\)/g,
      "i$1_load$2_default32(&instance->w2c_memory, (u64)($3) + $4u)",
    )
    .replace(ONLY_WHOLE, "$1")
    .replace(EITHER, "$1")
    .replace(CONSTANT, "")
    .replace(/^#ifdef WASM_RT_FIXED_BYTES\n.*\n.*\n#else\n(#define MEMCHECK_DEFAULT32.*\n.*\n.*\n.*\n)#endif\n/m, "$1")
    .replace(/ {2}return \(u32\*\)&(\w+);/g, "  return &instance->$1;")
    .replace(/^#ifdef WASM_RT_FUNC_TYPES\n(wasm_rt_func_type_t [\s\S]*?^\}\n)#endif\n/m, "$1");
  expect(restored.replace(GLOBALS, "")).toBe(plain.source.replace(GLOBALS, ""));
  expect(compact.header.replace(APART, "$2").replace(INSTANCE, "")).toBe(plain.header.replace(INSTANCE, ""));
});

test("a module without memory or globals is left as wasm2c writes it", () => {
  const module = join(FOLDER, "empty.wasm");
  writeFileSync(module, EMPTY);
  expect(translate(COMPACT, module)).toEqual(translate(WASM2C, module));
});

test("a module that wasm2c refuses fails as there", () => {
  const module = join(FOLDER, "broken.wasm");
  writeFileSync(module, EMPTY.subarray(0, 5));
  expect(() =>
    execFileSync(process.execPath, [COMPACT, module, "-o", join(FOLDER, "broken.c")], { stdio: "ignore" }),
  ).toThrow(expect.objectContaining({ status: 1 }));
});
