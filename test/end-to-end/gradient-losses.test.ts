import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Job, type OpenQueue, openQueue } from "@lockstep/cloud-node";
import { systemClock } from "@lockstep/edge-sdk";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { Mosquitto } from "../faults/mosquitto.ts";
import { checkpointTensors } from "./checkpoint-tensors.ts";
import { LockstepProcess, runLockstep } from "./lockstep-process.ts";

const TEXT = fileURLToPath(new URL("../../cloud-node/src/workloads/language-model/sonnets.txt", import.meta.url));
const SMALL = ["model.width=16", "data.rows=4", "evalEvery=20", "evalBatches=1"];
const LIMIT_MS = 240_000;

let folder = "";
const at = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-losses-"));
  copyFileSync(TEXT, at("book.txt"));
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

function started(...args: string[]): LockstepProcess {
  const process = new LockstepProcess(...args);
  onTestFinished(async () => void (await process.interrupted()));
  return process;
}

/** Look into a queue until something is so. */
async function until(url: string, isSo: (queue: OpenQueue["queue"]) => Promise<boolean>): Promise<void> {
  const open = await openQueue(url, systemClock());
  try {
    await vi.waitUntil(async () => await isSo(open.queue), { timeout: LIMIT_MS, interval: 20 });
  } finally {
    await open.close();
  }
}

// What they wait for, a lease and a broker, they wait for at once.
describe.concurrent("a training", () => {
  test(
    "whose command is killed goes on by --resume to the same bits as one that was left alone",
    async () => {
      const run = ["--recipe", "tiny", ...SMALL.flatMap((set) => ["--set", set]), "--steps", "600"];
      const command = started(...train("killed", ...run));
      const file = at("killed/workers.jobs");
      await vi.waitUntil(() => existsSync(file), { timeout: LIMIT_MS, interval: 20 });
      const isUnderWay = ({ progress }: Job) => (progress?.fraction ?? 0) >= 0.1;
      await until(`sqlite:${file}`, async (queue) => (await queue.list({ limit: 9 })).some(isUnderWay));
      command.child.kill("SIGKILL");
      expect((await command.finished()).code).toBe(null);
      const [resumed, whole] = await Promise.all([
        json(...train("killed", "--resume")),
        json(...train("whole", ...run)),
      ]);
      expect(resumed).toMatchObject({ steps: 600, valLoss: whole.valLoss });
      expect(resumed.exchange.rounds).toBeLessThan(600);
      expect(checkpointTensors(at("killed")).equals(checkpointTensors(at("whole")))).toBe(true);
      expect(existsSync(file)).toBe(false);
    },
    LIMIT_MS,
  );

  test(
    "that loses its broker goes on without the workers behind it, and has them back once the broker is",
    async () => {
      const mosquitto = await Mosquitto.start(folder);
      onTestFinished(async () => void (await mosquitto.stop()));
      const url = `sqlite:${at("broker.jobs")}`;
      for (const _ of [0, 1]) {
        // An address of nobody's: what does not go by the broker does not go.
        const reach = ["--channel-broker", mosquitto.url, "--channel-host", "192.0.2.1"];
        const worker = started("worker", "--jobs", url, ...reach);
        await worker.said(/"msg":"working"/);
      }
      const params = ["recipe=tiny", `set=${JSON.stringify([...SMALL, "steps=100000"])}`, "compress=sync-15"];
      const { id } = await json(
        ...["jobs", "submit", "gradient", at("book.txt"), "--queue", url],
        ...params.flatMap((param) => ["--param", param]),
      );
      const said = async (pattern: RegExp) =>
        await until(url, async (queue) => (await queue.log(id)).some((line) => pattern.test(line)));
      await said(/^step 20: validation loss/);
      await mosquitto.stop();
      await said(/^worker 1 has left$/);
      await mosquitto.restart();
      await said(/^worker 1 takes part from step [1-9]\d* on$/);
      await until(url, async (queue) => {
        const log = await queue.log(id);
        const back = log.findIndex((line) => /^worker 1 takes part from step [1-9]/.test(line));
        return log.slice(back).some((line) => /^step \d+: validation loss [0-9.]+ nats$/.test(line));
      });
      const open = await openQueue(url, systemClock());
      onTestFinished(() => open.close());
      expect(await open.queue.get(id)).toMatchObject({ state: "running", attempts: 1 });
      await open.queue.cancel(id);
      await until(url, async (queue) => (await queue.get(id))?.state === "cancelled");
    },
    LIMIT_MS,
  );
});
