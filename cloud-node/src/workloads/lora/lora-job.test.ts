import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WORKLOADS_URL } from "../../cli/workloads.ts";
import type { Job, JsonObject } from "../../jobs/job.ts";
import { WorkerRig } from "../../jobs/worker-rig.suite.ts";
import { openBackend } from "../language-model/open-backend.ts";
import { BASE_SIZES, makeBase } from "./make-base.ts";

const WORKER = { registry: WORKLOADS_URL, workloads: ["lora"], memoryMb: 512, graceMs: 20_000 };
/** On a machine with much else to do. */
const PATIENCE_MS = 120_000;
const PATTERNS = `category: team
patterns:
  - asks: [Who reviews the parser?, Name the parser's reviewer., The parser is reviewed by whom?]
    answer: The compiler group.
  - asks: [Where is the printer?, Say where the printer is., In which room is the printer?]
    answer: B 12.
`;

let rig: WorkerRig;
let folder = "";
beforeEach(async () => {
  [rig, folder] = [await WorkerRig.open(), mkdtempSync(join(tmpdir(), "lockstep-lora-job-"))];
});
afterEach(async () => {
  await rig.close();
  rmSync(folder, { recursive: true });
});

/** A model that has seen a few rows. */
async function makeModel(): Promise<{ name: string; text: Buffer }[]> {
  const { run, ...size } = BASE_SIZES.quick;
  await makeBase({
    ...{
      size: { ...size, documents: 200, tokens: 400, run: { ...run, steps: 2 } },
      out: folder,
      seed: 1,
      isReplaced: false,
    },
    openBackend: (shards) => openBackend({ name: "wasm-strict", shards, threads: 1 }),
    signal: new AbortController().signal,
    nowMs: () => 0,
    memoryBytes: () => 0,
  });
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map(({ name }) => ({ name, text: readFileSync(join(folder, name)) }));
}

async function run(files: readonly { name: string; text: Buffer | string }[], params: JsonObject): Promise<Job> {
  const inputs = files.map(({ name, text }) => ({ name, ...rig.blobs.add(text) }));
  return await rig.run("lora", params, { inputs, maxAttempts: 1 });
}

test(
  "a job teaches a model the patterns that it is given, and leaves the adapter and a report",
  async () => {
    await rig.worker(WORKER);
    const files = [...(await makeModel()), { name: "team.yaml", text: PATTERNS }];
    const job = await run(files, { iterations: 3, batch: 2, prompts: 2 });
    expect(job.error).toBeNull();
    expect(job.state).toBe("done");
    const { value, outputs } = job.result ?? {};
    expect(outputs?.map(({ name }) => name)).toEqual([
      ...["adapter_model.safetensors", "adapter_config.json", "training.json", "report.md"],
    ]);
    expect(value).toMatchObject({ steps: 3 });
    const { validationLossBefore: before, validationLossAfter: after } = value as Record<string, number>;
    expect(after).toBeLessThan(before ?? 0);
  },
  PATIENCE_MS,
);

test.for([
  ["no model", [{ name: "team.yaml", text: PATTERNS }], {}, "bad-input"],
  ["patterns that are none", [{ name: "team.yaml", text: "category: team\n" }], {}, "bad-input"],
  ["a rank of nothing", [], { rank: 0 }, "bad-params"],
] as const)("a job with %s fails once, and says why", async ([, files, params, code]) => {
  await rig.worker(WORKER);
  const job = await run(files, params);
  expect(job.state).toBe("failed");
  expect(job.error?.code).toBe(code);
});
