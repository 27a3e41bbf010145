import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { openBroker } from "../../broker/open-broker.suite.ts";
import type { ChannelReach } from "../../jobs/channel-reach.ts";
import { Checkpoint } from "../language-model/checkpoint.ts";
import { ExchangeRig } from "./exchange-rig.suite.ts";
import type { Preset } from "./method.ts";

/** Eight evaluations, at each of which a test may do something before the next step. */
const SETTINGS = [
  ...["model.layers=1", "model.heads=2", "model.width=8", "model.context=12", "data.rows=6"],
  ...["steps=80", "evalEvery=10", "evalBatches=4", "schedule.warmup=10", "optimizer.learningRate=0.01"],
];

const LIMIT_MS = 60_000;

let rig: ExchangeRig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

async function opened(workers: number, compress: Preset, seed = 1, reach?: ChannelReach): Promise<ExchangeRig> {
  await rig?.close();
  rig = await ExchangeRig.open(workers, compress, [...SETTINGS, `seed=${seed}`], reach);
  for (let rank = 1; rank < workers; rank += 1) await rig.join(rank);
  return rig;
}

/** The tensors of a run's last checkpoint, those of the exchange among them. */
async function tensors({ out }: ExchangeRig): Promise<Record<string, unknown>> {
  const checkpoint = await Checkpoint.open(join(out, "checkpoint.safetensors"));
  const found: Record<string, unknown> = {};
  for (const { name, shape } of checkpoint.reader.tensors) found[name] = await checkpoint.reader.floats(name, shape);
  await checkpoint.close();
  return found;
}

/** Losses of the same run with other seeds, and nothing that happens to it. */
async function usualLosses(): Promise<number[]> {
  const losses: number[] = [];
  for (const seed of [1, 2, 3]) {
    const { summary } = await (await opened(2, "sync-15", seed)).train();
    losses.push(summary.final?.valLoss ?? Number.NaN);
  }
  return losses;
}

test.each(["none", "sync-15", "local-100"] as const)(
  "%s: contributions in any order of arrival come to the same parameters, bit for bit",
  async (compress) => {
    const found: Record<string, unknown>[] = [];
    for (const orderOf of [() => [1, 2], (round: number) => (round % 3 === 0 ? [1, 2] : [2, 1])]) {
      const running = await opened(3, compress);
      const { exchange } = await running.train(undefined, orderOf);
      expect(exchange).toMatchObject({ workers: 3, missing: 0 });
      found.push(await tensors(running));
    }
    expect(Object.keys(found[0] ?? {}).length).toBeGreaterThan(10);
    expect(found[1]).toEqual(found[0]);
  },
);

test("bytes that are counted are those that went over the connections, but for greetings and signs of life", async () => {
  const running = await opened(3, "none");
  const { exchange } = await running.train();
  const { up, down } = running.wire;
  for (const [counted, went] of [
    [exchange.uplinkTotal, up],
    [exchange.downlinkTotal, down],
  ] as const) {
    expect(counted).toBeLessThanOrEqual(went);
    expect(counted).toBeGreaterThan(0.95 * went);
  }
});

test("the loss of a run with a killed worker, and of one with a cut link, is like those of other seeds", async () => {
  const usual = await usualLosses();
  const [least, most] = [Math.min(...usual), Math.max(...usual)];
  for (const hurt of [killed, cut]) {
    const loss = await hurt();
    // Three seeds span half of what more would: as much again on both sides.
    expect(loss, hurt.name).toBeGreaterThan(least - (most - least));
    expect(loss, hurt.name).toBeLessThan(most + (most - least));
  }
});

test("a run whose broker is gone for some steps comes to the same bits as one whose worker is, over TCP", async () => {
  await killed();
  const expected = await tensors(rig as ExchangeRig);
  let broker = await openBroker();
  const { port } = broker;
  try {
    const channelBroker = { url: `mqtt://127.0.0.1:${port}` };
    const running = await opened(2, "sync-15", 1, { channelHost: "127.0.0.1", channelBroker });
    const said = async (line: string) => await vi.waitUntil(() => running.log.includes(line), LIMIT_MS);
    const { exchange } = await running.train(async (step) => {
      if (step === 20) {
        await broker.close();
        await said("worker 1 has left");
      }
      if (step !== 40) return;
      broker = await openBroker(port);
      await said("the broker of a shared job's channel is there again");
      const ready = running.nextReady();
      await running.join(1);
      await ready;
    });
    expect(exchange).toMatchObject({ missing: 20, rounds: 80 });
    expect(await tensors(running)).toEqual(expected);
  } finally {
    await rig?.close();
    rig = undefined;
    await broker.close();
  }
});

/** A worker is killed at step 20, and another one takes its place at step 40. @returns the loss */
async function killed(): Promise<number> {
  const running = await opened(2, "sync-15");
  const { summary, exchange } = await running.train(async (step) => {
    if (step === 20) await running.kill(1);
    if (step !== 40) return;
    const ready = running.nextReady();
    await running.join(1);
    await ready;
  });
  expect(running.log).toContain("worker 1 has left");
  expect(running.log).toContain("worker 1 takes part from step 40 on");
  expect(exchange).toMatchObject({ missing: 20, rounds: 80 });
  return summary.final?.valLoss ?? Number.NaN;
}

/** A worker's link is cut at step 20, and mended at step 40. @returns the loss */
async function cut(): Promise<number> {
  const running = await opened(2, "sync-15");
  const { summary, exchange } = await running.train(async (step) => {
    if (step === 20) running.cut(1);
    if (step !== 40) return;
    const ready = running.nextReady();
    running.mend(1);
    await ready;
  });
  // What it says of step 20 may have come through before.
  expect(running.log.filter((line) => /^step 2[01] goes on without worker 1$/.test(line))).toHaveLength(1);
  expect(running.log).toContain("worker 1 takes part from step 40 on");
  expect(running.log).not.toContain("worker 1 has left");
  // What it sent meanwhile came, too, and was in no round.
  const inRounds = (80 - exchange.missing) * exchange.uplinkWire;
  expect(exchange.uplinkTotal).toBeGreaterThan(inRounds);
  expect(exchange.uplinkOther).toBeCloseTo((exchange.uplinkTotal - inRounds) / 80, 6);
  expect(exchange.missing).toBeGreaterThanOrEqual(19);
  expect(exchange.missing).toBeLessThanOrEqual(20);
  return summary.final?.valLoss ?? Number.NaN;
}
