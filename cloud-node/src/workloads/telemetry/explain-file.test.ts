import { appendFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { shippedCodec } from "../../cli/device-module.ts";
import type { TelemetryCodec } from "./block-codec.ts";
import { encodeFile } from "./encode-file.ts";
import { parseEpsSpec } from "./eps-spec.ts";
import { ExpectingChannel } from "./expecting-channel.ts";
import { explainFile } from "./explain-file.ts";

const SILENT = { stage() {}, update() {}, finishing() {} };
const CHANNEL = { name: "x", unit: "", eps: 5, e: 5, lattice: 1, historyShift: 0 };
const SCALE = { offset: 0, mantissa: 1, exponent: 0, tens: 0, decimals: 0 };
/** log2 √(2πe): the entropy of a normal distribution in bins as wide as its deviation. */
const NORMAL_BITS = 2.047;

let folder = "";
let codec: TelemetryCodec;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lockstep-explain-"));
  codec = shippedCodec();
});
afterAll(() => rm(folder, { recursive: true }));

async function csv(name: string, columns: Record<string, readonly (number | string)[]>): Promise<string> {
  const lists = Object.values(columns);
  const lines = lists[0]?.map((_, row) => lists.map((list) => list[row]).join(",")) ?? [];
  await writeFile(join(folder, name), `${[Object.keys(columns).join(","), ...lines].join("\n")}\n`);
  return join(folder, name);
}

function explain(input: string, eps: string) {
  const signal = new AbortController().signal;
  return explainFile({ input, eps: parseEpsSpec(eps, "absolute"), codec, progress: SILENT, signal });
}

/** Numbers 0 … 1 that repeat for a seed. */
function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

function normal(seed: number): () => number {
  const random = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
}

test("what a channel expects is what a decoder of one long frame makes of a sample that is left out", () => {
  const noise = normal(4);
  const samples = Int32Array.from({ length: 400 }, (_, t) => Math.round(3000 * Math.sin(t / 9) + 40 * noise()));
  const channel = new ExpectingChannel(codec.core, { ...CHANNEL, ...SCALE });
  expect(channel.expected).toBeUndefined();
  let compared = 0;
  samples.forEach((sample, t) => {
    if (t > 0 && t % 57 === 0) {
      const config = codec.core.configure([CHANNEL]);
      const frame = codec.core.createEncoder(config).encode(samples.subarray(0, t));
      const decoder = codec.core.createDecoder(config);
      decoder.decode(frame.payload, t, frame);
      expect([t, channel.expected]).toEqual([t, decoder.replayQuiet(1)[0]]);
      compared += 1;
    }
    channel.take({ sample, status: 0 });
  });
  expect(compared).toBe(7);
});

test("levels that come equally often, and foresee nothing of each other, have the logarithm of their number", async () => {
  const random = uniform(11);
  const rows = 16 * 512;
  const levels = Array.from({ length: rows }, (_, i) => i % 16);
  for (let i = rows - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [levels[i], levels[j]] = [levels[j] ?? 0, levels[i] ?? 0];
  }
  // The first reading is what all others are counted from.
  const { channels } = await explain(await csv("levels.csv", { x: [0, ...levels] }), "0");
  const [x] = channels;
  expect(x?.signal).toMatchObject({ bits: expect.closeTo(4, 9), symbols: 16 });
  for (const account of [x?.hold, x?.line, x?.residual]) expect(account?.bits).toBeGreaterThan(3.95);
  expect(x?.coded).toBeGreaterThan(3.95);
});

test("a ramp is all said by the line through it, and its steps by the value before", async () => {
  const ramp = Array.from({ length: 500 }, (_, t) => 3 * t);
  const [x] = (await explain(await csv("ramp.csv", { x: ramp }), "0")).channels;
  expect(x?.signal.symbols).toBe(499);
  expect(x?.signal.bits).toBeCloseTo(Math.log2(499), 9);
  expect(x?.hold).toEqual({ bits: 0, rms: 3, symbols: 1 });
  // The first reading of all has no slope before it.
  expect(x?.line.symbols).toBe(2);
  expect(x?.line.rms).toBeCloseTo(3 / Math.sqrt(499), 9);
});

test("twice the noise costs one bit a sample more, in what is left and in what is coded", async () => {
  const columns = Object.fromEntries(
    [4, 8, 16].map((deviation) => {
      const noise = normal(deviation);
      return [`n${deviation}`, Array.from({ length: 6000 }, (_, t) => 500 * Math.sin(t / 40) + deviation * noise())];
    }),
  );
  const { channels } = await explain(await csv("noise.csv", columns), "0.5");
  expect(channels).toHaveLength(3);
  for (const [k, { residual, coded, signal }] of channels.entries()) {
    expect(residual.bits).toBeLessThan(signal.bits);
    expect(residual.rms).toBeGreaterThan(0.95 * 2 ** (k + 2));
    expect(Math.abs(residual.bits - Math.log2(residual.rms) - NORMAL_BITS)).toBeLessThan(0.1);
    expect(Math.abs(coded - residual.bits)).toBeLessThan(0.15);
  }
  const bits = channels.map(({ coded }) => coded);
  for (const k of [1, 2]) expect(Math.abs((bits[k] ?? 0) - (bits[k - 1] ?? 0) - 1)).toBeLessThan(0.2);
});

test("one channel coded alone and together comes to the same, and to what encode makes of it", async () => {
  const noise = normal(21);
  const input = await csv("one.csv", { x: Array.from({ length: 9000 }, (_, t) => Math.sin(t / 5) + 0.1 * noise()) });
  const { codedAlone, codedTogether, channels } = await explain(input, "0.01");
  expect(codedAlone).toBe(codedTogether);
  expect(channels[0]?.coded).toBe(codedAlone);
  const { bitsPerSample } = await encodeFile({
    ...{ input, output: `${input}.lst`, eps: parseEpsSpec("0.01", "absolute"), codec, lookahead: "none" },
    ...{ progress: SILENT, signal: new AbortController().signal },
  });
  // The file has a head and checksums beside its payload.
  expect(bitsPerSample / codedTogether).toBeGreaterThan(1);
  expect(bitsPerSample / codedTogether).toBeLessThan(1.1);
});

test("a recording that another program adds to is refused", async () => {
  const input = await csv("growing.csv", { x: [1, 2, 3] });
  const progress = { ...SILENT, stage: (name: string) => name.startsWith("2/2") && appendFileSync(input, "4\n") };
  const signal = new AbortController().signal;
  const explained = explainFile({ input, eps: parseEpsSpec("1", "absolute"), codec, progress, signal });
  await expect(explained).rejects.toMatchObject({ code: "input-changed", message: expect.stringContaining("then 4") });
});

test("missing readings count nowhere, and a channel without any costs nothing to foresee", async () => {
  const holes = Array.from({ length: 300 }, (_, t) => (t % 3 === 0 ? "" : Math.sin(t)));
  const { channels, samples } = await explain(
    await csv("holes.csv", { a: holes, b: holes.map(() => ""), c: holes.map(() => 7) }),
    "0.01",
  );
  expect(samples).toBe(300);
  expect(channels.map(({ readings }) => readings)).toEqual([200, 0, 300]);
  const nothing = { bits: 0, rms: 0, symbols: 0 };
  expect(channels[1]).toMatchObject({ signal: nothing, hold: nothing, line: nothing, residual: nothing });
  const same = { bits: 0, rms: 0, symbols: 1 };
  expect(channels[2]).toMatchObject({ signal: same, hold: same, line: same, residual: same });
});

test("readings of which one is off the lattice of all others are counted in plain bins", async () => {
  const random = uniform(6);
  const readings = Array.from({ length: 9000 }, () => 0.005 * Math.round(400 * random()));
  const bins = async (name: string) => {
    const values = Float32Array.from(readings);
    await writeFile(join(folder, `${name}.f32`), new Uint8Array(values.buffer));
    await writeFile(join(folder, `${name}.json`), '{"channels": ["lead"]}');
    return (await explain(join(folder, `${name}.f32`), "0.001")).channels[0]?.signal.bits ?? 0;
  };
  const onLattice = await bins("on");
  expect(onLattice).toBeLessThan(Math.log2(401));
  readings[4001] = 0.0123;
  // Of some 2 / 0.002 bins, those near a multiple of the lattice's spacing.
  expect(await bins("off")).toBeGreaterThan(onLattice - 0.01);
});
