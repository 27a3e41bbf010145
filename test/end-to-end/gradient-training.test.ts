import {
  copyFileSync,
  createReadStream,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Job, type OpenQueue, openQueue } from "@lockstep/cloud-node";
import { JobClient, mqttTransport, systemClock, systemRandom } from "@lockstep/edge-sdk";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { Mosquitto } from "../faults/mosquitto.ts";
import { checkpointTensors } from "./checkpoint-tensors.ts";
import { LockstepProcess, runLockstep } from "./lockstep-process.ts";

const TEXT = fileURLToPath(new URL("../../cloud-node/src/workloads/language-model/sonnets.txt", import.meta.url));
const SMALL = ["--recipe", "tiny", "--set", "model.width=16", "--set", "data.rows=4", "--set", "evalBatches=2"];
const LIMIT_MS = 240_000;
const LEASE_SECONDS = "2";

let folder = "";
const at = (name: string) => join(folder, name);
const running: LockstepProcess[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-gradient-"));
  copyFileSync(TEXT, at("book.txt"));
});
afterEach(async () => {
  for (const process of running.splice(0)) await process.interrupted();
});
afterAll(() => rmSync(folder, { recursive: true }));

function train(out: string, ...args: string[]): string[] {
  return ["gradient", "train", at("book.txt"), "--out", at(out), ...args];
}

async function json(...args: string[]) {
  const { code, stdout, stderr } = await runLockstep(...args, "--json");
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

/** Look into a queue until something is so. */
async function until(open: OpenQueue, isSo: (queue: OpenQueue["queue"]) => Promise<boolean>): Promise<void> {
  await vi.waitUntil(async () => await isSo(open.queue), { timeout: LIMIT_MS, interval: 20 });
}

const isUnderWay = ({ progress }: Job, fraction: number) => (progress?.fraction ?? 0) >= fraction;

/** Begin a training on this machine, and end it by Ctrl-C when a part of its steps is done. */
async function stopped(out: string, ...args: string[]): Promise<void> {
  const command = new LockstepProcess(...train(out, ...args));
  running.push(command);
  const file = at(`${out}/workers.jobs`);
  await vi.waitUntil(() => existsSync(file), { timeout: LIMIT_MS, interval: 20 });
  const open = await openQueue(`sqlite:${file}`, systemClock());
  await until(open, async (queue) => (await queue.list({ limit: 9 })).some((job) => isUnderWay(job, 0.2)));
  await open.close();
  const { code, stderr } = await command.interrupted();
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/stopped at step \d+.*: .* keeps a checkpoint: go on with --resume/),
  ]);
}

test(
  "a training that is stopped goes on from its checkpoint to the same loss, also where it writes over a finished one",
  async () => {
    const run = [...SMALL, "--steps", "120", "--workers", "2"];
    await stopped("run", ...run);
    expect(existsSync(at("run/workers.jobs"))).toBe(true);
    writeFileSync(at("other.txt"), `${readFileSync(at("book.txt"), "utf8")}.`);
    const otherText = ["gradient", "train", at("other.txt"), "--out", at("run"), "--resume"];
    const refused = await runLockstep(...otherText);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("begun with another text")]);
    const resumed = await json(...train("run", "--resume"));
    const whole = await json(...train("whole", ...run));
    expect(resumed.valLoss).toBe(whole.valLoss);
    expect(existsSync(at("run/workers.jobs"))).toBe(false);
    // Nothing of the finished run is taken for the new one's.
    await stopped("run", ...run, "--seed", "5", "--force");
    expect(readdirSync(at("run")).filter((name) => name.startsWith("exchange"))).toEqual([]);
    const other = await json(...train("run", "--resume"));
    expect(other.valLoss).not.toBe(whole.valLoss);
    expect(other).toMatchObject({ steps: 120, exchange: { workers: 2 } });
  },
  LIMIT_MS,
);

test(
  "workers that reach only a broker train what others train over TCP, to the last bit of every parameter",
  async () => {
    const run = [...SMALL, "--steps", "20", "--compress", "sync-15"];
    await json(...train("over-tcp", ...run, "--workers", "2"));
    const mosquitto = await Mosquitto.start(folder);
    try {
      const queue = `sqlite:${at("broker.jobs")}`;
      for (const _ of [0, 1]) {
        // An address of nobody's: what does not go by the broker does not go.
        const reach = ["--channel-broker", mosquitto.url, "--channel-host", "192.0.2.1"];
        const worker = new LockstepProcess("worker", "--jobs", queue, ...reach);
        running.push(worker);
        await worker.said(/"msg":"working"/);
      }
      await json(...train("over-mqtt", ...run, "--workers", "2", "--queue", queue));
    } finally {
      await mosquitto.stop();
    }
    expect(checkpointTensors(at("over-mqtt")).equals(checkpointTensors(at("over-tcp")))).toBe(true);
  },
  LIMIT_MS,
);

test("what cannot be trained from takes nothing of a run that was to be written over", async () => {
  await json(...train("kept", ...SMALL, "--steps", "4"));
  const before = readdirSync(at("kept")).toSorted();
  const absent = ["gradient", "train", at("absent.txt"), "--out", at("kept"), "--force", ...SMALL];
  for (const [args, part] of [
    [absent, "absent.txt: there is no such file"],
    [train("kept", "--force", ...SMALL, "--workers", "3"), "a batch has 4 rows"],
    [train("kept", ...SMALL), "there is a run in"],
    [train("kept", "--resume"), "no run was stopped in"],
    [train("kept", "--resume", "--compress", "sync-15"), "leave out --compress"],
    [train("kept", "--resume", "--workers", "3"), "leave out --workers"],
    [train("kept", "--resume", "--queue", `sqlite:${at("none.jobs")}`), "cannot be used with option"],
    [train("kept", ...SMALL, "--queue", `sqlite:${at("none.jobs")}`), "there is a run in"],
    [train("kept", ...SMALL, "--force", "--token-file", at("book.txt")), "name it with --queue"],
  ] as const) {
    const { code, stderr } = await runLockstep(...args);
    expect([code === 0, stderr]).toEqual([false, expect.stringContaining(part)]);
    expect(readdirSync(at("kept")).toSorted()).toEqual(before);
  }
  expect(existsSync(at("none.jobs"))).toBe(false);
});

test(
  "a training goes on without a worker that is killed, lets another one in, and outlives the worker that leads it",
  async () => {
    const url = `sqlite:${at("queue.jobs")}`;
    const worker = async (): Promise<LockstepProcess> => {
      const options = ["--jobs", url, "--workloads", "gradient", "--lease", LEASE_SECONDS];
      const process = new LockstepProcess("worker", ...options);
      running.push(process);
      await process.said(/"msg":"working"/);
      return process;
    };
    const kill = async (process: LockstepProcess): Promise<void> => {
      process.child.kill("SIGKILL");
      await process.finished();
    };
    const first = await worker();
    const params = [
      "recipe=tiny",
      'set=["model.width=16","data.rows=4","steps=100000","evalEvery=25","evalBatches=1"]',
    ];
    const { id } = await json(
      ...["jobs", "submit", "gradient", at("book.txt"), "--queue", url],
      ...[...params, "compress=sync-15"].flatMap((param) => ["--param", param]),
    );
    const open = await openQueue(url, systemClock());
    try {
      const said = async (pattern: RegExp) =>
        await until(open, async (queue) => (await queue.log(id)).some((line) => pattern.test(line)));
      await until(open, async (queue) => (await queue.get(id))?.state === "running");
      const second = await worker();
      await said(/^step 25: validation loss/);
      await kill(second);
      await said(/^worker 1 has left$/);
      await worker();
      await said(/^worker 1 takes part from step \d+ on$/);
      expect(await open.queue.get(id)).toMatchObject({ state: "running", attempts: 1 });
      const lines = (await open.queue.log(id)).length;
      await kill(first);
      await worker();
      // From its checkpoint, where both are told where it goes on.
      await until(open, async (queue) => {
        const log = (await queue.log(id)).slice(lines);
        return log.some((line) => /^worker 1 takes part from step [1-9]\d* on$/.test(line));
      });
      const job = await open.queue.get(id);
      expect(job).toMatchObject({ state: "running", attempts: 2, error: { code: "worker-died" } });
      await open.queue.cancel(id);
      await until(open, async (queue) => (await queue.get(id))?.state === "cancelled");
    } finally {
      await open.close();
    }
  },
  LIMIT_MS,
);

test(
  "a training is handed in over MQTT, and done by two threads of a node",
  async () => {
    const jobs = `sqlite:${at("node.db.jobs")}`;
    const node = new LockstepProcess(
      ...["serve", "--store", at("node.db"), "--jobs", jobs, "--job-threads", "2", "--json"],
      ...["--mqtt-port", "0", "--tcp", "0", "--no-http"],
    );
    running.push(node);
    const door = /"mqtt":"([^"]+)"/;
    await vi.waitUntil(() => door.test(node.output), { timeout: LIMIT_MS });
    const [, url = ""] = door.exec(node.output) ?? [];
    const open = await openQueue(jobs, systemClock());
    const blob = await open.blobs.put((start) => createReadStream(at("book.txt"), { start }));
    await open.close();
    const around = { clock: systemClock(), random: systemRandom() };
    const client = await JobClient.open({
      transport: mqttTransport({ url, group: "lockstep", device: "planner", ...around }),
      ...around,
    });
    try {
      const set = ["model.width=16", "data.rows=4", "steps=20", "evalEvery=10", "evalBatches=1"];
      const job = await client.submit({
        workload: "gradient",
        params: { recipe: "tiny", set, compress: "local-100" },
        inputs: [{ name: "book.txt", ...blob }],
      });
      const { value, outputs } = await job.result();
      expect(value).toMatchObject({ kind: "trained", steps: 20, exchange: { workers: 2, rounds: 2, missing: 0 } });
      expect(outputs.map(({ name }) => name)).toContain("checkpoint.safetensors");
    } finally {
      await client.close();
    }
  },
  LIMIT_MS,
);
