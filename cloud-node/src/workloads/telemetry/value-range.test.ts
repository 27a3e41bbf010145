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
  await writeFile(input.replace(/f32$/, "json"), kind === "f32" ? '{"channels": ["x"]}' : "");
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
