import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type BoardName, build, run } from "qemu-wasm-runner";
import { expect } from "vitest";
import { BOARD_SUPPORT, CACHE_FOLDER, STRICT } from "./c-host-build.ts";
import { CodecEnd, deviceModule } from "./codec-end.ts";
import { DEVICE_WASM } from "./raw-device.ts";
import { FRAME_ROWS, hasEvents, SIGNAL_CHANNELS, THREE_SIGNALS, type ThreeSignal } from "./three-signals.ts";

/** What coding a signal and decoding it again came to; the fields are explained in `bit-identity.c`. */
export interface SignalResult {
  readonly signal: string;
  readonly payloadBytes: number;
  readonly payloadHash: string;
  readonly stateHash: string;
  readonly decodedHash: string;
  readonly unequalStates: number;
  readonly overBound: number;
  readonly maxError: number;
}

const FRAMES = 100;
const HASH_START = 0xcbf2_9ce4_8422_2325n;
const HASH_PRIME = 0x100_0000_01b3n;
/** The M0 needs the longest: some fifteen seconds of a core, `npm test -- bit-identity`. */
const RUN_TIMEOUT_MS = 120_000;

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The program `bit-identity.c` on a board: what it said. */
export async function runOnBoard(board: BoardName): Promise<SignalResult[]> {
  const program = {
    sources: [here("bit-identity.c"), here("three-signals.c"), here("json-line.c")],
    includes: [BOARD_SUPPORT, here("."), here("../../edge-sdk/include")],
    flags: STRICT,
  };
  const options = { board, cacheFolder: CACHE_FOLDER, optimize: "speed", program } as const;
  const firmware = await build(readFileSync(DEVICE_WASM), options);
  const { exitCode, trap, output } = await run(firmware, { timeoutMs: RUN_TIMEOUT_MS });
  expect({ board, exitCode, trap }).toEqual({ board, exitCode: 0, trap: null });
  return output
    .toString()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as SignalResult);
}

/** The same by Node's WebAssembly. */
export function runInNode(): SignalResult[] {
  const module = deviceModule();
  return THREE_SIGNALS.map((signal) => codeSignal(module, signal));
}

function codeSignal(module: WebAssembly.Module, { name, bounds, rows }: ThreeSignal): SignalResult {
  const encoder = new CodecEnd(module, bounds);
  const decoder = new CodecEnd(module, bounds);
  const source = rows();
  const result = { payloadBytes: 0, unequalStates: 0, overBound: 0, maxError: 0 };
  let payloadHash = HASH_START;
  let decodedHash = HASH_START;
  for (let frame = 0; frame < FRAMES; frame++) {
    const given = Array.from({ length: FRAME_ROWS }, () => source.next().value);
    const samples = given.flatMap((row) => row.samples);
    const payload = encoder.encode(
      samples,
      given.flatMap((row) => row.statuses),
      hasEvents(frame),
    );
    payloadHash = hashBytes(hashBytes(payloadHash, new Uint8Array(Uint32Array.of(payload.length).buffer)), payload);
    result.payloadBytes += payload.length;
    const decoded = decoder.decode(payload, hasEvents(frame));
    decodedHash = hashBytes(hashBytes(decodedHash, new Uint8Array(decoded.samples.buffer)), decoded.statuses);
    if (encoder.stateHash() !== decoder.stateHash()) result.unequalStates++;
    samples.forEach((sample, i) => {
      if (decoded.statuses[i] !== 0) return;
      const error = Math.abs(sample - (decoded.samples[i] ?? Number.NaN));
      if (!(error <= (bounds[i % SIGNAL_CHANNELS]?.[0] ?? 0))) result.overBound++;
      if (i % SIGNAL_CHANNELS === 0) result.maxError = Math.max(result.maxError, error);
    });
  }
  const hex = (value: bigint) => value.toString(16).padStart(16, "0");
  const stateHash = encoder.stateHash().toString(16).padStart(8, "0");
  return { signal: name, ...result, payloadHash: hex(payloadHash), stateHash, decodedHash: hex(decodedHash) };
}

function hashBytes(start: bigint, bytes: Uint8Array): bigint {
  return bytes.reduce((hash, byte) => BigInt.asUintN(64, (hash ^ BigInt(byte)) * HASH_PRIME), start);
}
