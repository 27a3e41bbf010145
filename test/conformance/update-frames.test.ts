import { readdirSync, readFileSync } from "node:fs";
import { decodeFrame, encodeFrame, type Frame, FrameError, murmur3 } from "@lockstep/protocol";
import { seededRandom } from "@lockstep/sim";
import { beforeEach, expect, test } from "vitest";
import { beginFrame, chunkFrame, ed25519Key, packageOf } from "../faults/update-package.ts";

/** The update machine's own reader against the golden frames and the reader in TypeScript. */
const VECTORS = new URL("../../protocol/vectors/", import.meta.url);
const WASM = new WebAssembly.Module(readFileSync(new URL("../../edge-sdk/build/update.wasm", import.meta.url)));
const DEVICE_WASM = readFileSync(new URL("../../edge-sdk/build/device.wasm", import.meta.url));
const NONCE = 0x1234_5678;
const SEED = 20_261;
const MUTATIONS = 20_000;

interface Machine {
  readonly memory: WebAssembly.Memory;
  readonly UPDATE_INPUT: WebAssembly.Global;
  readonly UPDATE_CONFIG: WebAssembly.Global;
  updateOpen(nowMs: number): number;
  updateReceive(length: number, nowMs: number): number;
}
let machine: Machine;

beforeEach(() => {
  machine = new WebAssembly.Instance(WASM).exports as unknown as Machine;
  const view = new DataView(machine.memory.buffer, machine.UPDATE_CONFIG.value);
  for (const [at, value] of [
    [0, 1],
    [4, NONCE],
    [8, 65_536],
    [12, 4096],
    [16, 1],
    [20, 352],
  ] as const) {
    view.setUint32(at, value, true);
  }
  for (const [at, value] of [
    [53, 1],
    [54, 1],
    [57, 1],
    [58, 1],
  ] as const)
    view.setUint8(at, value);
  expect(machine.updateOpen(0)).toBe(0);
});

test("golden frames that go down are taken, those of other kinds are left to the link, and a state is refused", () => {
  const taken: Record<string, number> = {};
  for (const name of readdirSync(VECTORS).filter((file) => file.endsWith(".cbor"))) {
    const bytes = new Uint8Array(readFileSync(new URL(name, VECTORS)));
    const frame = decodeFrame(bytes);
    const length = bytes.length;
    const expected = frame.kind === "flash" ? expectedOf(frame) : 0;
    expect({ name, result: hear(bytes), length }).toEqual({ name, result: expected, length });
    taken[expected] = (taken[expected] ?? 0) + 1;
  }
  expect(taken).toMatchObject({ "1": 6, "-2": 4, "-3": 3 });
});

test("golden bytes that are no frame are never taken", () => {
  const folder = new URL("refused/", VECTORS);
  const names = readdirSync(folder).filter((file) => file.endsWith(".cbor"));
  for (const name of names) {
    const bytes = new Uint8Array(readFileSync(new URL(name, folder)));
    if (bytes.length <= 512) expect({ name, isTaken: hear(bytes) > 0 }).toEqual({ name, isTaken: false });
  }
  expect(names.length).toBeGreaterThan(100);
});

test("20,000 mutations of frames, sealed anew, are taken by the machine where the reader in TypeScript takes them, and only there", () => {
  const random = seededRandom(SEED);
  const below = (n: number) => Math.floor(random.uniform() * n);
  const update = packageOf(DEVICE_WASM, 5, ed25519Key(1));
  const sid = update.sid;
  const originals: Frame[] = [
    { kind: "flash", op: "ask", nonce: NONCE },
    beginFrame(update, NONCE),
    chunkFrame(update, 0, 20, NONCE),
    chunkFrame(update, 256, 256, NONCE),
    ...(["end", "activate", "confirm", "abort"] as const).map(
      (op): Frame => ({ kind: "flash", op, nonce: NONCE, sid }),
    ),
  ];
  const counts = { taken: 0, refused: 0 };
  for (let i = 0; i < MUTATIONS; i++) {
    const original = encodeFrame(originals[below(originals.length)] as Frame);
    const content = mutate(original.slice(0, -5), below);
    const bytes = below(20) === 0 ? original.with(below(original.length), below(256)) : sealed(content);
    if (bytes.length > 512) continue;
    const isSound = isDownlink(bytes);
    const result = hear(bytes);
    const place = `seed ${SEED}, mutation ${i}: ${Buffer.from(bytes).toString("hex")}`;
    expect(result === 1 || result === -3, place).toBe(isSound);
    if (isSound) counts.taken++;
    else counts.refused++;
  }
  expect(counts.taken).toBeGreaterThan(1000);
  expect(counts.refused).toBeGreaterThan(5000);
});

function expectedOf(frame: Frame & { kind: "flash" }): number {
  if (frame.op === "state") return -2;
  return frame.nonce === NONCE ? 1 : -3;
}

function hear(bytes: Uint8Array): number {
  if (bytes.length > 512) return 0;
  new Uint8Array(machine.memory.buffer, machine.UPDATE_INPUT.value, bytes.length).set(bytes);
  return machine.updateReceive(bytes.length, 0);
}

function isDownlink(bytes: Uint8Array): boolean {
  try {
    const frame = decodeFrame(bytes);
    return frame.kind === "flash" && frame.op !== "state";
  } catch (error) {
    if (error instanceof FrameError) return false;
    throw error;
  }
}

function mutate(bytes: Uint8Array, below: (n: number) => number): Uint8Array {
  const at = below(Math.min(bytes.length, 40));
  switch (below(6)) {
    case 0:
      return bytes.with(at, (bytes[at] ?? 0) ^ (1 << below(8)));
    case 1:
      return bytes.with(at, below(256));
    case 2:
      return Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at + 1)]);
    case 3:
      return Uint8Array.from([...bytes.slice(0, at), below(256), ...bytes.slice(at)]);
    case 4:
      return bytes.slice(0, below(bytes.length));
    default:
      return bytes;
  }
}

function sealed(content: Uint8Array): Uint8Array {
  const seal = new Uint8Array(5);
  seal[0] = 0x44;
  new DataView(seal.buffer).setUint32(1, murmur3(0, content));
  return Uint8Array.from([...content, ...seal]);
}
