import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Duplex, duplexPair } from "node:stream";
import { Loopback } from "@lockstep/edge-sdk";
import { connectAsync } from "mqtt";
import { get } from "sparkplug-payload";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { EmbeddedBroker } from "../broker/embedded-broker.ts";
import { openBroker } from "../broker/open-broker.suite.ts";
import { systemClock } from "../clock.ts";
import { SILENT_LOGGER } from "../logger.ts";
import { CloudNode } from "../node.ts";
import { openDevice, SeededRandom } from "../test-device.suite.ts";
import type { ValuesMessage } from "./json-message.ts";
import type { RepublishFormat } from "./publisher.ts";
import { Republisher } from "./republisher.ts";

const LIMIT_MS = 30_000;
const QUEUE_VALUES = 4_000;
const START_US = 1_763_000_000_000_000;

let folder = "";
const closing: (() => unknown)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-slow-"));
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true });
});

/** A way to a broker that can be shut: then the broker takes nothing more, and says nothing about it. */
class Valve {
  readonly #broker: EmbeddedBroker;
  #ends: readonly [Duplex, Duplex] | undefined;

  constructor(broker: EmbeddedBroker) {
    this.#broker = broker;
  }

  stream(): Duplex {
    const [near, far] = duplexPair();
    const inner = this.#broker.connect();
    inner.pipe(far);
    far.pipe(inner);
    far.on("close", () => inner.destroy());
    inner.on("close", () => far.destroy());
    this.#ends = [far, inner];
    return near;
  }

  shut(): void {
    this.#ends?.[0].unpipe();
  }

  open(): void {
    const [far, inner] = this.#ends ?? [];
    if (inner !== undefined) far?.pipe(inner);
  }
}

async function openRig(formats: readonly RepublishFormat[]) {
  const clock = systemClock();
  const broker = await openBroker();
  closing.push(() => broker.close());
  const consumer = await connectAsync(`mqtt://127.0.0.1:${broker.port}`);
  closing.push(() => consumer.endAsync(true));
  const heard: { readonly topic: string; readonly payload: Buffer }[] = [];
  consumer.on("message", (topic, payload) => heard.push({ topic, payload }));
  await consumer.subscribeAsync(["lockstep/#", "spBv1.0/#"], { qos: 1 });
  const acks = { everyFrames: 4, ageMs: 20 };
  const node = await CloudNode.open({
    storeFile: join(folder, "store.db"),
    broker: null,
    logger: SILENT_LOGGER,
    clock,
    acks,
  });
  closing.push(() => node.close());
  const valve = new Valve(broker);
  const republisher = Republisher.open({
    node,
    formats,
    broker: { stream: () => valve.stream() },
    group: "lockstep",
    topic: "lockstep/{device}",
    sparkplug: { group: "lockstep", node: "node", host: undefined },
    everyMs: 0,
    samples: "all",
    extrapolated: false,
    isRequired: true,
    queueValues: QUEUE_VALUES,
    clock,
    logger: SILENT_LOGGER,
  });
  closing.push(() => republisher.close());
  await vi.waitFor(() => expect(republisher.problem).toBeNull(), LIMIT_MS);
  const loopback = new Loopback();
  node.attach(loopback);
  const session = await openDevice({
    device: "pump",
    transport: loopback.transport,
    random: new SeededRandom(4),
    frameSamples: 100,
  });
  closing.push(() => session.close());
  let next = 0;
  const send = async (count: number): Promise<void> => {
    for (const end = next + count; next < end; next += 1) {
      session.push([Math.sin(next), next % 7], START_US + next * 10_000);
      if (next % 2_000 === 1_999) expect(await session.drained(LIMIT_MS)).toBe(true);
    }
    session.flush();
    expect(await session.drained(LIMIT_MS)).toBe(true);
  };
  const tally = () => republisher.report().formats[0];
  return { node, valve, heard, send, tally };
}

/** 31,000 samples of two channels, most of them while the broker takes nothing; and then a thousand more. */
async function overrun(format: RepublishFormat) {
  const { node, valve, heard, send, tally } = await openRig([format]);
  await send(1_000);
  await vi.waitFor(() => expect(tally()).toMatchObject({ values: 2_000, queuedValues: 0 }), LIMIT_MS);
  valve.shut();
  await send(30_000);
  // Every device was acknowledged meanwhile: what is stored waits for nobody.
  expect(node.device("pump")?.confirmed.samples).toBe(31_000);
  await vi.waitFor(() => expect(tally()?.droppedValues).toBeGreaterThan(20_000), LIMIT_MS);
  expect(tally()?.queuedValues).toBeLessThanOrEqual(QUEUE_VALUES);
  valve.open();
  await vi.waitFor(() => expect(tally()?.queuedValues).toBe(0), LIMIT_MS);
  await send(1_000);
  const all = 2 * 32_000;
  await vi.waitFor(() => expect((tally()?.values ?? 0) + (tally()?.droppedValues ?? 0)).toBe(all), LIMIT_MS);
  return { heard, tally };
}

test("a broker that takes nothing holds up no device, and JSON says how many samples are in no message", async () => {
  const { heard, tally } = await overrun("json");
  const messages = (): ValuesMessage[] => heard.map(({ payload }) => JSON.parse(String(payload)) as ValuesMessage);
  const rows = () => messages().reduce((sum, { time }) => sum + time.length, 0);
  await vi.waitFor(() => expect(2 * rows()).toBe(tally()?.values), LIMIT_MS);
  expect(messages().reduce((sum, { skipped }) => sum + skipped, 0)).toBe(32_000 - rows());
  const times = messages().flatMap(({ time }) => time);
  expect(times.every((time, i) => i === 0 || time > (times[i - 1] ?? 0))).toBe(true);
});

test("a broker that takes nothing leaves no hole in Sparkplug's seq, and what was dropped is said", async () => {
  const { heard, tally } = await overrun("sparkplug");
  const codec = get("spBv1.0");
  const payloads = () => heard.map(({ payload }) => codec?.decodePayload(payload));
  const dropped = () =>
    payloads()
      .flatMap((one) => one?.metrics ?? [])
      .findLast((metric) => metric.type === "Int64" && Number(metric.value) > 20_000);
  await vi.waitFor(() => expect(Number(dropped()?.value)).toBe(tally()?.droppedValues), LIMIT_MS);
  const numbers = payloads().map((one) => Number(one?.seq));
  expect(numbers[0]).toBe(0);
  expect(numbers.slice(1).every((seq, i) => seq === ((numbers[i] ?? Number.NaN) + 1) % 256)).toBe(true);
  expect(numbers.length).toBeGreaterThan(5);
});
