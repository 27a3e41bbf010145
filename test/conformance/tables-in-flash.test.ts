import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { DEVICE_WASM } from "./raw-device.ts";

/*
 * device.wasm with a call of the host in front of every load and store, which says where it goes: what edge-sdk/assembly/tables.ts
 * promises to whoever leaves the tables in flash and puts other things in their place.
 */
const WASM_OPT = fileURLToPath(new URL("../../node_modules/binaryen/bin/wasm-opt", import.meta.url));
const FEATURES = ["--mvp-features", "--enable-mutable-globals"];
const ROWS = 120;
const NARROW = 2;
const WIDE = 9;

interface Access {
  readonly kind: "load" | "store";
  readonly offset: number;
  readonly address: number;
}

type Calls = Record<string, (...values: (number | bigint)[]) => number>;

/** The module, and every access that goes below the tables' end. */
function watchedModule(): {
  calls: Calls;
  memory: WebAssembly.Memory;
  tablesEnd: number;
  low: Access[];
  count: () => number;
} {
  const folder = mkdtempSync(join(tmpdir(), "watched-module-"));
  const file = join(folder, "watched.wasm");
  try {
    const args = [...FEATURES, "--instrument-memory", fileURLToPath(DEVICE_WASM), "-o", file];
    execFileSync(process.execPath, [WASM_OPT, ...args], { stdio: "pipe" });
    const module = new WebAssembly.Module(readFileSync(file));
    const low: Access[] = [];
    let seen = 0;
    let tablesEnd = Number.POSITIVE_INFINITY;
    const watch = (kind: Access["kind"]) => (_: number, __: number, offset: number, base: number) => {
      seen++;
      const address = (base >>> 0) + (offset >>> 0);
      if (address < tablesEnd) low.push({ kind, offset, address });
      return base;
    };
    const env: Record<string, unknown> = { load_ptr: watch("load"), store_ptr: watch("store") };
    for (const { name } of WebAssembly.Module.imports(module)) env[name] ??= (_: number, value: unknown) => value;
    const { exports } = new WebAssembly.Instance(module, { env } as WebAssembly.Imports);
    tablesEnd = Number((exports.TABLES_END as WebAssembly.Global).value);
    return {
      calls: exports as unknown as Calls,
      memory: exports.memory as WebAssembly.Memory,
      tablesEnd,
      low,
      count: () => seen,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test.for([
  [1, NARROW],
  [1, WIDE],
  [6, NARROW],
  [6, WIDE],
] as const)(
  "with %d channels and a history shift of %d nothing is stored below the tables' end, and tables alone are read",
  ([channels, shift]) => {
    const { calls, memory, tablesEnd, low, count } = watchedModule();
    const call = (name: string, ...values: (number | bigint)[]) => calls[name]?.(...values) ?? Number.NaN;
    expect(call("codecConfigure", channels)).toBe(0);
    for (let c = 0; c < channels; c++) expect(call("codecSetChannel", c, 50 + c, c === 0 ? 3 : 1, shift)).toBe(0);
    const free = call("freeAddress");
    const view = new DataView(memory.buffer);
    const out = free + 4 * channels + 32;
    call("codecReset");
    call("encodeBegin", 0, out, 8192);
    for (let row = 0; row < ROWS; row++) {
      for (let c = 0; c < channels; c++) view.setInt32(free + 4 * c, sampleAt(row, c), true);
      expect(call("encodeRows", free, 0, 1)).toBe(1);
    }
    const length = call("encodeEnd");
    expect(length).toBeGreaterThan(10);
    call("codecReset");
    expect(call("decodeBegin", 0, ROWS, out, length)).toBe(0);
    for (let row = 0; row < ROWS; row++) expect(call("decodeRows", free, 0, 1)).toBe(1);
    expect(call("decodeEnd")).toBe(0);
    expect(call("replayQuietRows", free, 3)).toBe(3);
    new Uint8Array(memory.buffer).fill(0, out, out + length);
    runLink(call, channels, shift, free);
    expect(count()).toBeGreaterThan(10_000);
    const firstTable = Math.min(...low.map(({ offset }) => offset));
    expect(low.filter(({ kind }) => kind === "store")).toEqual([]);
    expect(low.filter(({ offset }) => offset < 100 || offset >= tablesEnd)).toEqual([]);
    expect(new Set(low.map(({ offset }) => offset)).size).toBe(4);
    expect(low.filter(({ address }) => address < firstTable)).toEqual([]);
  },
);

/** A device that opens, sends its birth and a status, takes samples, drops what has no room, and begins again with its ring. */
function runLink(
  call: (name: string, ...values: (number | bigint)[]) => number,
  channels: number,
  shift: number,
  free: number,
) {
  const text = free + 64;
  const birth = text + 64;
  const out = birth + 1024;
  const ring = out + 2048;
  expect(call("linkBegin", channels, 10, 1000, 200)).toBe(0);
  for (let c = 0; c < channels; c++) expect(call("codecSetChannel", c, 50, 1, shift)).toBe(0);
  expect(call("linkMemory", ring, 12_000, out, 2048, 1200)).toBe(0);
  expect(call("linkDescribe", birth, 1024, text, 4, 1_000_000n, text, text, 4)).toBe(0);
  for (let c = 0; c < channels; c++) {
    expect(call("linkChannel", text, 1, text, 1, 50, 1, shift, 0n, 1, -3, 50n, -3)).toBeGreaterThan(0);
  }
  expect(call("linkOpen", 7, 1, 0)).toBe(0);
  call("linkConnected", 0);
  for (let now = 0; now < 4000; now += 10) {
    expect(call("linkSample", free, text, BigInt(now), now)).toBeGreaterThanOrEqual(0);
    while (call("linkPoll", BigInt(now), now) > 0);
    call("linkWakeMs", now);
  }
  expect(call("linkPresence", 0)).toBeGreaterThan(0);
  call("linkReceive", out, 40, 4000);
  call("linkFlush", 4000n, 4000);
  call("linkView");
  call("linkDirtyClear");
  call("linkDisconnected");
  expect(call("linkRestore", 8, 4000)).toBeGreaterThanOrEqual(0);
}

function sampleAt(row: number, c: number): number {
  const noise = (Math.imul(row * 7 + c, 2654435761) >>> 20) - 2048;
  return 3 * (row % 17 === 0 ? noise * 300 : row * 40 + noise);
}
