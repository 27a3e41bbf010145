import { readFileSync } from "node:fs";
import { type BoardName, build, compileModuleText, type Machine, open, type WasmInteger } from "qemu-wasm-runner";
import { expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { TESTED_BOARDS } from "./board-list.ts";
import { CACHE_FOLDER } from "./c-host-build.ts";
import { DEVICE_WASM } from "./raw-device.ts";
import { SIGNAL_CHANNELS, THREE_SIGNALS, type ThreeSignal } from "./three-signals.ts";

/** Rows of each signal: a board takes about a million instructions for one. */
const ROWS = { host: 1000, emulated: 100 } as const;
const FRAME_ROWS = 50;
const PAYLOAD_BYTES = 8192;
/** Instructions of one call, a frame's, on an emulated board. */
const CALL_TIMEOUT_MS = 60_000;
const BOARDS = TESTED_BOARDS.filter(({ board }) => ["host", "mps2-an386", "cortex-m0", "riscv32-virt"].includes(board));

interface Coded {
  readonly payloads: readonly string[];
  readonly decoded: readonly string[];
  readonly states: readonly WasmInteger[];
}

/** Frames of a signal, encoded and, from the same state, decoded again. */
async function code(machine: Machine, { bounds, rows }: ThreeSignal, count: number): Promise<Coded> {
  const ask = async (name: string, ...args: number[]) => {
    const [given = 0] = await machine.call(name, ...args);
    expect(Number(given), name).toBeGreaterThanOrEqual(0);
    return Number(given);
  };
  const source = rows();
  const given = Array.from({ length: count }, () => source.next().value.samples).flat();
  const payloads: Uint8Array[] = [];
  const decoded: string[] = [];
  const states: WasmInteger[] = [];
  const frameBytes = 4 * SIGNAL_CHANNELS * FRAME_ROWS;
  const start = async () => {
    await ask("codecConfigure", SIGNAL_CHANNELS);
    for (const [c, [e, lattice, shift]] of bounds.entries()) await ask("codecSetChannel", c, e, lattice, shift);
    await machine.call("codecReset");
    return ask("freeAddress");
  };
  const samplesAt = await start();
  const statusesAt = samplesAt + frameBytes;
  const payloadAt = statusesAt + SIGNAL_CHANNELS * FRAME_ROWS + 4;
  const endState = async () => states.push((await machine.call("stateHash"))[0] ?? 0);
  for (let at = 0; at < given.length; at += SIGNAL_CHANNELS * FRAME_ROWS) {
    const frame = Int32Array.from(given.slice(at, at + SIGNAL_CHANNELS * FRAME_ROWS));
    await machine.write(samplesAt, new Uint8Array(frame.buffer));
    await machine.call("encodeBegin", 0, payloadAt, PAYLOAD_BYTES);
    expect(await ask("encodeRows", samplesAt, 0, FRAME_ROWS)).toBe(FRAME_ROWS);
    payloads.push(await machine.read(payloadAt, await ask("encodeEnd")));
  }
  await endState();
  await start();
  for (const payload of payloads) {
    await machine.write(payloadAt, payload);
    await ask("decodeBegin", 0, FRAME_ROWS, payloadAt, payload.length);
    expect(await ask("decodeRows", samplesAt, statusesAt, FRAME_ROWS)).toBe(FRAME_ROWS);
    await ask("decodeEnd");
    decoded.push(Buffer.from(await machine.read(samplesAt, frameBytes)).toString("base64"));
  }
  await endState();
  return { payloads: payloads.map((payload) => Buffer.from(payload).toString("base64")), decoded, states };
}

async function openModule(wasm: Uint8Array, board: BoardName, memoryBytes?: number): Promise<Machine> {
  const mode = board === "node" ? "aot" : "interp";
  const memory = memoryBytes === undefined || board === "node" ? {} : { memoryBytes };
  const optimize = "speed";
  const firmware = await build(wasm, { board, cacheFolder: CACHE_FOLDER, mode, optimize, ...memory });
  return open(firmware, { timeoutMs: CALL_TIMEOUT_MS });
}

for (const { board, needs } of BOARDS) {
  requires("c-compiler", ...needs)(`device.wasm interpreted on the board ${board}`, () => {
    test("codes three signals into the bytes, and back into the samples, that Node has", async () => {
      const count = board === "host" ? ROWS.host : ROWS.emulated;
      const here = await openModule(readFileSync(DEVICE_WASM), board, 32_768);
      const there = await openModule(readFileSync(DEVICE_WASM), "node");
      for (const signal of THREE_SIGNALS) {
        const ours = await code(here, signal, count);
        expect(ours, signal.name).toEqual(await code(there, signal, count));
        expect(ours.states[0], signal.name).toBe(ours.states[1]);
      }
      await Promise.all([here.close(), there.close()]);
    }, 180_000);

    test("numbers, globals, memory and traps are as those of compiled modules", async () => {
      const wasm = await compileModuleText("small.wat", SMALL);
      const machine = await openModule(wasm, board, 256);
      expect(await machine.call("add64", -1n, 2n ** 63n)).toEqual([2n ** 63n - 1n]);
      expect(await machine.global("counter")).toBe(7n);
      expect(Buffer.from(await machine.read(16, 5)).toString()).toBe("hello");
      await machine.write(100, Uint8Array.of(1, 2, 3, 4));
      expect(await machine.call("load", 100)).toEqual([0x0403_0201]);
      const reasons: [string, WasmInteger[], string][] = [
        ["divide", [1n, 0n], "divide-by-zero"],
        ["divide", [-(2n ** 63n), -1n], "integer-overflow"],
        ["load", [253], "out-of-bounds"],
        ["load", [-4], "out-of-bounds"],
        ["stop", [], "unreachable"],
        ["deep", [], "stack-exhausted"],
      ];
      for (const [name, args, reason] of reasons) {
        await expect(machine.call(name, ...args)).rejects.toMatchObject({ code: "trap", facts: { reason } });
      }
      expect(await machine.call("load", 252)).toEqual([0]);
      await machine.close();
    });
  });
}

requires("c-compiler")("building for the interpreter", () => {
  test("what it does not run is refused when it is built, by its name and place", async () => {
    const wasm = await compileModuleText("table.wat", "(module (table 1 funcref))");
    const built = build(wasm, { board: "host", cacheFolder: CACHE_FOLDER, mode: "interp" });
    await expect(built).rejects.toMatchObject({ code: "bad-module", facts: { interpreter: "has-table", at: 11 } });
  });
});

requires("c-compiler")("lending the interpreter a stack", () => {
  test("what is no whole number of words is refused, and with too little a module does not start", async () => {
    const wasm = await compileModuleText("small.wat", SMALL);
    const options = { board: "host", cacheFolder: CACHE_FOLDER, mode: "interp" } as const;
    await expect(build(wasm, { ...options, interpreterStackBytes: 6 })).rejects.toMatchObject({
      code: "wrong-arguments",
      facts: { interpreterStackBytes: 6 },
    });
    const starved = await build(wasm, { ...options, interpreterStackBytes: 4 });
    await expect(open(starved)).rejects.toMatchObject({
      code: "trap",
      facts: { function: "(start)", reason: "not-lent" },
    });
  });
});

const SMALL = `(module (memory (export "memory") 1) (data (i32.const 16) "hello")
  (global (export "counter") (mut i64) (i64.const 7))
  (func (export "add64") (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
  (func (export "divide") (param i64 i64) (result i64) (i64.div_s (local.get 0) (local.get 1)))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "stop") (unreachable))
  (func $deep (export "deep") (call $deep)))`;
