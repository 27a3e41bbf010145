import { expect, test } from "vitest";
import { moduleBytes, SEED, SeededNoise } from "./codec-signals.suite.ts";
import { cryptoModule } from "./crypto-core.suite.ts";
import { BATCH_LIMITS, checkModule, DEVICE_LIMITS, ModuleError, type ModuleErrorCode } from "./module-gate.ts";

const MAGIC = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const I32 = 0x7f;
const F32 = 0x7d;
const END = 0x0b;

function section(id: number, ...content: number[]): number[] {
  return [id, content.length, ...content];
}

/** A module with one function of type () -> () whose body is given, and one page of memory. */
function moduleWith({
  type = [1, 0x60, 0, 0],
  imports = [] as number[],
  tables = [] as number[],
  memory = [1, 1, 1, 1],
  globals = [] as number[],
  start = [] as number[],
  body = [0, END],
}): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...MAGIC,
    ...section(1, ...type),
    ...(imports.length === 0 ? [] : section(2, ...imports)),
    ...section(3, 1, 0),
    ...(tables.length === 0 ? [] : section(4, ...tables)),
    ...section(5, ...memory),
    ...(globals.length === 0 ? [] : section(6, ...globals)),
    ...(start.length === 0 ? [] : section(8, ...start)),
    ...section(10, 1, body.length, ...body),
  ]);
}

function refusalOf(bytes: Uint8Array<ArrayBuffer>): ModuleErrorCode | undefined {
  try {
    checkModule(bytes, DEVICE_LIMITS);
    return undefined;
  } catch (error) {
    if (error instanceof ModuleError) return error.code;
    throw error;
  }
}

test("the modules that we build pass", () => {
  expect(() => checkModule(new Uint8Array(moduleBytes("device")), DEVICE_LIMITS)).not.toThrow();
  expect(() => checkModule(cryptoModule(), DEVICE_LIMITS)).not.toThrow();
  expect(() => checkModule(new Uint8Array(moduleBytes("update")), DEVICE_LIMITS)).not.toThrow();
  expect(() => checkModule(new Uint8Array(moduleBytes("batch")), BATCH_LIMITS)).not.toThrow();
  expect(() => checkModule(new Uint8Array(moduleBytes("batch")), DEVICE_LIMITS)).toThrow(ModuleError);
});

test("the smallest allowed module passes", () => {
  expect(refusalOf(moduleWith({}))).toBeUndefined();
});

test.for([
  ["an import", { imports: [1, 1, 0x61, 1, 0x62, 0, 0] }, "forbidden-section"],
  ["a start function", { start: [0] }, "forbidden-section"],
  ["a table", { tables: [1, 0x70, 0, 1] }, "forbidden-section"],
  ["a float parameter", { type: [1, 0x60, 1, F32, 0] }, "forbidden-type"],
  ["a float local", { body: [1, 1, F32, END] }, "forbidden-type"],
  ["a float global", { globals: [1, F32, 0, 0x43, 0, 0, 0, 0, END] }, "forbidden-type"],
  ["a float constant", { body: [0, 0x43, 0, 0, 0, 0, 0x1a, END] }, "forbidden-opcode"],
  ["memory.grow", { body: [0, 0x41, 1, 0x40, 0, 0x1a, END] }, "forbidden-opcode"],
  ["memory.size", { body: [0, 0x3f, 0, 0x1a, END] }, "forbidden-opcode"],
  ["call_indirect", { body: [0, 0x41, 0, 0x11, 0, 0, END] }, "forbidden-opcode"],
  ["a bulk memory operation", { body: [0, 0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 0x0b, 0, END] }, "forbidden-opcode"],
  ["a vector operation", { body: [0, 0xfd, 0x0c, END] }, "forbidden-opcode"],
  ["sign extension", { body: [0, 0x41, 0, 0xc0, 0x1a, END] }, "forbidden-opcode"],
  ["a block with results by type index", { body: [0, 0x02, 0, END, END] }, "forbidden-type"],
  ["a second page", { memory: [1, 1, 1, 2] }, "memory-limits"],
  ["two pages at once", { memory: [1, 1, 2, 2] }, "memory-limits"],
  ["a memory without a limit", { memory: [1, 0, 1] }, "memory-limits"],
  ["shared memory", { memory: [1, 3, 1, 1] }, "memory-limits"],
  ["two memories", { memory: [2, 1, 1, 1, 1, 1, 1] }, "memory-limits"],
  ["no memory", { memory: [0] }, "memory-limits"],
  ["a body that does not type-check", { body: [0, 0x6a, END] }, "invalid"],
  ["a global that is computed", { globals: [1, I32, 0, 0x23, 0, END] }, "forbidden-opcode"],
  ["a body longer than its section", { body: [0, 0x41] }, "truncated"],
] as const satisfies readonly (readonly [string, Parameters<typeof moduleWith>[0], ModuleErrorCode])[])(
  "%s is refused",
  ([, parts, code]) => {
    expect(refusalOf(moduleWith(parts as Parameters<typeof moduleWith>[0]))).toBe(code);
  },
);

test("a module cut anywhere is refused", () => {
  const whole = new Uint8Array(moduleBytes("device"));
  for (let length = 0; length < whole.length; length += 1 + Math.floor(length / 97)) {
    expect(refusalOf(whole.slice(0, length)), `cut at ${length}`).toBeDefined();
  }
});

test("garbage and mutated modules pass or are refused, and nothing else is thrown", () => {
  const noise = new SeededNoise(SEED);
  const whole = new Uint8Array(moduleBytes("device"));
  let refused = 0;
  for (let i = 0; i < 400; i++) {
    const bytes = i % 4 === 0 ? Uint8Array.from({ length: 200 }, () => noise.uint32()) : whole.slice();
    for (let k = 0; k < 3; k++) bytes[noise.uint32() % bytes.length] = noise.uint32();
    if (i % 4 === 0) bytes.set(MAGIC);
    if (refusalOf(bytes) !== undefined) refused += 1;
  }
  expect(refused).toBeGreaterThan(200);
});
