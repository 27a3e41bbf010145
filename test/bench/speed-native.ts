import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CodecConfig } from "@lockstep/edge-sdk/core";
import { findProgram, osPackage } from "../../scripts/os-packages.js";
import { BenchError } from "./bench-error.ts";

/** What one run over a whole signal took, and what came of it. */
export interface SpeedRun {
  /** By the clock; processor time in Node comes in whole ticks, too coarse here. */
  readonly ns: number;
  readonly payloadBytes: number;
  readonly stateHash: number;
}

/** A signal in sample units, and how it is cut. */
export interface SpeedJob {
  readonly config: CodecConfig;
  readonly stateBytes: number;
  /** Shape (rows, channels). */
  readonly samples: Int32Array;
  readonly frameRows: number;
}

/** Ways to compile the C that wasm2c makes of the module. */
export const NATIVE_BUILDS = {
  "gcc -O2": ["-O2"],
  "gcc -O3": ["-O3"],
  /** Memory accesses are not checked, as in an engine that guards its pages. */
  "gcc -O3, unchecked": ["-O3", "-DWASM_RT_MEMCHECK_GUARD_PAGES=1"],
} as const;

const ANSWER_BYTES = 16;
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const BOARD_SUPPORT = here("../../firmware-examples/board-support");
const C_FLAGS = ["-std=gnu99", "-DNDEBUG", "-fno-strict-aliasing", "-w"];

/** The batch module as native programs, one for each of `NATIVE_BUILDS`; `remove` deletes them. */
export interface NativePrograms {
  readonly files: ReadonlyMap<string, string>;
  remove(): void;
}

/**
 * Translate the module with wasm2c and compile it.
 *
 * @throws {BenchError} `no-compiler`, and `no-answer` with what a tool said
 */
export function buildNative(wasm: Uint8Array): NativePrograms {
  const compiler = findProgram(osPackage("c-compiler"));
  if (compiler === undefined) throw new BenchError("no-compiler", { looked: "gcc" });
  const folder = mkdtempSync(join(tmpdir(), "lockstep-speed-"));
  const remove = () => rmSync(folder, { recursive: true });
  try {
    return { files: compileAll(compiler, folder, wasm), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function compileAll(compiler: string, folder: string, wasm: Uint8Array): Map<string, string> {
  const module = join(folder, "core.wasm");
  const source = join(folder, "core.c");
  writeFileSync(module, wasm);
  const wasm2c = fileURLToPath(import.meta.resolve("wabt/bin/wasm2c"));
  runTool(process.execPath, [wasm2c, module, "-n", "core", "-o", source]);
  const sources = [source, join(BOARD_SUPPORT, "wasm-rt.c"), here("speed-native.c")];
  const files = Object.entries(NATIVE_BUILDS).map(([name, flags], i): [string, string] => {
    const file = join(folder, `native-${i}`);
    runTool(compiler, [...C_FLAGS, ...flags, `-I${folder}`, `-I${BOARD_SUPPORT}`, "-o", file, ...sources]);
    return [name, file];
  });
  return new Map(files);
}

function runTool(command: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new BenchError("no-answer", { command, said: stderr.trim() });
}

/** A native program at work on one job. */
export class NativeCodec {
  readonly #child: ChildProcessWithoutNullStreams;
  #waiting: ((answer: Buffer) => void) | undefined;
  #heard = Buffer.alloc(0);

  constructor(file: string, { config, stateBytes, samples, frameRows }: SpeedJob) {
    this.#child = spawn(file, { stdio: "pipe" });
    this.#child.stdout.on("data", (chunk: Buffer) => {
      this.#heard = Buffer.concat([this.#heard, chunk]);
      if (this.#heard.length < ANSWER_BYTES) return;
      const answer = this.#heard.subarray(0, ANSWER_BYTES);
      this.#heard = this.#heard.subarray(ANSWER_BYTES);
      this.#waiting?.(answer);
    });
    const { bytes, coldState, channels } = config;
    const numbers = [bytes.length, coldState.length, stateBytes, channels, samples.length / channels, frameRows];
    this.#child.stdin.write(new Uint8Array(Uint32Array.from(numbers).buffer));
    this.#child.stdin.write(bytes);
    this.#child.stdin.write(coldState);
    this.#child.stdin.write(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
  }

  /**
   * Encode everything from the cold state, or decode what was encoded last.
   *
   * @throws {BenchError} `no-answer` when the program ended
   */
  async run(direction: "encode" | "decode"): Promise<SpeedRun> {
    const answer = await new Promise<Buffer>((resolve, reject) => {
      this.#waiting = resolve;
      this.#child.once("exit", (code) => reject(new BenchError("no-answer", { native: "ended", code: code ?? -1 })));
      this.#child.stdin.write(direction === "encode" ? "E" : "D");
    });
    this.#child.removeAllListeners("exit");
    return {
      ns: Number(answer.readBigUInt64LE(0)),
      payloadBytes: answer.readUInt32LE(8),
      stateHash: answer.readUInt32LE(12),
    };
  }

  end(): void {
    this.#child.stdin.end();
  }
}
