import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { shippedCodec } from "../../cli/device-module.ts";
import { SeededRandom } from "../../test-device.suite.ts";
import { decodeFile } from "./decode-file.ts";
import { encodeFile } from "./encode-file.ts";
import { parseEpsSpec } from "./eps-spec.ts";

const SEED = 20_261;
const MUTATIONS = 10_000;
const SILENT = { stage() {}, update() {}, finishing() {} };
const codec = shippedCodec();
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lockstep-containers-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A small container of a random walk. */
async function container(name: string, rows: number, random: SeededRandom): Promise<Buffer> {
  let level = 0;
  const lines = Array.from({ length: rows }, () => {
    level += random.below(21) - 10;
    return `${(level / 100).toFixed(2)},${random.below(100)}`;
  });
  const input = join(folder, `${name}.csv`);
  await writeFile(input, `x,y\n${lines.join("\n")}\n`);
  const output = `${input}.lst`;
  const eps = parseEpsSpec("0.02", "absolute");
  const request = { input, output, eps, codec, lookahead: "programme", progress: SILENT } as const;
  await encodeFile({ ...request, signal: new AbortController().signal });
  return readFile(output);
}

async function decode(bytes: Uint8Array): Promise<{ text: string; error: unknown }> {
  const input = join(folder, "mutated.lst");
  await writeFile(input, bytes);
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  const codecOf = (model: string) => (model === codec.model ? codec : undefined);
  const signal = new AbortController().signal;
  const error = await decodeFile({ input, stream, format: undefined, codecOf, progress: SILENT, signal }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { text: Buffer.concat(chunks).toString(), error };
}

type Mutate = (bytes: Buffer, other: Buffer, random: SeededRandom) => Uint8Array;

const MUTATE: Readonly<Record<string, Mutate>> = {
  "bit flip": (bytes, _, random) => flipped(bytes, random.below(8 * bytes.length)),
  "three bit flips": (bytes, _, random) =>
    [1, 2, 3].reduce((spoilt: Uint8Array) => flipped(spoilt, random.below(8 * bytes.length)), bytes),
  "another byte": (bytes, _, random) => {
    const at = random.below(bytes.length);
    return Uint8Array.from(bytes).with(at, (bytes[at] ?? 0) ^ (1 + random.below(255)));
  },
  "four bytes of ones": (bytes, _, random) => {
    const at = random.below(bytes.length - 4);
    return Uint8Array.from(bytes).fill(0xff, at, at + 4);
  },
  truncation: (bytes, _, random) => bytes.subarray(0, random.below(bytes.length)),
  extension: (bytes, _, random) =>
    Uint8Array.from([...bytes, ...Array.from({ length: 1 + random.below(20) }, () => random.below(256))]),
  deletion: (bytes, _, random) => {
    const at = random.below(bytes.length);
    return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 1 + random.below(16))]);
  },
  insertion: (bytes, _, random) => {
    const at = random.below(bytes.length);
    return Uint8Array.from([...bytes.subarray(0, at), random.below(256), ...bytes.subarray(at)]);
  },
  "splice with another container": (bytes, other, random) => {
    const at = random.below(Math.min(bytes.length, other.length));
    return Uint8Array.from([...bytes.subarray(0, at), ...other.subarray(at)]);
  },
};

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  return Uint8Array.from(bytes).with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
}

test(`${MUTATIONS} seeded mutations of a container are refused with a TelemetryError, and nothing wrong is given before`, {
  timeout: 120_000,
}, async () => {
  const random = new SeededRandom(SEED);
  const [bytes, other] = [await container("one", 60, random), await container("other", 70, random)];
  const [{ text: right, error }, { text: otherRight }] = [await decode(bytes), await decode(other)];
  expect(error).toBeUndefined();
  const names = Object.keys(MUTATE);
  const codes = new Map<string, number>();
  for (let i = 0; i < MUTATIONS; i++) {
    const name = names[i % names.length] ?? "";
    const spoilt = MUTATE[name]?.(bytes, other, random) ?? bytes;
    if (bytes.equals(spoilt) || other.equals(spoilt)) continue;
    const { text, error: refusal } = await decode(spoilt);
    const place = `seed ${SEED}, mutation ${i}: ${name}`;
    expect(refusal, place).toMatchObject({ name: "TelemetryError" });
    expect(right.startsWith(text) || otherRight.startsWith(text), place).toBe(true);
    const code = typeof refusal === "object" && refusal !== null && "code" in refusal ? String(refusal.code) : "";
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  const refused = [...codes.values()].reduce((sum, count) => sum + count, 0);
  expect(refused).toBeGreaterThan(0.98 * MUTATIONS);
  expect(codes.size).toBeGreaterThan(3);
});
