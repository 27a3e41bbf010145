import { type DeviceSession, Loopback, mqttTransport, type Transport, tcpTransport } from "@lockstep/edge-sdk";
import { type Cut, faultyTransport, type LinkFaults, type LinkTally, linkFault } from "@lockstep/sim";
import { afterEach, expect, test } from "vitest";
import { GROUP } from "./messages.ts";
import { SEED, seededFor } from "./seed.ts";
import { FRAME_SAMPLES, LIMIT_MS, TestBed, type TestDevice } from "./test-bed.ts";

const CUTS: readonly Cut[] = [6_000, 17_000, 28_000].map((fromMs) => ({ fromMs, toMs: fromMs + 5_000 }));
const DURATION_MS = 38_000;
const SAMPLES_PER_MS = 1;
/** Where nothing may be dropped the sensor waits rather than the ring overflow. */
const PAUSE_AT_FILL = 0.7;

const FAULTS: Readonly<Record<string, LinkFaults>> = {
  "20 % loss": { loss: 0.2, delayMs: 20, jitterMs: 10 },
  "reordering and duplication": { reorder: 0.3, duplicate: 0.2, delayMs: 5 },
  "2 % corruption": { corrupt: 0.02, delayMs: 5 },
  "cuts of 5 s": { cuts: CUTS },
  "all of these at once": {
    loss: 0.2,
    reorder: 0.1,
    duplicate: 0.1,
    corrupt: 0.02,
    delayMs: 20,
    jitterMs: 10,
    cuts: CUTS,
  },
};

let bed: TestBed | undefined;
afterEach(async () => {
  await bed?.close();
  bed = undefined;
});

function newBed(purpose: string): TestBed {
  bed = new TestBed(SEED, seededFor(purpose));
  return bed;
}

function withFaults(running: TestBed, inner: Transport, faults: LinkFaults, tally?: LinkTally): Transport {
  const { clock, random } = running;
  const [up, down] = [linkFault(faults, random.fork("up")), linkFault(faults, random.fork("down"))];
  return faultyTransport(inner, { up, down, clock, ...(tally && { tally }) });
}

/** Take samples as time passes. */
async function run(running: TestBed, device: TestDevice, durationMs: number, pauseAtFill: number): Promise<void> {
  const startMs = running.clock.nowMs();
  for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs = running.clock.nowMs() - startMs) {
    const due = Math.floor(elapsedMs * SAMPLES_PER_MS) - device.next;
    for (let n = 0; n < due && device.session.stats().ringFill < pauseAtFill; n += 1) device.take(1);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function roadTo(running: TestBed, name: string): Transport {
  const { node, clock, random } = running;
  if (name === "tcp") return tcpTransport({ url: `tcp://127.0.0.1:${node.tcpPort}`, clock, random });
  if (name === "mqtt") return mqttTransport({ url: node.mqttUrl ?? "", group: GROUP, device: "radio", clock, random });
  const loopback = new Loopback();
  node.attach(loopback);
  return loopback.transport;
}

test.for(Object.entries(FAULTS))("a link with %s loses nothing and needs no gap", async ([name, faults]) => {
  const running = newBed(name);
  await running.startNode();
  const tally: LinkTally = { sent: 0, delivered: 0 };
  const device = await running.device("radio", withFaults(running, roadTo(running, "loopback"), faults, tally));
  await run(running, device, DURATION_MS, PAUSE_AT_FILL);
  expect(await device.drain()).toBe(true);
  expectTrouble(faults, tally, running.node.counters());
  await expectAllStored(running, device);
});

test.for(["tcp", "mqtt"])("over %s too a link with all faults at once loses nothing and needs no gap", async (road) => {
  const running = newBed(`all at once over ${road}`);
  await running.startNode({
    tcpPort: 0,
    tcpHost: "127.0.0.1",
    broker: { kind: "embedded", port: 0, host: "127.0.0.1" },
  });
  const faults = FAULTS["all of these at once"] ?? {};
  const device = await running.device("radio", withFaults(running, roadTo(running, road), faults));
  await run(running, device, DURATION_MS / 2, PAUSE_AT_FILL);
  expect(await device.drain()).toBe(true);
  await expectAllStored(running, device);
});

/** The link was as bad as it was meant to be. */
function expectTrouble(faults: LinkFaults, { sent, delivered }: LinkTally, counters: Readonly<Record<string, number>>) {
  const { loss = 0, duplicate = 0, corrupt = 0, cuts = [] } = faults;
  process.stdout.write(`${sent} messages sent, ${delivered} delivered; ${JSON.stringify(counters)}\n`);
  expect(sent).toBeGreaterThan(500);
  if (loss > 0 || cuts.length > 0) expect(delivered).toBeLessThan(sent);
  else if (duplicate > 0) expect(delivered).toBeGreaterThan(sent);
  if (duplicate > 0) expect(counters["frames.duplicate"]).toBeGreaterThan(0);
  if (corrupt > 0) expect(counters["frames.state-mismatch"] ?? counters["refused.bad-seal"]).toBeGreaterThan(0);
}

async function expectAllStored(running: TestBed, device: TestDevice): Promise<void> {
  const { evictedSamples } = device.session.stats();
  const view = running.node.device("radio");
  expect(evictedSamples).toBe(0);
  expect(device.next).toBeGreaterThan(100 * FRAME_SAMPLES);
  expect(view?.confirmed.samples).toBe(device.next);
  expect(view?.lost).toEqual({ samples: 0, gaps: 0 });
  const audit = await running.audit("radio");
  expect(audit).toMatchObject({
    lostFrames: 0,
    missingSamples: 0,
    inventedSamples: 0,
    gaps: 0,
    storedSamples: device.next,
  });
  expect(audit.maxErrorOverEps).toBeLessThanOrEqual(1);
  const [reference] = audit.reference;
  expect(reference).toMatchObject({ badSeals: 0, stateHash: view?.stateHash });
}

test.for([0, 0.2])(
  "a ring that overflows while offline declares what it dropped, to the sample (loss %d)",
  async (loss) => {
    const running = newBed(`ring overflow, loss ${loss}`);
    await running.startNode();
    const loopback = new Loopback();
    const faults: LinkFaults = { loss, delayMs: 5 };
    const device = await running.device("radio", withFaults(running, loopback.transport, faults), { ringBytes: 8_192 });
    const takeOffline = async (count: number) => {
      // Else what the device drops may have arrived, and its acknowledgement be cut off.
      if (loss === 0) await running.until("nothing is on its way", () => isSettled(device.session));
      loopback.drop("a cut");
      await running.until("disconnected", () => device.session.stats().phase === "down");
      device.take(count);
      running.node.attach(loopback);
    };
    // Before the first frame of all could be sent, in the middle, and right before the end.
    await takeOffline(20_000);
    await device.session.settled(3, LIMIT_MS);
    for (let round = 0; round < 6; round += 1) {
      device.take(Math.floor(3_000 * running.random.uniform()));
      await device.session.settled(3, LIMIT_MS);
      if (round % 2 === 0) await takeOffline(15_000 + Math.floor(5_000 * running.random.uniform()));
    }
    device.take(FRAME_SAMPLES / 2);
    await running.until("nothing but the open frame is unconfirmed", () => isSettled(device.session));
    const { evictedSamples, pendingSamples } = device.session.stats();
    const view = running.node.device("radio");
    expect(evictedSamples).toBeGreaterThan(20_000);
    // With loss, what the device dropped may have arrived, and only its acknowledgement been lost.
    const lost = view?.lost.samples ?? Number.NaN;
    expect(lost).toBeGreaterThan(20_000);
    if (loss === 0) expect(lost).toBe(evictedSamples);
    else expect(lost).toBeLessThanOrEqual(evictedSamples);
    expect((view?.confirmed.samples ?? 0) + lost + pendingSamples).toBe(device.next);
    const audit = await running.audit("radio");
    expect(audit).toMatchObject({ undeclaredFrames: 0, missingSamples: lost, inventedSamples: 0 });
    expect(audit).toMatchObject({ declaredSamples: lost, storedSamples: view?.confirmed.samples });
    expect(audit.gaps).toBeGreaterThan(1);
    expect(audit.maxErrorOverEps).toBeLessThanOrEqual(1);
  },
);

function isSettled(session: DeviceSession): boolean {
  return session.stats().unconfirmedFrames === 0;
}
