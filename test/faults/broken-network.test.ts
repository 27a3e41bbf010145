import { mqttTransport, type Transport, tcpTransport } from "@lockstep/edge-sdk";
import { ByteStreamProxy, type LinkFaults, linkFault } from "@lockstep/sim";
import { afterEach, expect, test } from "vitest";
import { GROUP } from "./messages.ts";
import { SEED, seededFor } from "./seed.ts";
import { FRAME_SAMPLES, TestBed, type TestDevice } from "./test-bed.ts";

const DEVICE = "wired";
const BATCH = 10 * FRAME_SAMPLES;
const ROUNDS = 60;
/** A piece is what the system hands over at once: a frame or several. */
const FAULTS: LinkFaults = {
  loss: 0.01,
  duplicate: 0.01,
  reorder: 0.02,
  corrupt: 0.02,
  truncate: 0.02,
  delayMs: 5,
  jitterMs: 3,
};
const ROADS = ["tcp", "mqtt"] as const;

let bed: TestBed | undefined;
let proxy: ByteStreamProxy | undefined;
afterEach(async () => {
  await bed?.close();
  await proxy?.close();
  [bed, proxy] = [undefined, undefined];
});

/** A node with both doors, and a proxy before one of them. */
async function open(purpose: string, road: (typeof ROADS)[number], faults: LinkFaults) {
  const running = new TestBed(SEED, seededFor(`${purpose} over ${road}`));
  bed = running;
  await running.startNode({
    tcpPort: 0,
    tcpHost: "127.0.0.1",
    broker: { kind: "embedded", port: 0, host: "127.0.0.1" },
  });
  const port = road === "tcp" ? (running.node.tcpPort ?? 0) : Number(new URL(running.node.mqttUrl ?? "").port);
  const [up, down] = [linkFault(faults, running.random.fork("up")), linkFault(faults, running.random.fork("down"))];
  const line = await ByteStreamProxy.open({ host: "127.0.0.1", port, up, down, clock: running.clock });
  proxy = line;
  const parts = { clock: running.clock, random: running.random.fork("road") };
  const transport: Transport =
    road === "tcp"
      ? tcpTransport({ url: `tcp://127.0.0.1:${line.port}`, ...parts })
      : mqttTransport({
          url: `mqtt://127.0.0.1:${line.port}`,
          group: GROUP,
          device: DEVICE,
          keepAliveSeconds: 1,
          ...parts,
        });
  return { running, line, device: await running.device(DEVICE, transport, { ringBytes: 57_344 }) };
}

/** Take samples while the ring has room for them. */
async function work(device: TestDevice, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    if (device.session.stats().ringFill < 0.7) device.take(BATCH);
    await device.session.settled(4, 1_000);
  }
}

test.for(ROADS)(
  "something in a %s connection that drops, repeats, swaps, cuts short and flips loses and alters nothing confirmed",
  async (road) => {
    const { running, line, device } = await open("a broken middle", road, FAULTS);
    await work(device, ROUNDS);
    line.mend();
    expect(await device.drain()).toBe(true);
    const counters = running.node.counters();
    process.stdout.write(`${device.session.stats().connections} connections; ${JSON.stringify(counters)}\n`);
    expect(device.session.stats().connections).toBeGreaterThan(1);
    await expectAll(running, device);
  },
);

test.for(ROADS)("a %s connection that is half-open is given up by its device, which loses nothing", async (road) => {
  const { running, line, device } = await open("half-open", road, {});
  await work(device, 3);
  for (let times = 1; times <= 2; times += 1) {
    line.freeze();
    device.take(BATCH);
    // It is there again, and everything that it had is confirmed.
    expect(await device.drain()).toBe(true);
    expect(device.session.stats().connections).toBe(times + 1);
  }
  await expectAll(running, device);
});

async function expectAll(running: TestBed, device: TestDevice): Promise<void> {
  expect(device.session.stats().evictedSamples).toBe(0);
  expect(device.next).toBeGreaterThan(BATCH);
  const view = running.node.device(DEVICE);
  const audit = await running.audit(DEVICE);
  expect(audit).toMatchObject({ lostFrames: 0, missingSamples: 0, inventedSamples: 0, gaps: 0 });
  expect(audit.storedSamples).toBe(device.next);
  expect(audit.maxErrorOverEps).toBeLessThanOrEqual(1);
  expect(audit.reference.every(({ seqs, next, badSeals }) => seqs.size === next && badSeals === 0)).toBe(true);
  expect(view?.stateHash).toBe(audit.reference.at(-1)?.stateHash);
  expect(view?.confirmed.samples).toBe(device.next);
}
