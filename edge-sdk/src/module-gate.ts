/** Why a module was refused. */
export type ModuleErrorCode =
  | "missing-bytes"
  | "truncated"
  | "malformed"
  | "bad-magic"
  | "forbidden-section"
  | "forbidden-type"
  | "forbidden-opcode"
  | "memory-limits"
  | "invalid"
  | "missing-export";

/** A WebAssembly module that may not run as a codec. Callers test `code`, never the message. */
export class ModuleError extends Error {
  override readonly name = "ModuleError";
  readonly code: ModuleErrorCode;
  readonly facts: Readonly<Record<string, string | number>>;

  constructor(code: ModuleErrorCode, facts: Readonly<Record<string, string | number>>, options?: ErrorOptions) {
    super(`module: ${describe(code, facts)}`, options);
    this.code = code;
    this.facts = facts;
  }
}

function describe(code: ModuleErrorCode, facts: Readonly<Record<string, string | number>>): string {
  if (code === "missing-bytes") return `the bytes of ${facts.module} are missing: call ${facts.call} with a Uint8Array`;
  const told = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
  return `${code}: ${told.join(", ")}`;
}

/**
 * A copy of a module's bytes, where there are any: callers without types may leave them out.
 *
 * @param module  its file's name
 * @param call  how to call what takes them
 * @throws {ModuleError} `missing-bytes`
 */
export function copyModule(given: unknown, module: string, call: string): Uint8Array<ArrayBuffer> {
  if (!ArrayBuffer.isView(given)) throw new ModuleError("missing-bytes", { module, call });
  return new Uint8Array(given.buffer, given.byteOffset, given.byteLength).slice();
}

/** What a module may ask for. */
export interface ModuleLimits {
  /** Most pages of 64 KiB that its memory may ever have; undefined where the host decides. */
  readonly maxPages: number | undefined;
}

/** A device's module: one page, for ever. */
export const DEVICE_LIMITS: ModuleLimits = { maxPages: 1 };
/** A gateway's module: 1 MiB, for ever. */
export const GATEWAY_LIMITS: ModuleLimits = { maxPages: 16 };
/** A host's module: it asks for little, and the host grows it. */
export const BATCH_LIMITS: ModuleLimits = { maxPages: undefined };

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const SECTION = { type: 1, function: 3, memory: 5, global: 6, export: 7, code: 10, data: 11 } as const;
const ALLOWED_SECTIONS: ReadonlySet<number> = new Set(Object.values(SECTION));
const I32 = 0x7f;
const I64 = 0x7e;
const EMPTY_BLOCK = 0x40;
const FUNCTION_TYPE = 0x60;
const END = 0x0b;
const I32_CONST = 0x41;
const I64_CONST = 0x42;
/** Bytes of the longest LEB128 form of 32 and 64 bits. */
const MAX_LEB32 = 5;
const MAX_LEB64 = 10;

/** What follows each opcode that integer code without tables, memory growth or sign extension needs. */
type Immediates = "none" | "block" | "index" | "branch-table" | "memory" | "i32" | "i64";
const OPCODES: ReadonlyMap<number, Immediates> = new Map([
  ...opcodes("none", [0x00, 0x01], [0x05, 0x05], [0x0f, 0x0f], [0x1a, 0x1b]), // unreachable, nop, else, return, drop, select
  ...opcodes("block", [0x02, 0x04]), // block, loop, if
  ...opcodes("none", [END, END]),
  ...opcodes("index", [0x0c, 0x0d], [0x10, 0x10], [0x20, 0x24]), // br, br_if, call, locals and globals
  ...opcodes("branch-table", [0x0e, 0x0e]),
  ...opcodes("memory", [0x28, 0x29], [0x2c, 0x35], [0x36, 0x37], [0x3a, 0x3e]), // integer loads and stores
  ...opcodes("i32", [I32_CONST, I32_CONST]),
  ...opcodes("i64", [I64_CONST, I64_CONST]),
  ...opcodes("none", [0x45, 0x5a], [0x67, 0x8a], [0xa7, 0xa7], [0xac, 0xad]), // comparisons, arithmetic, wrap, extend
]);

function opcodes(immediates: Immediates, ...ranges: readonly [number, number][]): [number, Immediates][] {
  return ranges.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, i): [number, Immediates] => [first + i, immediates]),
  );
}

/**
 * Refuse a module that could do anything but integer arithmetic in a memory of its own: imports, a start function,
 * tables and indirect calls, floats, vectors, `memory.size` and `memory.grow`, more pages than allowed.
 *
 * It reads the binary itself and then asks the engine to validate the types, so that what passes also runs.
 *
 * @throws {ModuleError} saying what was found, and at which byte
 */
export function checkModule(bytes: Uint8Array<ArrayBuffer>, limits: ModuleLimits): void {
  const reader = new ModuleReader(bytes);
  for (const byte of HEADER) {
    if (reader.byte() !== byte) throw new ModuleError("bad-magic", { offset: reader.offset - 1 });
  }
  let memories = 0;
  while (!reader.isAtEnd) {
    const offset = reader.offset;
    const id = reader.byte();
    if (!ALLOWED_SECTIONS.has(id)) throw new ModuleError("forbidden-section", { section: id, offset });
    const end = reader.length();
    if (id === SECTION.type) reader.vector(() => readFunctionType(reader));
    else if (id === SECTION.memory) memories += reader.vector(() => readMemory(reader, limits));
    else if (id === SECTION.global) reader.vector(() => readGlobal(reader));
    else if (id === SECTION.code) reader.vector(() => readBody(reader));
    else reader.offset = end;
    if (reader.offset !== end) throw new ModuleError("malformed", { section: id, offset: reader.offset, end });
  }
  if (memories !== 1) throw new ModuleError("memory-limits", { memories });
  if (!WebAssembly.validate(bytes)) throw new ModuleError("invalid", { bytes: bytes.length });
}

function readValueType(reader: ModuleReader): void {
  const offset = reader.offset;
  const type = reader.byte();
  if (type !== I32 && type !== I64) throw new ModuleError("forbidden-type", { type, offset });
}

function readFunctionType(reader: ModuleReader): void {
  const offset = reader.offset;
  const form = reader.byte();
  if (form !== FUNCTION_TYPE) throw new ModuleError("forbidden-type", { type: form, offset });
  reader.vector(() => readValueType(reader));
  reader.vector(() => readValueType(reader));
}

function readMemory(reader: ModuleReader, { maxPages }: ModuleLimits): void {
  const offset = reader.offset;
  const flags = reader.byte();
  const pages = reader.unsigned();
  const most = flags === 1 ? reader.unsigned() : Number.POSITIVE_INFINITY;
  const isWithin = maxPages === undefined || (pages <= maxPages && most <= maxPages);
  if (flags > 1 || !isWithin) throw new ModuleError("memory-limits", { flags, pages, most, offset });
}

function readGlobal(reader: ModuleReader): void {
  readValueType(reader);
  reader.byte(); // mutability, which the engine checks
  const offset = reader.offset;
  const opcode = reader.byte();
  if (opcode === I32_CONST) reader.skipLeb(MAX_LEB32);
  else if (opcode === I64_CONST) reader.skipLeb(MAX_LEB64);
  else throw new ModuleError("forbidden-opcode", { opcode, offset });
  if (reader.byte() !== END) throw new ModuleError("malformed", { section: SECTION.global, offset });
}

function readBody(reader: ModuleReader): void {
  const end = reader.length();
  reader.vector(() => {
    reader.unsigned();
    readValueType(reader);
  });
  while (reader.offset < end) readInstruction(reader);
  if (reader.offset !== end) throw new ModuleError("malformed", { section: SECTION.code, offset: reader.offset, end });
}

function readInstruction(reader: ModuleReader): void {
  const offset = reader.offset;
  const opcode = reader.byte();
  switch (OPCODES.get(opcode)) {
    case "none":
      return;
    case "block": {
      const type = reader.byte();
      if (type !== EMPTY_BLOCK && type !== I32 && type !== I64)
        throw new ModuleError("forbidden-type", { type, offset });
      return;
    }
    case "index":
      reader.unsigned();
      return;
    case "branch-table":
      reader.vector(() => reader.unsigned());
      reader.unsigned();
      return;
    case "memory":
      reader.unsigned();
      reader.unsigned();
      return;
    case "i32":
      reader.skipLeb(MAX_LEB32);
      return;
    case "i64":
      reader.skipLeb(MAX_LEB64);
      return;
    default:
      throw new ModuleError("forbidden-opcode", { opcode, offset });
  }
}

/** Reads the primitives of the binary format, never past the end. */
class ModuleReader {
  readonly #bytes: Uint8Array;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.offset >= this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.offset];
    if (byte === undefined) throw new ModuleError("truncated", { offset: this.offset, bytes: this.#bytes.length });
    this.offset += 1;
    return byte;
  }

  unsigned(): number {
    let value = 0;
    for (let i = 0; i < MAX_LEB32; i++) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    throw new ModuleError("malformed", { offset: this.offset });
  }

  skipLeb(longest: number): void {
    for (let i = 0; i < longest; i++) {
      if (this.byte() < 0x80) return;
    }
    throw new ModuleError("malformed", { offset: this.offset });
  }

  /** Read a size and return where what follows ends. */
  length(): number {
    const size = this.unsigned();
    const end = this.offset + size;
    if (end > this.#bytes.length) throw new ModuleError("truncated", { offset: this.offset, need: size });
    return end;
  }

  /** Read a count and that many elements. */
  vector(readElement: () => void): number {
    const count = this.unsigned();
    for (let i = 0; i < count; i++) readElement();
    return count;
  }
}
