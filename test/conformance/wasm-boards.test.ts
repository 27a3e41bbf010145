import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  type BoardName,
  build,
  cycleBound,
  type Firmware,
  type Machine,
  open,
  type WasmInteger,
} from "qemu-wasm-runner";
import { describe, expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { TESTED_BOARDS } from "./board-list.ts";
import { CACHE_FOLDER } from "./c-host-build.ts";
import { DEVICE_WASM } from "./raw-device.ts";
import { compileWat } from "./wat-module.ts";

const FEATURES = await compileWat("every-feature.wat");

/** Samples of each signal: bytes take their time over an emulated serial line. */
const SAMPLES = { direct: 10_000, emulated: 2000, serial: 300 } as const;

interface SuiteOptions {
  readonly board: BoardName;
  /** Default: as many as take a moment. */
  readonly samples?: number;
  /** Whether it has memory for the three pages that the module may grow to. */
  readonly hasRoom?: boolean;
}

/** What every board must do, given one that can be used here. */
function boardSuite({ board, samples = SAMPLES.direct, hasRoom = true }: SuiteOptions): void {
  const start = async (wasm: Uint8Array, memoryBytes?: number) =>
    open(
      await build(wasm, { board, cacheFolder: CACHE_FOLDER, ...(memoryBytes === undefined ? {} : { memoryBytes }) }),
    );

  test("numbers go in and come out as JavaScript would have them", async () => {
    const machine = await start(FEATURES);
    expect(await machine.call("add", 2, 40)).toEqual([42]);
    expect(await machine.call("add", 0xffff_ffff, 0)).toEqual([-1]);
    expect(await machine.call("add64", -1n, 2n ** 63n)).toEqual([2n ** 63n - 1n]);
    expect(await machine.call("two")).toEqual([1, 2n]);
    expect(await machine.call("nothing")).toEqual([]);
    expect(await machine.global("counter")).toBe(7n);
    await machine.close();
  });

  test("every trap is told by its reason, and the module can be called on", async () => {
    const machine = await start(FEATURES);
    const reasons: [string, WasmInteger[], string][] = [
      ["divide", [1n, 0n], "divide-by-zero"],
      ["divide", [-(2n ** 63n), -1n], "integer-overflow"],
      ["load", [65_533], "out-of-bounds"],
      ["load", [-4], "out-of-bounds"],
      ["apply", [5, 4], "call-indirect"],
      ["stop", [], "unreachable"],
      ["fill", [65_000, 1, 537], "out-of-bounds"],
    ];
    for (const [name, args, reason] of reasons) {
      await expect(machine.call(name, ...args)).rejects.toMatchObject({ code: "trap", facts: { reason } });
    }
    expect(await machine.call("divide", -9n, 2n)).toEqual([-4n]);
    await machine.close();
  });

  test("memory is read and written, grown to its limit, and never touched outside it", async () => {
    const machine = await start(FEATURES);
    expect(Buffer.from(await machine.read(16, 5)).toString()).toBe("hello");
    await machine.write(100, Uint8Array.of(1, 2, 3, 4));
    expect(await machine.call("load", 100)).toEqual([0x0403_0201]);
    await expect(machine.read(65_535, 2)).rejects.toMatchObject({ code: "out-of-bounds" });
    await expect(machine.write(65_536, Uint8Array.of(1))).rejects.toMatchObject({ code: "out-of-bounds" });
    expect(await machine.call("grow", 2)).toEqual([hasRoom ? 1 : -1]);
    if (!hasRoom) return machine.close();
    expect(await machine.memoryBytes()).toBe(3 * 65_536);
    expect(await machine.call("grow", 1)).toEqual([-1]);
    expect(await machine.call("load", 131_072)).toEqual([0]);
    await machine.close();
  });

  test("an instance starts from the module's data, functions tables and start function", async () => {
    const machine = await start(FEATURES);
    expect(await machine.call("load", 0)).toEqual([77]);
    expect(await machine.call("apply", 5, 0)).toEqual([6]);
    expect(await machine.call("apply", 5, 1)).toEqual([4]);
    await machine.close();
  });

  test("a name or an argument that does not fit is refused with what would", async () => {
    const machine = await start(FEATURES);
    await expect(machine.call("ad", 1, 2)).rejects.toMatchObject({
      code: "no-such-export",
      facts: { kind: "function" },
    });
    await expect(machine.call("add", 1)).rejects.toMatchObject({
      code: "wrong-arguments",
      facts: { takes: 2, given: 1 },
    });
    await expect(machine.call("add", 1, 2 ** 32)).rejects.toMatchObject({ code: "wrong-arguments" });
    await expect(machine.call("add", 1, 0.5)).rejects.toMatchObject({ code: "wrong-arguments" });
    await expect(machine.global("add")).rejects.toMatchObject({ code: "no-such-export" });
    await machine.close();
  });

  test("the codec ends in the state, and in the bytes, that Node's WebAssembly has", async () => {
    const machine = await start(readFileSync(DEVICE_WASM));
    for (const signal of Object.keys(SIGNALS)) {
      const here = await encodeSignal(machine, signal, samples);
      expect({ signal, ...here }).toEqual({ signal, ...(await inNode(signal, samples)) });
    }
    await machine.close();
  });
}

/** What a board must do that a program is built for. */
function builtBoardSuite(board: BoardName): void {
  test("memory may be less than the module declares, ends there, and does not grow", async () => {
    const machine = await open(await build(FEATURES, { board, cacheFolder: CACHE_FOLDER, memoryBytes: 256 }));
    expect(await machine.memoryBytes()).toBe(256);
    expect(await machine.call("load", 252)).toEqual([0]);
    await expect(machine.call("load", 253)).rejects.toMatchObject({ code: "trap", facts: { reason: "out-of-bounds" } });
    expect(await machine.call("grow", 1)).toEqual([-1]);
    await machine.close();
  });
}

/** What a board must do that counts instructions. */
function countingBoardSuite(board: BoardName): void {
  const buildSmall = () => build(FEATURES, { board, cacheFolder: CACHE_FOLDER, memoryBytes: 256 });

  test("instructions are counted to the last one, the same each time and as the trace has them", async () => {
    const firmware = await buildSmall();
    const [one, two] = [await countCalls(firmware), await countCalls(firmware)];
    expect(one).toEqual(two);
    const traced = await cycleBound(firmware, async (machine) => {
      for (const { name, args } of COUNTED) await machine.call(name, ...args).catch(expectTrap);
    });
    const named = COUNTED.flatMap(({ name, traps }, i) => (traps ? [] : [{ function: name, instructions: one[i] }]));
    expect(traced.map(({ cycles, ...cost }) => cost)).toEqual(named);
    for (const { function: name, instructions, cycles } of traced) {
      expect(cycles, name).toBeGreaterThan(instructions);
      expect(cycles, name).toBeLessThan(8 * instructions);
    }
    // A longer loop takes longer, by the same for each byte.
    const [short = 0, long = 0, longer = 0] = one.slice(-3).map(Number);
    expect(longer - long).toBe(long - short);
    expect(long).toBeGreaterThan(short);
  });

  test("the deepest stack is told, and grows with what is called", async () => {
    const machine = await open(await buildSmall());
    await machine.call("nothing");
    const shallow = await machine.stackHighWater();
    await machine.call("divide", 7n, 2n);
    expect(shallow).toBeGreaterThan(50);
    expect(await machine.stackHighWater()).toBeGreaterThanOrEqual(shallow);
    expect(await machine.stackHighWater()).toBeLessThan(1024);
    await expect(machine.measure("nothing")).rejects.toMatchObject({ code: "not-counting", facts: { board } });
    await machine.close();
  });
}

interface Counted {
  readonly name: string;
  readonly args: readonly WasmInteger[];
  readonly traps: boolean;
}

const COUNTED: readonly Counted[] = [
  { name: "nothing", args: [], traps: false },
  { name: "add", args: [2, 40], traps: false },
  { name: "stop", args: [], traps: true },
  { name: "divide", args: [100n, 3n], traps: false },
  { name: "fill", args: [0, 1, 50], traps: false },
  { name: "fill", args: [0, 1, 150], traps: false },
  { name: "fill", args: [0, 1, 250], traps: false },
];

async function countCalls(firmware: Firmware): Promise<(number | string)[]> {
  const machine = await open(firmware, { counting: true });
  const counts: (number | string)[] = [];
  for (const { name, args } of COUNTED) {
    counts.push(await machine.measure(name, ...args).then(({ instructions }) => instructions, expectTrap));
  }
  await machine.close();
  return counts;
}

function expectTrap(error: unknown): string {
  expect(error).toMatchObject({ code: "trap" });
  return "trap";
}

describe("the board node", () => {
  boardSuite({ board: "node" });

  test("it neither counts nor knows a stack, and says so", async () => {
    const firmware = await build(FEATURES, { board: "node", cacheFolder: CACHE_FOLDER });
    await expect(open(firmware, { counting: true })).rejects.toMatchObject({ code: "not-counting" });
    const machine = await open(firmware);
    await expect(machine.measure("nothing")).rejects.toMatchObject({ code: "not-counting" });
    await expect(machine.stackHighWater()).rejects.toMatchObject({ code: "not-counting" });
  });
});

for (const { board, needs, isBare } of TESTED_BOARDS) {
  requires(...needs)(`the board ${board}`, () => {
    const samples = isBare ? SAMPLES.serial : board === "host" ? SAMPLES.direct : SAMPLES.emulated;
    boardSuite({ board, samples, hasRoom: board !== "netduinoplus2" });
    builtBoardSuite(board);
    if (isBare) countingBoardSuite(board);
  });
}

requires("c-compiler")("building", () => {
  test("more memory than the module declares is refused", async () => {
    await expect(
      build(FEATURES, { board: "host", cacheFolder: CACHE_FOLDER, memoryBytes: 65_537 }),
    ).rejects.toMatchObject({ code: "wrong-arguments" });
  });

  test("static data that the lent memory cannot hold stops the module at its start", async () => {
    const firmware = await build(FEATURES, { board: "host", cacheFolder: CACHE_FOLDER, memoryBytes: 20 });
    await expect(open(firmware)).rejects.toMatchObject({ code: "trap", facts: { function: "(start)" } });
  });

  test("the same module with the same options is built once, and with others anew", async () => {
    const first = await build(FEATURES, { board: "host", cacheFolder: CACHE_FOLDER });
    const again = await build(FEATURES, { board: "host", cacheFolder: CACHE_FOLDER });
    const fast = await build(FEATURES, { board: "host", cacheFolder: CACHE_FOLDER, optimize: "speed" });
    expect(again).toMatchObject({ isCached: true, file: first.file });
    expect(fast.file).not.toBe(first.file);
    expect(first.sizes?.codeBytes).toBeGreaterThan(1000);
    const unchecked = await build(FEATURES, { board: "host", cacheFolder: CACHE_FOLDER, checks: "none" });
    expect(unchecked.file).not.toBe(first.file);
    expect(unchecked.sizes?.parts?.module.codeBytes).toBeLessThan(first.sizes?.parts?.module.codeBytes ?? 0);
  });

  test("what the compiler says comes with the refusal of a program that does not compile", async () => {
    const program = { sources: [fileURLToPath(import.meta.url)], flags: ["-xc"] };
    const built = build(FEATURES, { board: "host", cacheFolder: CACHE_FOLDER, program });
    await expect(built).rejects.toMatchObject({ code: "compile-failed", facts: { said: expect.any(String) } });
  });
});

const ROWS_PER_FRAME = 100;
const CHANNELS = 2;

/** A value of channel c at time t, in sample units. */
const SIGNALS: Readonly<Record<string, (t: number, c: number, noise: () => number) => number>> = {
  wave: (t, c, noise) => Math.round(1_000_000 * Math.sin(0.031 * t + c)) + (noise() % 500),
  steps: (t, c) => 70_000 * (Math.floor(t / 250) % (3 + c)) - 40_000,
  "noise over all of int32": (_t, _c, noise) => noise() | 0,
};

interface Encoded {
  readonly stateHash: number;
  readonly payloads: string;
}

/** State hash and all payloads after some samples of two channels, 100 to a frame. */
async function encodeSignal(machine: Machine, signal: string, samples: number): Promise<Encoded> {
  const noise = xorshift(12_345);
  const status = async (name: string, ...args: WasmInteger[]) => {
    const [given = 0] = await machine.call(name, ...args);
    expect(Number(given), name).toBeGreaterThanOrEqual(0);
    return Number(given);
  };
  await status("codecConfigure", CHANNELS);
  for (let c = 0; c < CHANNELS; c++) await status("codecSetChannel", c, 100 * c, 1, 0);
  await machine.call("codecReset");
  const [free = 0] = await machine.call("freeAddress");
  const samplesAt = Number(free);
  const payloadAt = samplesAt + 4 * CHANNELS * ROWS_PER_FRAME;
  const payloads: Uint8Array[] = [];
  for (let t = 0; t < samples; t += ROWS_PER_FRAME) {
    const rows = new Int32Array(CHANNELS * ROWS_PER_FRAME);
    rows.forEach((_, i) => {
      rows[i] = SIGNALS[signal]?.(t + Math.floor(i / CHANNELS), i % CHANNELS, noise) ?? 0;
    });
    await machine.write(samplesAt, new Uint8Array(rows.buffer));
    await machine.call("encodeBegin", 0, payloadAt, 32_768);
    expect(await status("encodeRows", samplesAt, 0, ROWS_PER_FRAME)).toBe(ROWS_PER_FRAME);
    payloads.push(await machine.read(payloadAt, await status("encodeEnd")));
  }
  const [stateHash = 0] = await machine.call("stateHash");
  return { stateHash: Number(stateHash), payloads: Buffer.concat(payloads).toString("base64") };
}

async function inNode(signal: string, samples: number): Promise<Encoded> {
  const machine = await open(await build(readFileSync(DEVICE_WASM), { board: "node", cacheFolder: CACHE_FOLDER }));
  const given = await encodeSignal(machine, signal, samples);
  await machine.close();
  return given;
}

function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
