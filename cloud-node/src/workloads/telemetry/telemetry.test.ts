import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { shippedCodec } from "../../cli/device-module.ts";
import type { TelemetryCodec } from "./block-codec.ts";
import { decodeFile } from "./decode-file.ts";
import { type EncodeRequest, encodeFile } from "./encode-file.ts";
import { parseEpsSpec } from "./eps-spec.ts";
import type { SinkFormat } from "./row-sink.ts";

const SILENT = { stage() {}, update() {}, finishing() {} };
let folder = "";
let codec: TelemetryCodec;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lockstep-telemetry-"));
  codec = shippedCodec();
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

function encode(input: string, eps: string, more: Partial<EncodeRequest> = {}) {
  const request = { input, output: `${input}.lst`, eps: parseEpsSpec(eps, "absolute"), codec, progress: SILENT };
  return encodeFile({ ...request, lookahead: "programme", signal: new AbortController().signal, ...more });
}

async function decode(input: string, format?: SinkFormat): Promise<{ text: string; bytes: Buffer; error: unknown }> {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  const error = await decodeFile({
    input,
    stream,
    format,
    codecOf: (model) => (model === codec.model ? codec : undefined),
    progress: SILENT,
    signal: new AbortController().signal,
  }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const bytes = Buffer.concat(chunks);
  return { text: bytes.toString(), bytes, error };
}

/** Numbers that repeat for a seed: a linear congruential generator is random enough to shake a codec. */
function noise(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

function csvOf(rows: number, columns: number, cell: (row: number, column: number) => string): string {
  const head = Array.from({ length: columns }, (_, column) => `c${column}`).join(",");
  const lines = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => cell(row, column)).join(","),
  );
  return `${[head, ...lines].join("\n")}\n`;
}

function cells(text: string): string[][] {
  return text
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","));
}

describe("a recording that was encoded and decoded", () => {
  test.each(["0.5", "0.05", "0.003", "1e-4"])(
    "differs by no more than eps %s in any cell of a CSV file",
    async (eps) => {
      const random = noise(7);
      const input = await file(
        `bound-${eps}.csv`,
        csvOf(3000, 5, (row, c) => String(Math.sin(row / (9 + c)) * 10 ** c + random())),
      );
      const summary = await encode(input, eps);
      expect(summary.maxErrorOverEps).toBeLessThanOrEqual(1);
      const [original, decoded] = [cells(await readFile(input, "utf8")), cells((await decode(`${input}.lst`)).text)];
      expect(decoded).toHaveLength(3000);
      const worst = decoded.flatMap((line, row) =>
        line.map((cell, c) => Math.abs(Number(cell) - Number(original[row]?.[c]))),
      );
      expect(Math.max(...worst)).toBeLessThanOrEqual(Number(eps));
    },
  );

  test("is the same text where eps is 0", async () => {
    const random = noise(3);
    const text = csvOf(2000, 3, (row, c) =>
      (Math.cos(row / 40) * 50 + random()).toFixed(c + 1).replace(/^-(0\.0+)$/, "$1"),
    );
    const input = await file("lossless.csv", text);
    await encode(input, "0");
    expect((await decode(`${input}.lst`)).text).toBe(text);
  });

  test("is the same float32 where eps is 0", async () => {
    const random = noise(5);
    const values = Float32Array.from({ length: 6000 }, (_, i) => Math.round(random() * 4000 + i / 10) / 64);
    const input = await file("lossless.f32", new Uint8Array(values.buffer));
    await file("lossless.json", JSON.stringify({ channels: ["a", "b", "c"], rate_hz: 50 }));
    await encode(input, "0");
    expect((await decode(`${input}.lst`)).bytes.equals(Buffer.from(values.buffer))).toBe(true);
  });

  test("keeps to the lattice of its converter, so that a bound below one step costs no more than no error", async () => {
    const random = noise(5);
    const values = Float32Array.from({ length: 4000 }, () => 0.005 * Math.round(400 * random() - 200) + 0);
    const input = await file("lattice.f32", new Uint8Array(values.buffer));
    await file("lattice.json", '{"channels": ["lead"]}');
    const summary = await encode(input, "0.001");
    expect(summary.maxErrorOverEps).toBe(0);
    expect(summary.bitsPerSample).toBeLessThan(Math.log2(400) + 1.2); // without it some log2(2 / 0.002) + 1.2
    const { bytes } = await decode(`${input}.lst`);
    expect(new Float32Array(new Uint8Array(bytes).buffer)).toEqual(values);
  });

  test("is within its bound where some readings are off the lattice that the others are on", async () => {
    const random = noise(6);
    const values = Float32Array.from({ length: 9000 }, () => 0.005 * Math.round(400 * random() - 200) + 0);
    values[4001] = 0.0123;
    const input = await file("off-lattice.f32", new Uint8Array(values.buffer));
    await file("off-lattice.json", '{"channels": ["lead"]}');
    const summary = await encode(input, "0.001");
    expect(summary.maxErrorOverEps).toBeGreaterThan(0);
    const { bytes } = await decode(`${input}.lst`);
    const decoded = new Float32Array(new Uint8Array(bytes).buffer);
    expect(decoded).toHaveLength(values.length);
    for (const [i, value] of values.entries()) expect(Math.abs(value - (decoded[i] ?? 0))).toBeLessThanOrEqual(0.001);
  });

  test("has its missing readings where they were", async () => {
    const text = csvOf(500, 3, (row, c) => ((row * 7 + c * 3) % 11 === 0 ? "" : String(row + c)));
    const input = await file("missing.csv", text);
    await encode(input, "0");
    expect((await decode(`${input}.lst`)).text).toBe(text);
  });

  test("is smaller the farther the encoder looks ahead, and within its bound all the same", async () => {
    const random = noise(7);
    let level = 0;
    let slope = 0;
    const rows = Array.from({ length: 20_000 }, () => {
      if (random() < -0.49) slope = random() < 0 ? 0 : random();
      level += slope;
      return (level + random() / 2).toFixed(4);
    });
    const input = await file("ramps.csv", `x\n${rows.join("\n")}\n`);
    const [none = 0, greedy = 0, programme = 0] = await Promise.all(
      (["none", "greedy", "programme"] as const).map(async (lookahead) => {
        const output = join(folder, `ramps-${lookahead}.lst`);
        const summary = await encode(input, "0.5", { lookahead, output });
        expect(summary.maxErrorOverEps).toBeLessThanOrEqual(1);
        const { text, error } = await decode(output);
        expect(error).toBeUndefined();
        expect(text.split("\n").length).toBe(rows.length + 2);
        return summary.outputBytes;
      }),
    );
    expect(greedy).toBeLessThan(none);
    expect(programme).toBeLessThan(greedy);
  });

  test("has more than sixteen channels, each within its bound", async () => {
    const random = noise(11);
    const input = await file(
      "wide.csv",
      csvOf(400, 37, (row, c) => (Math.sin(row / (3 + c)) + random()).toFixed(4)),
    );
    const summary = await encode(input, "0.01");
    expect(summary.channels).toBe(37);
    const decoded = cells((await decode(`${input}.lst`)).text);
    const original = cells(await readFile(input, "utf8"));
    const worst = decoded.flatMap((line, row) =>
      line.map((cell, c) => Math.abs(Number(cell) - Number(original[row]?.[c]))),
    );
    expect(Math.max(...worst)).toBeLessThanOrEqual(0.01);
  });

  test.each([
    ["an even step", (row: number) => (1000 + row / 100).toFixed(2)],
    ["an uneven step", (row: number) => (1000 + row / 100 + (row % 7) / 1000).toFixed(3)],
    [
      "dates",
      (row: number) => new Date(Date.UTC(2024, 0, 1) + row * 300_000).toISOString().replace("T", " ").slice(0, 19),
    ],
    [
      "dates with a gap",
      (row: number) => new Date(Date.UTC(2024, 0, 1) + (row + (row > 300 ? 50 : 0)) * 1500).toISOString(),
    ],
  ])("has its times character for character: %s", async (name, time) => {
    const text = `time,x\n${Array.from({ length: 900 }, (_, row) => `${time(row)},${row % 5}`).join("\n")}\n`;
    const input = await file(`times-${name.replaceAll(" ", "-")}.csv`, text);
    const summary = await encode(input, "0");
    expect(summary.timeEps).toBe(0);
    expect((await decode(`${input}.lst`)).text).toBe(text);
  });
});

describe("a container", () => {
  test("that was cut gives everything before the cut, and names block, byte and last good sample", async () => {
    const random = noise(1);
    const input = await file(
      "cut.csv",
      csvOf(40_000, 1, () => random().toFixed(3)),
    );
    const { blocks } = await encode(input, "0.001");
    expect(blocks).toBeGreaterThan(10);
    const whole = await readFile(`${input}.lst`);
    const { text: right } = await decode(`${input}.lst`);
    const cut = await file("cut.lst", whole.subarray(0, whole.length - 5000));
    const { text, error } = await decode(cut);
    const given = cells(text).length;
    expect(error).toMatchObject({
      name: "TelemetryError",
      code: "truncated",
      facts: { lastSample: given - 1 },
    });
    expect(right.startsWith(text)).toBe(true);
    // The noise costs the same everywhere, so rows are bytes: besides the cut at most a block is gone, some 2 kB.
    expect(given).toBeGreaterThan(40_000 * (1 - (5000 + 4096) / whole.length));
    expect(given).toBeLessThan(40_000 * (1 - 4500 / whole.length));
  });

  test("with any one byte changed is refused, and what is given before that is right", async () => {
    const random = noise(2);
    const input = await file(
      "flip.csv",
      csvOf(300, 2, () => random().toFixed(2)),
    );
    await encode(input, "0.02");
    const whole = await readFile(`${input}.lst`);
    const { text: right } = await decode(`${input}.lst`);
    const step = Math.max(1, Math.floor(whole.length / 150));
    let looked = 0;
    for (let at = 0; at < whole.length; at += step) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      const { text, error } = await decode(await file("flipped.lst", damaged));
      expect(error, `byte ${at}`).toMatchObject({ name: "TelemetryError" });
      expect(right.startsWith(text), `byte ${at}`).toBe(true);
      looked += 1;
    }
    expect(looked).toBeGreaterThan(100);
  });

  test("of an unknown codec model is refused by name", async () => {
    const input = await file(
      "model.csv",
      csvOf(10, 1, (row) => String(row)),
    );
    await encode(input, "0", { codec: { ...codec, model: "0".repeat(64) } });
    expect((await decode(`${input}.lst`)).error).toMatchObject({ code: "unknown-model" });
  });

  test("is not there when encoding failed", async () => {
    const input = await file("bad.csv", "a,b\n1,2\n3,x\n");
    await expect(encode(input, "0.1")).rejects.toMatchObject({ code: "bad-input", facts: { row: 2 } });
    await expect(stat(`${input}.lst`)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("is not there when encoding was interrupted", async () => {
    const input = await file("stop.csv", csvOf(10, 1, String));
    await expect(encode(input, "0", { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortError" });
    await expect(stat(`${input}.lst`)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

test.each([
  ["ax=0.1", 'channel "c1" has no bound'],
  ["c0=0.1,c9=1", 'no channel "c9"'],
])("a bound for other channels than there are is refused: %s", async (eps, problem) => {
  const input = await file("names.csv", csvOf(5, 2, String));
  await expect(encode(input, eps.replace("ax", "c0"))).rejects.toThrow(problem);
});

test("a bound that 32 bits of the channel's range cannot keep is refused, and the channel named", async () => {
  const input = await file("fine.csv", "a,b\n0.123456789,1\n100000.1,2\n");
  await expect(encode(input, "1e-9")).rejects.toMatchObject({ code: "eps-too-fine", facts: { channel: "a" } });
});

test.each(["inf", "-Infinity", "1e400"])("%s in a CSV file is refused with row and column", async (cell) => {
  const input = await file("infinite.csv", `a,b\n1,2\n3,${cell}\n`);
  await expect(encode(input, "0.1")).rejects.toThrow(
    `infinite.csv, row 2: "${cell}" in column "b" is no finite number`,
  );
});

test("an infinity in a float32 file is refused with row and channel, also behind the first batch", async () => {
  const values = new Float32Array(10_000);
  values[9001] = Number.NEGATIVE_INFINITY;
  const input = await file("infinite.f32", new Uint8Array(values.buffer));
  await file("infinite.json", '{"channels": ["a", "b"]}');
  await expect(encode(input, "0.1")).rejects.toThrow('row 4501: -Infinity in channel "b" is no finite number');
});

test("times that 32 bits do not hold are written with the digits that their bound needs, and stay within it", async () => {
  const random = noise(5);
  const times = Array.from({ length: 2000 }, (_, row) => row / 10 + (random() * 1.9 - 0.05) / 1000);
  const rows = times.map((time, row) => `${time.toFixed(17)},${row % 5}`);
  const input = await file("fine-times.csv", `time,x\n${rows.join("\n")}\n`);
  const timeEps = (await encode(input, "0.1")).timeEps ?? Number.NaN;
  expect(timeEps).toBeGreaterThan(0);
  const decoded = cells((await decode(`${input}.lst`)).text).map(([time]) => time ?? "");
  const errors = decoded.map((time, row) => Math.abs(Number(time) - (times[row] ?? Number.NaN)));
  expect(errors).toHaveLength(2000);
  expect(Math.max(...errors)).toBeLessThanOrEqual(timeEps);
  const digits = new Set(decoded.map((time) => time.split(".")[1]?.length));
  expect(digits).toEqual(new Set([Math.ceil(-Math.log10(timeEps)) + 2]));
});

test("times too far from 0 for their steps are refused in words of the recording", async () => {
  const rows = Array.from({ length: 50 }, (_, row) => `${1.7e18 + row * row * 1e6},${row}`);
  const input = await file("nanoseconds.csv", `time,x\n${rows.join("\n")}\n`);
  await expect(encode(input, "0.1")).rejects.toThrow(/channel time cannot keep .*: subtract the first/);
});

test.each(["", "x", "-1", "1,2", "a=1,a=2"])("%j is no bound", (text) => {
  expect(() => parseEpsSpec(text, "absolute")).toThrow(expect.objectContaining({ code: "bad-eps" }));
});
