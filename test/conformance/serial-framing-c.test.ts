import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeSerialFrame, SerialDeframer } from "@lockstep/protocol";
import { seededRandom } from "@lockstep/sim";
import { afterAll, beforeAll, expect, test } from "vitest";
import { programPath, requires } from "../os-package.ts";
import { STRICT } from "./c-host-build.ts";
import { serialVectors } from "./serial-vectors.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const BOARD_SUPPORT = here("../../firmware-examples/board-support");
const SEED = 7;
const LARGEST = 65_535;
const CHECKSUM_BYTES = 2;
/** SERIAL_CUT_SHORT to SERIAL_BAD_CHECKSUM of serial-framing.h. */
const DAMAGE: Readonly<Record<number, string>> = {
  [-1]: "cut-short",
  [-2]: "too-short",
  [-3]: "too-long",
  [-4]: "bad-checksum",
};

requires("c-compiler")("board-support/serial-framing.c beside protocol/src/serial-framing.ts", () => {
  let folder = "";
  let program = "";

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "serial-framing-"));
    program = join(folder, "host");
    const sources = [join(BOARD_SUPPORT, "serial-framing.c"), here("serial-framing-host.c")];
    const flags = ["-std=c11", "-O2", ...STRICT, "-I", BOARD_SUPPORT];
    execFileSync(programPath("c-compiler"), [...flags, ...sources, "-o", program]);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What the C encoder writes. */
  function encode(frames: readonly Uint8Array[]): Buffer {
    const input = frames.flatMap((frame) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(frame.length);
      return [length, frame];
    });
    return execFileSync(program, ["encode"], { input: Buffer.concat(input), maxBuffer: 1 << 26 });
  }

  /** What the C reader finds: frames, and pieces left out by reason. */
  function decode(line: Uint8Array, capacity = LARGEST + CHECKSUM_BYTES) {
    const output = execFileSync(program, ["decode", String(capacity)], { input: line, maxBuffer: 1 << 26 });
    const frames: string[] = [];
    const damaged: Record<string, number> = {};
    for (let at = 0; at < output.length; ) {
      const found = output.readInt32LE(at);
      at += 4;
      if (found > 0) frames.push(output.toString("hex", at, at + found));
      else damaged[DAMAGE[found] ?? found] = (damaged[DAMAGE[found] ?? found] ?? 0) + 1;
      at += Math.max(0, found);
    }
    return { frames, damaged };
  }

  /** The same of the reader in TypeScript. */
  function decodeHere(line: Uint8Array) {
    const deframer = new SerialDeframer();
    const frames = deframer.push(line).map(hex);
    return { frames, damaged: Object.fromEntries(Object.entries(deframer.damaged).filter(([, count]) => count > 0)) };
  }

  test.for(serialVectors())("$name: reads the golden line, and writes it", ({ line, frames, damaged, isWhole }) => {
    expect(decode(line)).toEqual({ frames: frames.map(hex), damaged });
    if (isWhole) expect(encode(frames).equals(line)).toBe(true);
  });

  test("both write the same line for the same frames, up to the longest, and read each other's", () => {
    const frames = [...randomFrames(300), new Uint8Array(LARGEST), new Uint8Array(LARGEST).fill(9)];
    const line = Buffer.concat(frames.map(encodeSerialFrame));
    expect(encode(frames).equals(line)).toBe(true);
    expect(decode(line)).toEqual({ frames: frames.map(hex), damaged: {} });
    expect(decodeHere(encode(frames))).toEqual({ frames: frames.map(hex), damaged: {} });
  });

  test("both find the same in a line full of damage", () => {
    const random = seededRandom(SEED);
    const below = (limit: number) => Math.floor(limit * random.uniform());
    const line = Buffer.concat(randomFrames(2_000).map(encodeSerialFrame));
    for (let n = 0; n < 3_000; n += 1) {
      const at = below(line.length);
      line[at] = below(3) === 0 ? 0 : (line[at] ?? 0) ^ (1 << below(8));
    }
    const found = decode(line);
    expect(found).toEqual(decodeHere(line));
    expect(found.frames.length).toBeGreaterThan(500);
    expect(Object.keys(found.damaged).sort()).toEqual(["bad-checksum", "cut-short", "too-short"]);
  });

  test("neither takes anything from bytes that nobody framed", () => {
    const random = seededRandom(SEED);
    const noise = Uint8Array.from({ length: 200_000 }, () => Math.floor(256 * random.uniform()));
    expect(decode(noise)).toEqual(decodeHere(noise));
  });

  test("a frame that does not fit the buffer is left out, nothing is written behind it, and the next one is read", () => {
    const lines = [20, 21, 400, 20].map((length) => encodeSerialFrame(new Uint8Array(length).fill(length & 0xff)));
    const found = decode(Buffer.concat(lines), 20 + CHECKSUM_BYTES);
    const fits = hex(new Uint8Array(20).fill(20));
    expect(found).toEqual({ frames: [fits, fits], damaged: { "too-long": 2 } });
  });

  test("what cannot be a frame is not written, and a line that takes no more is told", () => {
    // The program checks both, and says so by its exit code.
    expect(encode([new Uint8Array(0), new Uint8Array(LARGEST + 1), Uint8Array.of(1)]).length).toBe(5);
  });
});

/** Frames of few different bytes, so that runs without zeros of every length appear. */
function randomFrames(count: number): Uint8Array[] {
  const random = seededRandom(SEED);
  return Array.from({ length: count }, () => {
    const bytes = 1 + Math.floor(600 * random.uniform() ** 2);
    const values = 2 + Math.floor(300 * random.uniform() ** 2);
    return Uint8Array.from({ length: bytes }, () => Math.floor(values * random.uniform()));
  });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
