import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { LINK_VIEW_FIELDS } from "@lockstep/edge-sdk";
import { build, readModuleShape, run } from "qemu-wasm-runner";
import { expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { CACHE_FOLDER } from "./c-host-build.ts";
import { DEVICE_WASM } from "./raw-device.ts";

const WASM = readFileSync(DEVICE_WASM);
const GATEWAY = readFileSync(new URL("gateway.wasm", DEVICE_WASM));
const HEADER = readFileSync(new URL("../../edge-sdk/include/edge_core.h", import.meta.url), "utf8");
/** What a caller of each module sees of the header. */
const MODULES = [
  ["device.wasm", WASM, HEADER.replace(/^#ifdef EDGE_GATEWAY\n[\s\S]*?^#endif\n/gm, "")],
  ["gateway.wasm", GATEWAY, HEADER],
] as const;
const BATCH = readFileSync(new URL("../../edge-sdk/build/batch.wasm", import.meta.url));
const STATUSES = readFileSync(new URL("../../edge-sdk/assembly/status.ts", import.meta.url), "utf8");

/** C types of the header, as the module has them. */
const WASM_TYPES: Readonly<Record<string, string>> = {
  int32_t: "i32",
  uint32_t: "i32",
  edge_address: "i32",
  int64_t: "i64",
  uint64_t: "i64",
};
/** Functions of the header that are no exports. */
const OWN_FUNCTIONS = new Set(["edge_start", "edge_bytes", "edge_link_field"]);
/** Globals that the header reads by a function, because their values are addresses. */
const ADDRESSES: Readonly<Record<string, string>> = {
  edge_heap_base: "__heap_base",
};

/** How a function reads the link's view: a number at an offset, or the address behind one. */
const FIELD_READ = /edge_link_field\(core, (\d+)\)|edge_link_view\(core\) \+ (\d+);/g;

interface Declared {
  name: string;
  params: string[];
  results: string[];
  body: string;
}

test.for(MODULES)(
  "every exported function of %s is declared with its types, and nothing else is",
  ([, wasm, header]) => {
    const declared = declaredFunctions(header).filter((one) => isExport(one));
    const wanted = readModuleShape(wasm).exports.flatMap((one) =>
      one.kind === "function" ? [{ name: `edge_${snake(one.name)}`, ...one.signature }] : [],
    );
    expect(wanted.length).toBeGreaterThan(25);
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    expect(declared.map(({ name, params, results }) => ({ name, params, results })).sort(byName)).toEqual(
      wanted.sort(byName),
    );
  },
);

test("every declared function calls the export that it is named for, with its arguments in order", () => {
  const exportOf = new Map(readModuleShape(GATEWAY).exports.map(({ name }) => [`edge_${snake(name)}`, name]));
  for (const { name, body } of declaredFunctions().filter((one) => isExport(one))) {
    const [, called, args = ""] =
      /w2c_core_(\w+)\(core((?:, (?:\(u\d+\))?\w+)*)\)/.exec(body.replace(/\s+/g, " ")) ?? [];
    expect(called).toBe(exportOf.get(name));
    const given = [...args.matchAll(/, (?:\(u\d+\))?(\w+)/g)].map(([, arg]) => arg);
    expect(given, name).toEqual(argumentNames(name));
  }
});

test("every field of the link's view has a function that reads it at its offset", () => {
  const read = declaredFunctions()
    .filter(({ name, body }) => isFieldRead(body) && !OWN_FUNCTIONS.has(name))
    .map(({ name, body }) => [
      name,
      Math.min(...[...body.matchAll(FIELD_READ)].map(([, field, plus]) => Number(field ?? plus))),
    ]);
  const wanted = Object.entries(LINK_VIEW_FIELDS).map(([name, offset]) => [`edge_link_${snake(name)}`, offset]);
  expect(Object.fromEntries(read)).toEqual(Object.fromEntries(wanted));
});

test("every constant and status of the core is defined with its value, and nothing else is", () => {
  const defined = HEADER.matchAll(/^#define EDGE_(\w+) \(?(-?\d+)\)?/gm);
  const statuses = STATUSES.matchAll(/^export const (STATUS_\w+): i32 = (-?\d+);/gm);
  const toEntries = (found: Iterable<RegExpMatchArray>) =>
    [...found].map(([, name = "", value]) => [name, Number(value)]);
  const wanted = { ...constantsOf(WASM), ...constantsOf(BATCH), ...Object.fromEntries(toEntries(statuses)) };
  for (const address of Object.values(ADDRESSES)) delete wanted[address];
  expect(Object.keys(wanted).length).toBeGreaterThan(25);
  expect(wanted).toMatchObject(constantsOf(WASM, Object.values(ADDRESSES)));
  expect(Object.fromEntries(toEntries(defined))).toEqual(wanted);
});

requires("c-compiler")("edge_core.h as C", () => {
  test.for([
    ["device.wasm", WASM, []],
    ["gateway.wasm", GATEWAY, ["-DEDGE_GATEWAY"]],
    ["gateway.wasm as a device", GATEWAY, []],
  ] as const)(
    "compiles alone without a warning, and shows the caller the memory of %s and no more",
    { timeout: 60_000 },
    async ([, wasm, defines]) => {
      const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
      const program = {
        sources: [here("edge-core-header-check.c")],
        includes: [here("../../edge-sdk/include")],
        flags: [
          ...defines,
          "-Wall",
          "-Wextra",
          "-Werror",
          "-Wconversion",
          "-Wsign-conversion",
          "-Wpedantic",
          "-Wshadow",
        ],
      };
      const firmware = await build(wasm, { board: "host", cacheFolder: CACHE_FOLDER, program });
      expect(await run(firmware)).toMatchObject({ exitCode: 0 });
    },
  );
});

/** Whether a declared function stands for an export of its own. */
function isExport({ name, body }: Declared): boolean {
  return !OWN_FUNCTIONS.has(name) && !(name in ADDRESSES) && !isFieldRead(body);
}

function isFieldRead(body: string): boolean {
  return body.search(FIELD_READ) !== -1;
}

function declaredFunctions(header: string = HEADER): Declared[] {
  const pattern = /^static inline (\w+) \*?(edge_\w+)\(([^)]*)\) \{([^}]*)\}/gm;
  return [...header.matchAll(pattern)].map(([, result = "", name = "", params = "", body = ""]) => ({
    name,
    params: paramList(params).map(({ type }) => WASM_TYPES[type] ?? type),
    results: result === "void" ? [] : [WASM_TYPES[result] ?? result],
    body,
  }));
}

/** Parameters after the instance. */
function paramList(params: string): { type: string; name: string }[] {
  return params
    .split(",")
    .slice(1)
    .map((param) => param.trim().split(/\s+/))
    .map(([type = "", name = ""]) => ({ type, name }));
}

function argumentNames(name: string): string[] {
  const [, params = ""] = new RegExp(`\\b${name}\\(([^)]*)\\) \\{`).exec(HEADER) ?? [];
  return paramList(params).map((param) => param.name);
}

/** Exported globals that never change, and their values. Those that may are for whoever translates the module. */
function constantsOf(wasm: Uint8Array<ArrayBuffer>, without: readonly string[] = []): Record<string, number> {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm));
  const globals = Object.entries(exports).filter(([name, found]) => !without.includes(name) && !isMutable(found));
  return Object.fromEntries(
    globals.flatMap(([name, found]) => (found instanceof WebAssembly.Global ? [[name, Number(found.value)]] : [])),
  );
}

function isMutable(found: unknown): boolean {
  if (!(found instanceof WebAssembly.Global)) return false;
  try {
    found.value = Number(found.value);
    return true;
  } catch {
    return false;
  }
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
