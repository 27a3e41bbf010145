import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { shippedCodec } from "../../cli/device-module.ts";
import { WORKLOADS_URL } from "../../cli/workloads.ts";
import { KeptStore } from "../../history/kept-store.suite.ts";
import { ScriptedDevice } from "../../history/scripted-device.suite.ts";
import type { Job, JsonObject, NamedBlob } from "../../jobs/job.ts";
import { WorkerRig } from "../../jobs/worker-rig.suite.ts";
import { decodeFile } from "./decode-file.ts";

/** Of the scripted device's first sample. */
const DAY = "2023-11-14";
const REGISTRY = { registry: WORKLOADS_URL, workloads: ["telemetry"], memoryMb: 512 };

let rig: WorkerRig;
let folder = "";
beforeEach(async () => {
  rig = await WorkerRig.open();
  folder = mkdtempSync(join(tmpdir(), "lockstep-telemetry-job-"));
});
afterEach(async () => {
  await rig.close();
  rmSync(folder, { recursive: true });
});

async function run(params: JsonObject, inputs: readonly NamedBlob[], maxAttempts = 1): Promise<Job> {
  await rig.worker(REGISTRY);
  return await rig.run("telemetry", params, { inputs, maxAttempts });
}

function input(name: string, bytes: Uint8Array | string): NamedBlob {
  return { name, ...rig.blobs.add(bytes) };
}

function drive(rows: number): string {
  const lines = Array.from({ length: rows }, (_, row) => {
    const noise = ((row * 7919) % 101) / 50;
    return `${(row / 100).toFixed(2)},${(20 * Math.sin(row / 30) + noise).toFixed(3)},${(row % 17) * 0.5}`;
  });
  return `time,ax,gear\n${lines.join("\n")}\n`;
}

/** What the container that a job left decodes to. */
async function decoded(job: Job, format: "csv" | "f32"): Promise<Buffer> {
  const [output] = job.result?.outputs ?? [];
  if (output === undefined) return Buffer.alloc(0);
  const file = join(folder, "decoded.lst");
  writeFileSync(file, rig.blobs.bytes(output));
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  const codec = shippedCodec();
  const silent = { stage() {}, update() {}, finishing() {} };
  const rest = { stream, format, progress: silent, signal: new AbortController().signal };
  await decodeFile({ input: file, codecOf: (model) => (model === codec.model ? codec : undefined), ...rest });
  return Buffer.concat(chunks);
}

function cells(csv: string | Buffer): number[][] {
  const lines = String(csv).trimEnd().split("\n").slice(1);
  return lines.map((line) => line.split(",").map((cell) => (cell === "" ? Number.NaN : Number(cell))));
}

describe("a recording", () => {
  test("becomes a container that decodes within its bound, with the facts about it, the same every time", async () => {
    const csv = drive(5_000);
    const job = await run({ eps: 0.05 }, [input("drive.csv", csv)]);
    expect(job).toMatchObject({ state: "done", progress: { fraction: 1 } });
    const { value, outputs } = job.result ?? { value: {}, outputs: [] };
    const [output] = outputs;
    expect(outputs.map(({ name }) => name)).toEqual(["drive.csv.lst"]);
    expect(value).toMatchObject({
      samples: 5_000,
      channels: 2,
      rawBytes: 40_000,
      inputBytes: csv.length,
      damagedUs: 0,
    });
    expect(value).toMatchObject({ bytes: output?.bytes, lookahead: "programme", timeEps: 0 });
    expect(value.ratio).toBe(40_000 / Number(output?.bytes));
    const [wanted, got] = [cells(csv), cells(await decoded(job, "csv"))];
    expect(got).toHaveLength(wanted.length);
    const errors = wanted.map((row, r) =>
      Math.max(...row.map((cell, c) => Math.abs(cell - (got[r]?.[c] ?? Number.NaN)))),
    );
    expect(Math.max(...errors)).toBeCloseTo(0.05 * Number(value.maxErrorOverEps), 12);
    const again = await rig.run("telemetry", { eps: 0.05 }, { inputs: job.inputs, salt: "again" });
    expect(again.result).toEqual(job.result);
  });

  test("as float32 has its description beside it, and its bounds by name", async () => {
    const values = Float32Array.from({ length: 3_000 }, (_, i) => (i % 2 === 0 ? Math.sin(i / 40) : i / 8));
    const description = input("imu.json", JSON.stringify({ channels: ["a", "b"], rate_hz: 100 }));
    const inputs = [description, input("imu.f32", new Uint8Array(values.buffer))];
    const job = await run({ eps: "a=0.01,*=0.5", lookahead: "none" }, inputs);
    expect(job.result?.outputs.map(({ name }) => name)).toEqual(["imu.f32.lst"]);
    expect(job.result?.value).toMatchObject({ samples: 1_500, timeEps: null, lookahead: "none" });
    const bytes = await decoded(job, "f32");
    const got = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    expect(values.every((value, i) => Math.abs(value - (got[i] ?? Number.NaN)) <= (i % 2 === 0 ? 0.01 : 0.5))).toBe(
      true,
    );
  });

  test("is gone on with by a later attempt, which leaves out the first pass", async () => {
    const id = await rig.submit("telemetry", { eps: 0.01 }, { inputs: [input("long.csv", drive(150_000))] });
    const worker = await rig.worker({ ...REGISTRY, graceMs: 20_000 });
    await rig.queue.until(id, ({ checkpoint }) => checkpoint !== null);
    await worker.stop();
    expect(await rig.queue.get(id)).toMatchObject({ state: "queued", attempts: 0 });
    await rig.worker(REGISTRY);
    expect(await rig.queue.ended(id)).toMatchObject({ state: "done", result: { value: { samples: 150_000 } } });
    expect(await rig.queue.log(id)).toEqual(["the first pass was made by an attempt before"]);
  });

  test("whose first pass was kept in a form that cannot be read is read anew", async () => {
    const id = await rig.submit("telemetry", { eps: 0.05 }, { inputs: [input("a.csv", drive(50))], maxAttempts: 1 });
    const lease = await rig.queue.claim(["telemetry"], "another");
    // A later format of V8's.
    await lease?.checkpoint(rig.blobs.add(Buffer.of(0xff, 0xfe, 0x6f, 0x22)));
    await lease?.release();
    await rig.worker(REGISTRY);
    expect(await rig.queue.ended(id)).toMatchObject({ state: "done", result: { value: { samples: 50 } } });
  });

  test.for([
    ["a", 251, 251],
    ["a", 255, 251],
    ["\u00e9", 255, 251],
    ["\u{1f697}", 252, 248],
  ] as const)(
    "under a name of %s, %d bytes, has an output whose name is no longer than a file's",
    async ([character, bytes, kept]) => {
      const times = Math.floor(bytes / Buffer.byteLength(character));
      const name = "b".repeat(bytes - times * Buffer.byteLength(character)) + character.repeat(times);
      const job = await run({ eps: 0.05 }, [input(name, drive(50))]);
      const output = String(job.result?.outputs[0]?.name);
      expect(Buffer.byteLength(output)).toBeLessThanOrEqual(255);
      expect(output).toBe(`${Buffer.from(name).subarray(0, kept).toString()}.lst`);
    },
  );

  test("that cannot be kept is refused for good, by its name, and where it is wrong", async () => {
    await rig.worker(REGISTRY);
    for (const [params, text, code, part] of [
      [{ eps: 1 }, "", "bad-input", "a.csv, header line: the file is empty"],
      [{ eps: 1 }, "t,x\n1,2\n2,none of it\n", "bad-input", 'a.csv, row 2: "none of it" in column "x"'],
      [{ eps: 1 }, "\u0000\u0001\u0002", "bad-input", "a.csv"],
      [{ eps: 1, columns: ["y"] }, "t,x\n1,2\n", "bad-input", 'no column "y": there are t, x'],
      [{ eps: "y=1,*=2" }, "t,x\n1,2\n", "bad-params", 'telemetry, eps: telemetry: no channel "y": there are x'],
      [{ eps: 1e-12 }, "t,x\n1,2e9\n2,-1.5\n", "bad-input", "channel x cannot keep eps 1e-12"],
    ] as const) {
      const job = await rig.run("telemetry", params, { inputs: [input("a.csv", text)] });
      expect(job).toMatchObject({ state: "failed", attempts: 1, error: { code } });
      expect(job.error?.message).toContain(part);
      expect(job.error?.message).not.toContain(rig.scratch);
    }
  });
});

describe("a request", () => {
  test("whose parameters are wrong is not tried again", async () => {
    const job = await run({ rel: 0.1, lookahead: "far" }, [input("a.csv", "t,x\n1,2\n")], 3);
    expect(job).toMatchObject({ state: "failed", attempts: 1, error: { code: "bad-params" } });
    expect(job.error?.message).toContain("telemetry, lookahead: Invalid type");
  });

  test("whose inputs are no recording is refused, and says which ones it has", async () => {
    await rig.worker(REGISTRY);
    for (const [params, names, part] of [
      [{ eps: 1 }, [], "0 inputs"],
      [{ eps: 1 }, ["a.csv", "b.csv"], "2 inputs (a.csv, b.csv): a job compresses one file"],
      [{ eps: 1 }, ["a.json"], "1 inputs (a.json)"],
      [{ eps: 1 }, ["a.f32"], "a.f32 without a description"],
      [{ eps: 1 }, ["a.csv", "a.json"], "CSV has no description"],
      [{ eps: 1, device: "unit" }, ["a.db", "a.json"], "a store has no description"],
    ] as const) {
      const inputs = names.map((name) => input(name, "t,x\n1,2\n"));
      const job = await rig.run("telemetry", params, { inputs });
      expect(job).toMatchObject({ state: "failed", attempts: 1, error: { code: "bad-job" } });
      expect(job.error?.message).toContain(part);
    }
  });
});

describe("a device's past", () => {
  async function store(
    change: (kept: KeptStore) => void = () => undefined,
  ): Promise<{ bytes: Buffer; kept: KeptStore }> {
    const file = join(folder, "node.db");
    const kept = new KeptStore(file);
    const device = new ScriptedDevice({ seed: 5 });
    kept.birth(device);
    for (let i = 0; i < 120; i++) kept.receive(device, i % 20 === 0 ? device.keyframe(i === 40) : device.residual());
    change(kept);
    await kept.commit();
    await kept.close();
    return { bytes: readFileSync(file), kept };
  }

  test("becomes a container of a day, every value within its bound of what the node has", async () => {
    const { bytes, kept } = await store();
    const inputs = [input("node.db", bytes)];
    const job = await run({ eps: 0.5, device: "unit", day: DAY }, inputs);
    expect(job).toMatchObject({
      state: "done",
      result: { value: { samples: kept.truth.length, channels: 3, damagedUs: 0 } },
    });
    expect(job.result?.outputs.map(({ name }) => name)).toEqual([`unit-${DAY}.lst`]);
    const got = cells(await decoded(job, "csv"));
    expect(got.map(([timeUs]) => timeUs)).toEqual(kept.truth.map(({ timeUs }) => timeUs));
    // Scales of the scripted device: (sample + 100 c) / 2^c.
    const errors = kept.truth.map(({ samples, statuses }, row) =>
      samples.map((sample, c) => {
        const value = got[row]?.[c + 1] ?? Number.NaN;
        if (statuses[c] === 1) return Number.isNaN(value) ? 0 : 1;
        return Math.abs((sample + 100 * c) * 2 ** -c - value);
      }),
    );
    expect(Math.max(...errors.flat())).toBeLessThanOrEqual(0.5);
    const whole = await rig.run("telemetry", { eps: 0.5, device: "unit" }, { inputs });
    expect(whole.result?.outputs.map(({ name }) => name)).toEqual(["unit.lst"]);
    expect(whole.result?.value.samples).toBe(kept.truth.length);
  });

  test("of a day without samples, of a device that is not there, and of a file that is no store, is refused", async () => {
    const { bytes } = await store();
    const inputs = [input("node.db", bytes)];
    const quiet = await run({ eps: 0.5, device: "unit", day: "2023-11-20" }, inputs, 3);
    expect(quiet).toMatchObject({ state: "failed", attempts: 1, error: { code: "bad-input" } });
    expect(quiet.error?.message).toContain("node.db, unit, 2023-11-20: there is no row in it");
    const unknown = await rig.run("telemetry", { eps: 0.5, device: "other" }, { inputs });
    expect(unknown).toMatchObject({ state: "failed", attempts: 1, error: { code: "bad-params" } });
    expect(unknown.error?.message).toContain("telemetry, device: node.db knows no device other");
    for (const text of ["", "no database".repeat(1_000), bytes.subarray(0, 5_000)]) {
      const job = await rig.run("telemetry", { eps: 0.5, device: "unit" }, { inputs: [input("node.db", text)] });
      expect(job).toMatchObject({ state: "failed", attempts: 1, error: { code: "bad-input" } });
      expect(job.error?.message).toContain("node.db");
      expect(job.error?.message).not.toContain(rig.scratch);
    }
  });
});
