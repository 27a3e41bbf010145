import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "valibot";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WORKLOADS_URL } from "../../cli/workloads.ts";
import type { Job, JsonObject } from "../../jobs/job.ts";
import { WorkerRig } from "../../jobs/worker-rig.suite.ts";
import { Checkpoint } from "../language-model/checkpoint.ts";
import { RUN_FILES } from "../language-model/run-folder.ts";
import { RunRig, SONNETS } from "../language-model/run-rig.suite.ts";
import { resultSchema } from "./gradient-job.ts";

const SMALL = ["data.rows=4", "model.dropout=0.1", "model.positions=rope"];
const SETTINGS = [
  ...["model.layers=1", "model.heads=2", "model.width=8", "model.context=12"],
  ...["steps=13", "evalEvery=5", "evalBatches=2", "schedule.warmup=2", ...SMALL],
];
const WORKER = { registry: WORKLOADS_URL, workloads: ["gradient"], memoryMb: 512, graceMs: 20_000, peersMs: 60_000 };

let rig: WorkerRig;
let alone: RunRig;
let folder = "";
beforeEach(async () => {
  [rig, alone] = [await WorkerRig.open(), new RunRig()];
  folder = mkdtempSync(join(tmpdir(), "lockstep-gradient-"));
});
afterEach(async () => {
  await rig.close();
  alone.close();
  rmSync(folder, { recursive: true });
});

async function run(params: JsonObject, text: string | null = SONNETS): Promise<Job> {
  const inputs = text === null ? [] : [{ name: "sonnets.txt", ...rig.blobs.add(text) }];
  return await rig.run("gradient", params, { inputs, maxAttempts: 1 });
}

/** The tensors of the checkpoint that a job left. */
async function tensors(job: Job): Promise<Record<string, unknown>> {
  const blob = job.result?.outputs.find(({ name }) => name === "checkpoint.safetensors");
  const path = join(folder, "left.safetensors");
  writeFileSync(path, blob === undefined ? "" : rig.blobs.bytes(blob));
  const checkpoint = await Checkpoint.open(path);
  try {
    const found: Record<string, unknown> = {};
    for (const { name, shape } of checkpoint.reader.tensors) {
      if (!name.startsWith("exchange.")) found[name] = await checkpoint.reader.floats(name, shape);
    }
    return found;
  } finally {
    await checkpoint.close();
  }
}

test.for([2, 4])(
  "%d workers that send every number come to the same bits as one that cuts its batches so",
  async (workers) => {
    await rig.worker({ ...WORKER, threads: workers });
    // Dropout leaves out other channels where rows are computed elsewhere.
    const settings = [...SETTINGS, "model.dropout=0"];
    const job = await run({ set: settings, workers });
    expect(job).toMatchObject({ state: "done", progress: { fraction: 1 } });
    const summary = await alone.train("alone", [...SMALL, "model.dropout=0", `data.shards=${workers}`]);
    expect(await tensors(job)).toEqual((await alone.contents("alone")).tensors);
    expect(job.result?.value).toMatchObject({ kind: "trained", steps: 13, valLoss: summary.final?.valLoss });
  },
);

test("a run of several workers has the files of one, and says what was sent", async () => {
  await rig.worker({ ...WORKER, threads: 2 });
  const job = await run({ set: SETTINGS });
  expect(job.result?.outputs.map(({ name }) => name)).toEqual([...RUN_FILES, "exchange.json", "exchange.csv"]);
  const result = parse(resultSchema, job.result?.value);
  if (result.kind !== "trained") throw new TypeError("another place's result");
  const { exchange, parameters } = result;
  expect(exchange).toMatchObject({ workers: 2, rounds: 13, missing: 0, uplinkPayload: 4 * parameters });
  // Frames and envelopes come on top.
  expect(exchange.ratio).toBeGreaterThan(0.9);
  expect(exchange.ratio).toBeLessThan(1);
  // All that came: the contributions of one other worker, and that it was ready.
  expect(exchange.uplinkTotal - 13 * (exchange.uplinkWire + exchange.uplinkOther)).toBeCloseTo(0, 6);
  expect(exchange.uplinkOther).toBeGreaterThan(0);
});

test("one worker alone trains, and sends nothing", async () => {
  await rig.worker({ ...WORKER, threads: 1 });
  const job = await run({ set: SETTINGS, workers: 1 });
  await alone.train("alone", [...SMALL, "data.shards=1"]);
  expect(await tensors(job)).toEqual((await alone.contents("alone")).tensors);
  expect(job.result?.value).toMatchObject({ exchange: { uplinkWire: 0, downlinkWire: 0, rounds: 13 } });
});

test("what cannot be trained on is refused for good, by its name", async () => {
  await rig.worker({ ...WORKER, threads: 3 });
  for (const [params, text, code, part] of [
    [{}, null, "bad-job", "give a text"],
    [{}, "short", "bad-input", "the shorter part has"],
    [{ set: ["engine=scalar"] }, SONNETS, "bad-params", "engine=tensor"],
    [{ set: ["data.rows=4"], workers: 3 }, SONNETS, "bad-params", "4 rows of a batch for 3 workers"],
    [{ compress: "sync-50", mask: "mask.json" }, SONNETS, "bad-job", "there is no input mask.json"],
    [{ compress: "sync-50", mask: "sonnets.txt" }, SONNETS, "bad-params", "the mask is no JSON"],
    [{ set: ["model.width=9"] }, SONNETS, "bad-params", "width must be a multiple of heads"],
    [{ set: [...SETTINGS, "optimizer.learningRate=1e30"], compress: "sync-15" }, SONNETS, "bad-params", "finite"],
  ] as const) {
    const job = await run(params as JsonObject, text);
    expect(job).toMatchObject({ state: "failed", attempts: 1, error: { code } });
    expect(job.error?.message).toContain(part);
  }
});
