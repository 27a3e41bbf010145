import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { UPDATE_CANDIDATE, UPDATE_CONFIG, UPDATE_HEAD } from "@lockstep/edge-sdk";
import { FLASH_PHASES, FLASH_VERDICTS } from "@lockstep/protocol";
import { build, readModuleShape, run } from "qemu-wasm-runner";
import { expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { CACHE_FOLDER } from "./c-host-build.ts";

const WASM = readFileSync(new URL("../../edge-sdk/build/update.wasm", import.meta.url));
const HEADER = readFileSync(new URL("../../edge-sdk/include/update_core.h", import.meta.url), "utf8");
const ASSEMBLY = new URL("../../edge-sdk/assembly/", import.meta.url);
/** The machine's own constants that a host has to do with. */
const SOURCE = readdirSync(ASSEMBLY)
  .filter((name) => /^update-.*\.ts$/.test(name))
  .map((name) => readFileSync(new URL(name, ASSEMBLY), "utf8"))
  .join("\n");
const C_TYPES: Readonly<Record<string, string>> = {
  int32_t: "i32",
  int64_t: "i64",
  uint32_t: "i32",
  update_address: "i32",
};

test("every function of update.wasm is declared with its types and calls it, and nothing else is", () => {
  const pattern = /^static inline (\w+) (update_\w+)\(update_core \*core([^)]*)\) \{([^}]*)\}/gm;
  const declared = [...HEADER.matchAll(pattern)].flatMap(([, result = "", , params = "", body = ""]) => {
    const [, name] = /w2c_update_(update\w+)\(core/.exec(body) ?? [];
    const types = params
      .split(",")
      .slice(1)
      .map((param) => C_TYPES[param.trim().split(" ")[0] ?? ""]);
    return name === undefined ? [] : [{ name, params: types, results: result === "void" ? [] : [C_TYPES[result]] }];
  });
  const wanted = readModuleShape(WASM).exports.flatMap((one) =>
    one.kind === "function" ? [{ name: one.name, ...one.signature }] : [],
  );
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  expect(wanted.length).toBe(12);
  expect(declared.sort(byName)).toEqual(wanted.sort(byName));
});

test("every global of update.wasm is read by a function or defined with its value", () => {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(WASM));
  const globals = Object.entries(exports).filter(([, found]) => found instanceof WebAssembly.Global);
  expect(globals.length).toBe(8);
  for (const [name, found] of globals) {
    const isRead = HEADER.includes(`*w2c_update_${name}(core)`);
    expect(isRead || defined().get(name) === (found as WebAssembly.Global).value, name).toBe(true);
  }
});

test("every constant of the machine is defined with its value, and nothing else is", () => {
  const own = [...SOURCE.matchAll(/^export const (UPDATE_\w+): [iu]32 = (-?\d+);/gm)].map(
    ([, name = "", value]): [string, number] => [name, Number(value)],
  );
  expect(own.length).toBeGreaterThan(70);
  const host = [...defined()].filter(([name]) => !own.some(([known]) => known === name)).map(([name]) => name);
  expect(Object.fromEntries(own)).toEqual(Object.fromEntries([...defined()].filter(([name]) => !host.includes(name))));
  // What a host says, and the machine never by itself.
  expect(host.sort()).toEqual(
    ["MODULE_REFUSED", "SELF_TEST_DIFFERS", "TRAPPED", "WATCHDOG"].map((name) => `UPDATE_VERDICT_${name}`),
  );
});

test("the tables of the host in Node say the same", () => {
  for (const [start, table] of [
    ["UPDATE_CONFIG_", UPDATE_CONFIG],
    ["UPDATE_CANDIDATE_", UPDATE_CANDIDATE],
    ["UPDATE_HEAD_", UPDATE_HEAD],
  ] as const) {
    for (const [name, offset] of Object.entries(table)) expect(defined().get(start + name), name).toBe(offset);
  }
  const named = (start: string, names: readonly string[]) =>
    names.forEach((name, value) => {
      expect(defined().get(start + name.toUpperCase().replaceAll("-", "_")), name).toBe(value);
    });
  named("UPDATE_PHASE_", FLASH_PHASES);
  named("UPDATE_VERDICT_", FLASH_VERDICTS);
});

requires("c-compiler")("update_core.h as C", () => {
  test("compiles alone without a warning, and a machine begins", { timeout: 60_000 }, async () => {
    const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
    const warnings = ["-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wsign-conversion", "-Wpedantic", "-Wshadow"];
    const program = {
      sources: [here("update-core-check.c")],
      includes: [here("../../edge-sdk/include"), here("update-as-core")],
      flags: warnings,
    };
    const firmware = await build(WASM, { board: "host", cacheFolder: CACHE_FOLDER, program });
    expect(await run(firmware)).toMatchObject({ exitCode: 0 });
  });
});

/** What the header defines. */
function defined(): Map<string, number> {
  const found = HEADER.matchAll(/^#define (UPDATE_\w+) \(?(-?\d+)\)?/gm);
  return new Map([...found].map(([, name = "", value]) => [name, Number(value)]));
}
