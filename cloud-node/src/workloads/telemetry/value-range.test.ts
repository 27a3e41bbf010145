import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { shippedCodec } from "../../cli/device-module.ts";
import { SeededRandom } from "../../test-device.suite.ts";
import { decodeFile } from "./decode-file.ts";
import { encodeFile } from "./encode-file.ts";
import { parseEpsSpec } from "./eps-spec.ts";
import { SINK_FORMATS, type SinkFormat } from "./row-sink.ts";
import { TelemetryError } from "./telemetry-error.ts";

const SEED = 41;
const SILENT = { stage() {}, update() {}, finishing() {} };
const SOURCES = ["csv", "f32"] as const;
const codec = shippedCodec();
let folder = "";
let files = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lockstep-ranges-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Encode one channel x of these cells, and say what went in as numbers. */
async function encode(kind: (typeof SOURCES)[number], texts: readonly string[], eps: string) {
  const input = join(folder, `${files++}.${kind}`);
  const floats = Float32Array.from(texts, Number);
  await writeFile(input, kind === "csv" ? `x\n${texts.join("\n")}\n` : new Uint8Array(floats.buffer));
  await writeFile(input.replace(/\.\w+$/, ".json"), '{"channels": ["x"]}');
  const output = `${input}.lst`;
  const request = { input, output, eps: parseEpsSpec(eps, "absolute"), codec, lookahead: "programme" } as const;
  const summary = await encodeFile({ ...request, progress: SILENT, signal: new AbortController().signal });
  return { output, summary, values: kind === "csv" ? texts.map(Number) : [...floats] };
}

/** What a user of the decoded file reads, in float64. */
async function decode(input: string, format: SinkFormat): Promise<number[]> {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  const signal = new AbortController().signal;
  await decodeFile({ input, stream, format, codecOf: () => codec, progress: SILENT, signal });
  const bytes = Buffer.concat(chunks);
  if (format === "f32") return [...new Float32Array(Uint8Array.from(bytes).buffer)];
  return bytes.toString().trimEnd().split("\n").slice(1).map(Number);
}

function largest(a: readonly number[], b: readonly number[]): number {
  expect(a).toHaveLength(b.length);
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - (b[i] ?? Number.NaN))), 0);
}

test.each(SOURCES)("a channel that is always 0 keeps any bound: %s", async (kind) => {
  for (const eps of ["0", "1e-6", "0.1", "100"]) {
    const { output, values } = await encode(kind, new Array(50).fill("0"), eps);
    for (const format of SINK_FORMATS) expect(await decode(output, format)).toEqual(values);
  }
});

/** Recordings that strain float32, decimals, offsets or the lattice. */
const SHAPES: Readonly<Record<string, (random: SeededRandom, row: number) => string>> = {
  "small changes far from 0": (random) => (1e7 + random.below(100_000) / 1000).toFixed(3),
  "a lattice of cents": (random) => ((random.below(20_000) - 10_000) / 100).toFixed(2),
  "a lattice far from 0": (random) => (1e6 + random.below(500) / 10).toFixed(1),
  noise: (random) => String((random.uint32() / 2 ** 32 - 0.5) * 20),
  "large values": (random) => String((random.uint32() - 2 ** 31) * 1e20),
  "tiny values": (random) => String(random.uint32() * 1e-30),
  "one value": () => "123456.789",
};

test.each(SOURCES.flatMap((source) => SINK_FORMATS.map((format) => [source, format] as const)))(
  `a %s recording decoded as %s is within its bound in float64, or refused by name; seed ${SEED}`,
  async (source, format) => {
    const random = new SeededRandom(SEED);
    let kept = 0;
    for (const [shape, cell] of Object.entries(SHAPES)) {
      const texts = Array.from({ length: 400 }, (_, row) => cell(random, row));
      for (const eps of ["0", "1e-6", "0.001", "0.004", "0.1", "3", "1e25"]) {
        const place = `${shape}, eps ${eps}`;
        try {
          const { output, values } = await encode(source, texts, eps);
          expect(largest(await decode(output, format), values), place).toBeLessThanOrEqual(Number(eps));
          kept += 1;
        } catch (error) {
          if (!(error instanceof TelemetryError)) throw error;
          expect(["eps-too-fine", "float32-loss"], place).toContain(error.code);
          expect(error.facts.channel, place).toBe("x");
          expect(error.message, place).not.toContain("codec:");
        }
      }
    }
    expect(kept).toBeGreaterThan(20);
  },
);

test("float32 that would lose more than eps leaves is refused, with what it loses and what to do", async () => {
  const texts = Array.from({ length: 100 }, (_, row) => (1e7 + row / 7).toFixed(3));
  const { output } = await encode("csv", texts, "0.1");
  await expect(decode(output, "f32")).rejects.toThrow(/channel x, sample \d+: float32 would lose .* --format csv$/);
});

test.each(SOURCES)("a bound beyond all values makes everything quiet: %s", async (kind) => {
  const texts = Array.from({ length: 2000 }, (_, row) => String((row * 7919) % 1000));
  for (const eps of ["1e5", "1e100", "1e300"]) {
    const { output, summary, values } = await encode(kind, texts, eps);
    expect(summary.bitsPerSample).toBeLessThan(6);
    expect(largest(await decode(output, "csv"), values)).toBeLessThanOrEqual(Number(eps));
  }
});

test("values that no unit is large enough for are refused with value, limit and what to do", async () => {
  for (const texts of [
    ["1", "1e300"],
    ["1", "-1e308", "1e308"],
    ["1e80", "1e80"],
  ]) {
    const refused = encode("csv", texts, "0.1");
    await expect(refused).rejects.toThrow(/^telemetry: channel x holds -?1e\+\d+, beyond the limit of .*: scale it/);
  }
});

test("values about 1e15 are coded, or their bound refused in words of the recording", async () => {
  const texts = Array.from({ length: 300 }, (_, row) => (1e15 + row * 0.5).toFixed(1));
  const { output, values } = await encode("csv", texts, "2");
  expect(largest(await decode(output, "csv"), values)).toBeLessThanOrEqual(2);
  await expect(encode("csv", texts, "0.01")).rejects.toThrow(/channel x cannot keep eps 0.01: .* larger eps/);
});
