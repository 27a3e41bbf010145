import { writeFileSync } from "node:fs";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WORKLOADS_URL } from "../../cli/workloads.ts";
import type { Job, JsonObject } from "../../jobs/job.ts";
import { WorkerRig } from "../../jobs/worker-rig.suite.ts";
import { checkParams } from "../../jobs/workload-registry.ts";
import { languageModel } from "./language-model.ts";
import { METASPACE } from "./metaspace.suite.ts";
import { packRun, unpackRun } from "./run-archive.ts";
import { RUN_FILES } from "./run-folder.ts";
import { RunRig, SMALL_RUNS, SONNETS } from "./run-rig.suite.ts";

const WORKER = { registry: WORKLOADS_URL, workloads: ["language-model"], memoryMb: 512, graceMs: 20_000 };
const SMALL = [
  ...["model.layers=1", "model.heads=2", "model.width=8", "model.context=12", "data.rows=2"],
  ...["steps=13", "evalEvery=5", "evalBatches=2", "schedule.warmup=2", ...(SMALL_RUNS.tensor ?? [])],
];

let rig: WorkerRig;
let here: RunRig;
beforeEach(async () => {
  [rig, here] = [await WorkerRig.open(), new RunRig()];
});
afterEach(async () => {
  await rig.close();
  here.close();
});

async function run(params: JsonObject, text: string | null = SONNETS): Promise<Job> {
  const inputs = text === null ? [] : [{ name: "sonnets.txt", ...rig.blobs.add(text) }];
  return await rig.run("language-model", params, { inputs, maxAttempts: 1 });
}

function output(job: Job, name: string): Buffer {
  const blob = job.result?.outputs.find((found) => found.name === name);
  return blob === undefined ? Buffer.alloc(0) : Buffer.from(rig.blobs.bytes(blob));
}

test("a job trains the same model as the command does", async () => {
  await rig.worker(WORKER);
  const job = await run({ set: SMALL });
  expect(job).toMatchObject({
    state: "done",
    progress: { fraction: 1, note: expect.stringMatching(/^step 13, loss/) },
  });
  expect(job.result?.outputs.map(({ name }) => name)).toEqual([...RUN_FILES]);
  const { final, parameters } = await here.train("run", SMALL_RUNS.tensor ?? []);
  expect(job.result?.value).toMatchObject({ steps: 13, parameters, valLoss: final?.valLoss });
  expect(JSON.parse(String(output(job, "config.json")))).toMatchObject({ steps: 13, model: { dropout: 0.1 } });
});

/** What a job has kept when it is lost in front of a step, and the job that goes on from there. */
async function afterLoss(settings: readonly string[], step: number): Promise<Job> {
  const controller = new AbortController();
  let saved = Buffer.alloc(0);
  await here.train("lost", settings, {
    signal: controller.signal,
    onStep: (at) => at === step && controller.abort(),
    onCheckpoint: async ({ path }) => {
      saved = await buffer(packRun(path));
    },
  });
  const inputs = [{ name: "sonnets.txt", ...rig.blobs.add(SONNETS) }];
  const id = await rig.submit("language-model", { set: [...SMALL, ...settings] }, { inputs });
  const lease = await rig.queue.claim(["language-model"], "another");
  await lease?.checkpoint(rig.blobs.add(saved));
  await lease?.release();
  await rig.worker(WORKER);
  return await rig.queue.ended(id);
}

test("another attempt goes on where the one before was stopped, with its metrics", async () => {
  const whole = await here.train("whole", SMALL_RUNS.tensor ?? []);
  const job = await afterLoss(SMALL_RUNS.tensor ?? [], 7);
  expect(job.result?.value).toMatchObject({
    steps: 13,
    valLoss: whole.final?.valLoss,
    trainLoss: whole.final?.trainLoss,
  });
  const lines = String(output(job, "metrics.csv")).trimEnd().split("\n");
  expect(lines.slice(1).map((line) => line.split(",")[0])).toEqual(["0", "5", "10", "13"]);
});

test("another attempt of a run that foresees worse and worse keeps the checkpoint that foresaw best", async () => {
  const settings = [
    ...(SMALL_RUNS.tensor ?? []),
    "optimizer.learningRate=3",
    "optimizer.clip=0",
    "schedule.kind=constant",
  ];
  const { best, final } = await here.train("whole", settings);
  expect([best?.step, (final?.valLoss ?? 0) > (best?.loss ?? 0)]).toEqual([0, true]);
  const job = await afterLoss(settings, 12);
  expect(job).toMatchObject({ state: "done", result: { value: { bestStep: 0, bestLoss: best?.loss } } });
  const path = here.at("best.safetensors");
  writeFileSync(path, output(job, "best.safetensors"));
  expect((await here.contents(path)).tensors).toEqual((await here.contents("whole/best.safetensors")).tensors);
});

test("what was kept of a run and is cut off is refused, wherever it ends", async () => {
  await here.train("run", [...(SMALL_RUNS.tensor ?? []), "steps=1"]);
  const whole = await buffer(packRun(here.at("run")));
  const path = here.at("packed");
  for (const bytes of [0, 7, 8, 300, whole.length / 2, whole.length - 1].map(Math.floor)) {
    writeFileSync(path, whole.subarray(0, bytes));
    await expect(unpackRun(here.at("again"), path)).rejects.toMatchObject({ code: "truncated" });
  }
  writeFileSync(path, whole);
  await unpackRun(here.at("again"), path);
  expect(await here.contents("again")).toEqual(await here.contents("run"));
});

test("a tokenizer that is given is the one that is used, and the configuration says so", async () => {
  await rig.worker(WORKER);
  const text = "a b\n\nb a a\n\n".repeat(40).replaceAll("\n", "");
  const inputs = [
    { name: "ab.txt", ...rig.blobs.add(text) },
    { name: "tokenizer.json", ...rig.blobs.add(JSON.stringify(METASPACE)) },
  ];
  const job = await rig.run("language-model", { set: [...SMALL, "steps=1"] }, { inputs, maxAttempts: 1 });
  expect(job).toMatchObject({ state: "done", result: { value: { vocabulary: 7 } } });
  expect(JSON.parse(String(output(job, "config.json")))).toMatchObject({ data: { tokenizer: "hf" } });
});

test.for([
  ["no text", {}, null, "bad-job", "give a text"],
  ["an empty text", {}, " \n", "bad-input", "sonnets.txt has no text"],
  ["a short text", {}, "short", "bad-input", "the shorter part has"],
  ["an option that cannot be", { set: ["model.width=9"] }, SONNETS, "bad-params", "width must be a multiple of heads"],
  ["no tokenizer", { config: { data: { tokenizer: "hf" } } }, SONNETS, "bad-params", "needs a tokenizer.json"],
  [
    "rates that diverge",
    { set: [...SMALL, "optimizer.learningRate=1e30", "optimizer.weightDecay=1e9"] },
    SONNETS,
    "bad-params",
    "no finite number",
  ],
] as const)("a job with %s is refused for good", async ([, params, text, code, part]) => {
  await rig.worker(WORKER);
  const job = await run(params as JsonObject, text);
  expect(job).toMatchObject({ state: "failed", attempts: 1, error: { code } });
  expect(job.error?.message).toContain(part);
});

test.for([
  [{ recipe: "none" }, "recipe: Invalid type"],
  [{ backend: "abacus" }, "backend: Invalid type"],
  [{ config: [] }, "config: write options"],
  [{ steps: 1 }, "steps: Invalid key"],
] as const)("with the parameters %o names the field: %s", ([params, part]) => {
  expect(() => checkParams(languageModel, params as JsonObject)).toThrow(`language-model, ${part}`);
});
