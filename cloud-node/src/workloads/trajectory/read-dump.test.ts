import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { fileInput, streamInput } from "./dump-input.ts";
import { content, headOf, parseGoodDump } from "./dump-text.suite.ts";
import type { TrajectoryFrame } from "./frame.ts";
import { readDump } from "./read-dump.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "lockstep-dump-"));
afterAll(() => rmSync(FOLDER, { recursive: true }));

function fileOf(name: string, bytes: string | Uint8Array): string {
  const path = join(FOLDER, name);
  writeFileSync(path, bytes);
  return path;
}

/** Dump of frames of different sizes, none of them like another. */
function dumpOf(frames: number, start = 0): string {
  return Array.from({ length: frames }, (_, f) => {
    const atoms = 50 * (f % 4);
    const rows = Array.from({ length: atoms }, (_, i) => `${i + 1} ${start + f}.${i} ${i % 2 ? "C" : "H"}\n`);
    return headOf("id x element", { step: String(start + f), atoms: String(atoms) }) + rows.join("");
  }).join("");
}

async function readAll(...inputs: Parameters<typeof readDump>): Promise<{ frames: TrajectoryFrame[]; error: unknown }> {
  const frames: TrajectoryFrame[] = [];
  try {
    for await (const frame of readDump(...inputs)) frames.push(frame);
  } catch (error) {
    return { frames, error };
  }
  return { frames, error: undefined };
}

test("several files, each in its own compression, and a stream are one trajectory", async () => {
  const inputs = [
    fileInput(fileOf("a.dump", dumpOf(5))),
    fileInput(fileOf("b.dump.gz", gzipSync(dumpOf(6, 5)))),
    fileInput(fileOf("c.dump.zst", zstdCompressSync(dumpOf(7, 11)))),
    streamInput("standard input", Readable.from([Buffer.from(dumpOf(8, 18))])),
  ];
  let stored = 0;
  const { frames, error } = await readAll(inputs, {
    onBytes: (bytes) => {
      stored += bytes;
    },
  });
  expect(error).toBeUndefined();
  expect(frames.map(content)).toEqual(
    [5, 6, 7, 8].flatMap((n, i) => parseGoodDump(dumpOf(n, [0, 5, 11, 18][i]))).map(content),
  );
  expect(frames.map(({ step }) => Number(step))).toEqual(Array.from({ length: 26 }, (_, i) => i));
  expect(new Set(frames.map(({ source }) => source?.file)).size).toBe(4);
  expect(stored).toBe(
    dumpOf(5).length + gzipSync(dumpOf(6, 5)).length + zstdCompressSync(dumpOf(7, 11)).length + dumpOf(8, 18).length,
  );
});

test("a file that was cut ends the trajectory behind its last whole frame, with its name, line and byte", async () => {
  const text = dumpOf(9);
  const whole = parseGoodDump(text).map(content);
  const cut = text.length - 5;
  const path = fileOf("cut.dump", text.slice(0, cut));
  const { frames, error } = await readAll([fileInput(path), fileInput(fileOf("next.dump", text))]);
  expect(frames.map(content)).toEqual(whole.slice(0, 8));
  expect(error).toMatchObject({ code: "truncated", place: { file: path, byte: cut, line: expect.any(Number) } });
});

test.each([
  ["gzip", gzipSync],
  ["zstd", zstdCompressSync],
] as const)("of a file whose %s data was cut, every whole frame is kept", async (name, compress) => {
  const text = dumpOf(400);
  const packed = compress(text);
  const path = fileOf(`cut.${name}`, packed.subarray(0, packed.length - 10));
  const { frames, error } = await readAll([fileInput(path)]);
  expect(frames.length).toBeGreaterThan(300);
  expect(frames.map(content)).toEqual(parseGoodDump(text).slice(0, frames.length).map(content));
  expect(error).toMatchObject({ code: "truncated", place: { file: path } });
  const { line, byte } = (error as { place: { line: number; byte: number } }).place;
  expect(line).toBeGreaterThan(9 * frames.length);
  expect(byte).toBeGreaterThan((frames.at(-1)?.source?.byte ?? 0) + (frames.at(-1)?.source?.bytes ?? 0) - 1);
});

test.each([
  ["no-file", () => join(FOLDER, "nowhere.dump")],
  ["unreadable", () => FOLDER],
  ["no-frame", () => fileOf("empty.dump", "")],
  ["no-frame", () => fileOf("empty.gz", gzipSync(""))],
  ["bad-header", () => fileOf("other.txt", "something else\n")],
  ["bad-compression", () => fileOf("bad.gz", Buffer.from([0x1f, 0x8b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]))],
] as const)("%s is said of a file that is it", async (code, make) => {
  const path = make();
  const { error } = await readAll([fileInput(path)]);
  expect(error).toMatchObject({ code, place: { file: path } });
});

test("whoever has seen enough may stop, and the file is closed", async () => {
  const path = fileOf("long.dump.gz", gzipSync(dumpOf(3000)));
  let isClosed = false;
  const input = fileInput(path);
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* input.bytes();
    } finally {
      isClosed = true;
    }
  }
  for await (const frame of readDump([{ name: path, bytes: watched }])) {
    if (frame.step === 3n) break;
  }
  expect(isClosed).toBe(true);
});
