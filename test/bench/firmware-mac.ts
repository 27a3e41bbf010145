import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type BoardName, build, type Firmware, RunnerError, run } from "qemu-wasm-runner";
import { BOARD_SUPPORT, CACHE_FOLDER, STRICT } from "../conformance/c-host-build.ts";
import type { BenchTable } from "./bench.ts";
import { BenchError } from "./bench-error.ts";

/** One build of the MACs of a link. */
export interface MacPlan {
  readonly board: BoardName;
  readonly core: string;
  readonly optimize: "size" | "speed";
}

/** What MACs take on a core. */
export interface MacFigures {
  readonly plan: MacPlan;
  readonly flashBytes: number;
  /** Of the module's memory, and the most of the stack that was in use. */
  readonly memoryBytes: number;
  readonly stackBytes: number;
  readonly ramBytes: number;
  /** Instructions: both keys of a boot; a frame of {@link TYPICAL_BYTES}; an ack heard. */
  readonly boot: number;
  readonly seal: number;
  readonly open: number;
  /** First 4 bytes of the MAC of the frame, for a test. */
  readonly mac: number;
}

/** Cores that are measured. */
export const MAC_PLANS: readonly MacPlan[] = [
  { board: "mps2-an386", core: "Cortex-M4", optimize: "size" },
  { board: "mps2-an386", core: "Cortex-M4", optimize: "speed" },
  { board: "riscv32-virt", core: "RV32IMC", optimize: "speed" },
  { board: "cortex-m0", core: "Cortex-M0", optimize: "size" },
];
/** Of a frame that a rotor sends, with its checksum; and of the shortest ack. */
export const TYPICAL_BYTES = 256;
const ACK_BYTES = 20;
/** What the module declares that it needs, with a little to spare. */
const MEMORY_BYTES = 512;
const TIMEOUT_MS = 60_000;

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** What the program is given. @param lengths  of its frames, which are counted bytes */
export function macInput(key: Uint8Array, lengths: readonly number[]): Buffer {
  const u32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  return Buffer.concat([key, u32(lengths.length), ...lengths.flatMap((length) => [u32(length), macFrame(length)])]);
}

/** A frame as the program gets it. */
export function macFrame(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => i & 0xff));
}

/** Build the program. */
export function buildMac({ board, optimize }: MacPlan): Promise<Firmware> {
  return build(readFileSync(new URL("../../edge-sdk/build/mac.wasm", import.meta.url)), {
    board,
    cacheFolder: CACHE_FOLDER,
    optimize,
    checks: "none",
    memoryBytes: MEMORY_BYTES,
    memoryPlace: "inside",
    program: {
      sources: ["firmware-mac.c", "firmware-tally.c", "../conformance/json-line.c"].map(here),
      includes: [here("."), here("../conformance"), BOARD_SUPPORT],
      flags: [...STRICT],
    },
  });
}

/** Build and measure. @throws {BenchError} `no-answer`, `no-compiler` */
export async function measureMac(plan: MacPlan): Promise<MacFigures> {
  process.stderr.write(`firmware: ${plan.core}, MACs of a link\n`);
  const firmware = await buildMac(plan).catch((error: unknown) => {
    if (!(error instanceof RunnerError) || error.code !== "missing-tool") throw error;
    throw new BenchError("no-compiler", error.facts);
  });
  const key = Buffer.alloc(32, 7);
  const typical = await answer(firmware, macInput(key, [TYPICAL_BYTES]));
  const ack = await answer(firmware, macInput(key, [ACK_BYTES]));
  const parts = firmware.sizes?.parts;
  if (parts === undefined || parts === null) throw new BenchError("no-answer", { board: plan.board, missing: "map" });
  const { codeBytes, constantBytes, dataBytes } = parts.module;
  const [memoryBytes = Number.NaN, stackBytes = Number.NaN] = [typical.memoryBytes, typical.stackBytes];
  return {
    plan,
    flashBytes: codeBytes + constantBytes + dataBytes,
    memoryBytes,
    stackBytes,
    ramBytes: memoryBytes + stackBytes,
    boot: typical.boot ?? Number.NaN,
    seal: typical.sealMax ?? Number.NaN,
    open: ack.openMax ?? Number.NaN,
    mac: typical.mac ?? Number.NaN,
  };
}

async function answer(firmware: Firmware, input: Buffer): Promise<Record<string, number>> {
  const { exitCode, output } = await run(firmware, { input, counting: true, timeoutMs: TIMEOUT_MS });
  if (exitCode !== 0) throw new BenchError("no-answer", { board: firmware.board, exitCode: exitCode ?? "none" });
  return JSON.parse(output.toString()) as Record<string, number>;
}

/** Every core. */
export function macTable(measured: readonly MacFigures[]): BenchTable {
  return {
    title: `MACs on a link: a frame of ${TYPICAL_BYTES} B up, an ack of ${ACK_BYTES} B down`,
    columns: [
      "core",
      "flash, B",
      "memory, B",
      "stack, B",
      "a boot's keys, instructions",
      "a frame sealed, instructions",
      "an ack opened, instructions",
    ],
    rows: measured.map(({ plan, flashBytes, memoryBytes, stackBytes, boot, seal, open }) => [
      `${plan.core}, ${plan.optimize === "size" ? "-Os" : "-O2"}`,
      flashBytes,
      memoryBytes,
      stackBytes,
      boot,
      seal,
      open,
    ]),
  };
}

/** How the table is made. */
export const MAC_NOTE =
  "MACs: `mac.wasm` as C, unchecked, memory in the instance, driven in pieces as `sealed-link.c` does. They come once a frame, not once a sample, and in the rest between two samples; `sealed-link.c` itself takes some 200 B of flash more. The stack is the most that was in use, with the frames of the program that measures.";
