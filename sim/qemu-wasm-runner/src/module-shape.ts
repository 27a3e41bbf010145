import { ModuleReader } from "./module-reader.ts";
import { RunnerError } from "./runner-error.ts";

/** Number types of an integer-only module. */
export type IntegerType = "i32" | "i64";

/** An exported function's parameters and results. */
export interface Signature {
  readonly params: readonly IntegerType[];
  readonly results: readonly IntegerType[];
}

/** One export, in the order of the module. */
export type ModuleExport =
  | { readonly kind: "function"; readonly name: string; readonly signature: Signature }
  | { readonly kind: "global"; readonly name: string; readonly type: IntegerType }
  | { readonly kind: "memory" | "table"; readonly name: string };

/** What a module offers and wants, as its binary says. */
export interface ModuleShape {
  readonly exports: readonly ModuleExport[];
  /** Pages of 64 KiB; null without a memory, `most` null without a limit. */
  readonly memory: { readonly pages: number; readonly most: number | null } | null;
  /** Entries of the function table, 0 without one. */
  readonly tableEntries: number;
}

const SECTION_TYPE = 1;
const SECTION_IMPORT = 2;
const SECTION_FUNCTION = 3;
const SECTION_TABLE = 4;
const SECTION_MEMORY = 5;
const SECTION_GLOBAL = 6;
const SECTION_EXPORT = 7;
const FUNCTION_FORM = 0x60;
const TYPES: ReadonlyMap<number, IntegerType> = new Map([
  [0x7f, "i32"],
  [0x7e, "i64"],
]);
const EXPORT_KINDS = ["function", "table", "memory", "global"] as const;

/**
 * Read what a module exports and how much memory it declares.
 *
 * @param wasm  the binary; its code is not looked at
 * @throws {RunnerError} `bad-module` when it is not a WebAssembly module, `has-imports`, `not-integer-only` when an
 *         export takes or gives anything but i32 and i64
 * @see WebAssembly Core Specification 1.0, section 5.5, "Modules"
 */
export function readModuleShape(wasm: Uint8Array): ModuleShape {
  if (!WebAssembly.validate(wasm as Uint8Array<ArrayBuffer>)) {
    throw new RunnerError("bad-module", { bytes: wasm.length, said: compileProblem(wasm) });
  }
  const found = readSections(new ModuleReader(wasm));
  return {
    exports: found.exports.map(({ name, kind, index }) => describeExport(found, name, kind, index)),
    memory: found.memory,
    tableEntries: found.tableEntries,
  };
}

/** What the engine has against a module, with the place as `@+BYTE`. */
function compileProblem(wasm: Uint8Array): string {
  try {
    new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>);
    return "";
  } catch (cause) {
    return cause instanceof Error ? cause.message : "";
  }
}

interface Sections {
  types: { params: number[]; results: number[] }[];
  functions: number[];
  globals: number[];
  exports: { name: string; kind: number; index: number }[];
  memory: ModuleShape["memory"];
  tableEntries: number;
}

function readSections(reader: ModuleReader): Sections {
  const found: Sections = { types: [], functions: [], globals: [], exports: [], memory: null, tableEntries: 0 };
  reader.skip(8);
  while (!reader.isDone()) {
    const id = reader.byte();
    const end = reader.uint() + reader.position;
    readSection(reader, id, found);
    reader.position = end;
  }
  return found;
}

function readSection(reader: ModuleReader, id: number, found: Sections): void {
  if (id === SECTION_TYPE) found.types = reader.vector(() => readType(reader));
  if (id === SECTION_IMPORT) refuseImports(reader);
  if (id === SECTION_FUNCTION) found.functions = reader.vector(() => reader.uint());
  if (id === SECTION_GLOBAL) found.globals = reader.vector(() => readGlobal(reader));
  if (id === SECTION_TABLE) {
    const [entries = 0] = reader.vector(() => readTable(reader));
    found.tableEntries = entries;
  }
  if (id === SECTION_MEMORY) {
    const [limits] = reader.vector(() => reader.limits());
    found.memory = limits === undefined ? null : { pages: limits.least, most: limits.most };
  }
  if (id === SECTION_EXPORT) {
    found.exports = reader.vector(() => ({ name: reader.text(), kind: reader.byte(), index: reader.uint() }));
  }
}

function readType(reader: ModuleReader): { params: number[]; results: number[] } {
  if (reader.byte() !== FUNCTION_FORM) return { params: [], results: [] };
  return { params: reader.vector(() => reader.byte()), results: reader.vector(() => reader.byte()) };
}

function refuseImports(reader: ModuleReader): void {
  const count = reader.uint();
  if (count > 0) throw new RunnerError("has-imports", { count, first: `${reader.text()}.${reader.text()}` });
}

function readTable(reader: ModuleReader): number {
  reader.byte();
  return reader.limits().least;
}

function readGlobal(reader: ModuleReader): number {
  const type = reader.byte();
  reader.byte();
  reader.skipConstant();
  return type;
}

function describeExport(found: Sections, name: string, kind: number, index: number): ModuleExport {
  const named = EXPORT_KINDS[kind];
  if (named === "function") {
    const { params = [], results = [] } = found.types[found.functions[index] ?? -1] ?? {};
    const toInteger = (type: number) => integerType(type, name);
    return { kind: named, name, signature: { params: params.map(toInteger), results: results.map(toInteger) } };
  }
  if (named === "global") return { kind: named, name, type: integerType(found.globals[index] ?? 0, name) };
  if (named === undefined) throw new RunnerError("bad-module", { export: name, kind });
  return { kind: named, name };
}

function integerType(type: number, name: string): IntegerType {
  const found = TYPES.get(type);
  if (found === undefined) throw new RunnerError("not-integer-only", { export: name, type: `0x${type.toString(16)}` });
  return found;
}
