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
/** A module with nothing in it. */
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

afterAll(() => rmSync(FOLDER, { recursive: true }));

function translate(script: string, module: string): { source: string; header: string } {
  const file = join(FOLDER, "core.c");
  execFileSync(process.execPath, [script, module, "-n", "core", "-o", file]);
  return { source: readFileSync(file, "utf8"), header: readFileSync(join(FOLDER, "core.h"), "utf8") };
}

/** The name that a line of the instance declares. */
function nameIn(line: string): string {
  return line.trim().split(" ")[1] ?? "";
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
  const [outside, memory, , ...rest] = linesOf(compact.header, INSTANCE);
  expect([outside, memory]).toEqual(["#ifndef WASM_RT_MEMORY_BYTES", expect.stringMatching(/^ {2}wasm_rt_memory_t /)]);
  const globals = rest.slice(0, -3);
  expect(rest.slice(-3)).toEqual(["#ifdef WASM_RT_MEMORY_BYTES", memory, "#endif"]);
  expect(globals.length).toBeGreaterThan(50);
  const constants = [...compact.source.matchAll(CONSTANT)].map(([, type, name]) => `  ${type} ${name};`);
  expect(constants.length).toBe(4);
  expect([memory, ...globals, ...constants].toSorted()).toEqual(linesOf(plain.header, INSTANCE).toSorted());
  const [atOnce, ...set] = linesOf(compact.source, GLOBALS);
  expect(atOnce).toBe("  memset(instance, 0, sizeof *instance);");
  const inInstance = linesOf(plain.source, GLOBALS).filter(
    (line) => !constants.some((one) => line.includes(`->${nameIn(one).replace(";", "")} `)),
  );
  expect(set).toEqual(inInstance.filter((line) => !/ = 0(u|ull);$/.test(line)));
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

test("nothing else of it differs from what wasm2c writes", () => {
  const plain = translate(WASM2C, fileURLToPath(DEVICE_WASM));
  const compact = translate(COMPACT, fileURLToPath(DEVICE_WASM));
  expect(plain.source).toMatch(GLOBALS);
  const restored = compact.source
    .replace(CONSTANT, "")
    .replace(/ {2}return \(u32\*\)&(\w+);/g, "  return &instance->$1;")
    .replace(/^#ifdef WASM_RT_FUNC_TYPES\n(wasm_rt_func_type_t [\s\S]*?^\}\n)#endif\n/m, "$1");
  expect(restored.replace(GLOBALS, "")).toBe(plain.source.replace(GLOBALS, ""));
  expect(compact.header.replace(INSTANCE, "")).toBe(plain.header.replace(INSTANCE, ""));
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
