import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MAX_CHANNELS } from "@lockstep/protocol";
import { connectAsync, type MqttClient } from "mqtt";
import { get } from "sparkplug-payload";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openBroker } from "../../broker/open-broker.suite.ts";
import { systemClock } from "../../clock.ts";
import { SILENT_LOGGER } from "../../logger.ts";
import { JSON_VALUES, toValuesMessage } from "../json-message.ts";
import { type DeviceFacts, type SampleBatch, splitBatch } from "../sample-batch.ts";
import { AliasBook } from "./alias-book.ts";
import { BirthDeathNumber } from "./birth-death-number.ts";
import { PrimaryHost } from "./primary-host.ts";
import { deviceData, SPARKPLUG_VALUES } from "./sparkplug-payload.ts";
import { SparkplugPublisher } from "./sparkplug-publisher.ts";

const LIMIT_MS = 20_000;
const START_US = 1_763_000_000_000_000;

let folder = "";
const closing: (() => unknown)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-edge-node-"));
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true });
});

test("bdSeq begins at 0, goes on after a restart, and 255 is followed by 0", () => {
  const store = join(folder, "node.db");
  const numbers = Array.from({ length: 300 }, () => new BirthDeathNumber(store, SILENT_LOGGER).take());
  expect(numbers).toEqual(numbers.map((_, i) => i % 256));
});

test("a file of bdSeq that is damaged, or cannot be written, costs the number and nothing else", () => {
  const store = join(folder, "node.db");
  for (const text of ["", "256", "-1", "1e1", "\0\0\0\0", "x".repeat(10_000)]) {
    writeFileSync(`${store}.sparkplug`, text);
    expect(new BirthDeathNumber(store, SILENT_LOGGER).take(), text).toBe(0);
    expect(readFileSync(`${store}.sparkplug`, "utf8")).toBe("1\n");
  }
  const nowhere = new BirthDeathNumber(join(folder, "none", "node.db"), SILENT_LOGGER);
  expect([nowhere.take(), nowhere.take()]).toEqual([0, 1]);
});

test("a primary host is believed in the order of its own clock, and what is no state is not heard", () => {
  const say = (text: string) => new TextEncoder().encode(text);
  const host = new PrimaryHost();
  for (const text of ["", "ONLINE", "{}", '{"online":"true","timestamp":1}', '{"online":true}', "[true,1]", "null"]) {
    expect(host.hear(say(text)), text).toBe(false);
  }
  expect(host.hear(Uint8Array.of(0xff, 0xfe))).toBe(false);
  expect(host.hear(say('{"online":true,"timestamp":10}'))).toBe(true);
  expect(host.hear(say('{"online":false,"timestamp":9}'))).toBe(false);
  expect(host.isOnline).toBe(true);
  expect(host.hear(say('{"online":false,"timestamp":10}'))).toBe(true);
  host.forget();
  expect(host.isOnline).toBe(false);
  // It was away, and its clock was put right.
  expect(host.hear(say('{"online":true,"timestamp":3}'))).toBe(true);
});

interface Heard {
  readonly verb: string;
  readonly device: string | undefined;
  readonly metrics: readonly { readonly name?: string | null; readonly value: unknown }[];
}

/** An edge node at a broker, and who hears it. */
async function openRig() {
  const broker = await openBroker();
  closing.push(() => broker.close());
  const host = await connectAsync(`mqtt://127.0.0.1:${broker.port}`);
  closing.push(() => host.endAsync(true));
  const heard: Heard[] = [];
  host.on("message", (topic, payload) => {
    const [, , verb = "", , device] = topic.split("/");
    if (verb !== "NCMD") heard.push({ verb, device, metrics: get("spBv1.0")?.decodePayload(payload).metrics ?? [] });
  });
  await host.subscribeAsync("spBv1.0/+/+/node/#");
  const edge = new SparkplugPublisher({
    broker: { stream: () => broker.connect() },
    name: { group: "g", node: "node" },
    host: undefined,
    storeFile: join(folder, "node.db"),
    queueValues: 10_000,
    clock: systemClock(),
    logger: SILENT_LOGGER,
  });
  closing.push(() => edge.close());
  const verbs = () => heard.map(({ verb, device }) => [verb, device].join(" ").trim());
  await vi.waitFor(() => expect(verbs()).toEqual(["NBIRTH"]), LIMIT_MS);
  return { edge, host, heard, verbs };
}

function facts(device: string, epoch: number, ...names: string[]): DeviceFacts {
  const channels = names.map((name) => ({ name, unit: "mm", eps: 0.5 }));
  return { device, epoch, channels, signature: JSON.stringify(channels) };
}

function batch(of: DeviceFacts, n: number, isLate = false): SampleBatch {
  const values = Float64Array.from(of.channels, (_, c) => n + c);
  const about = { state: "confirmed", clock: "device", skipped: 0, lost: 0 } as const;
  return {
    ...about,
    facts: of,
    isLate,
    timesUs: Float64Array.of(START_US + n * 1_000),
    values,
    statuses: new Uint8Array(values.length),
  };
}

function askForBirth(host: MqttClient, value: boolean, name = "Node Control/Rebirth"): void {
  const payload = get("spBv1.0")?.encodePayload({ metrics: [{ name, type: "Boolean", value }] });
  host.publish("spBv1.0/g/NCMD/node", Buffer.from(payload ?? []));
}

test("whoever asks for births a hundred times at once gets them once or twice, and for what is no such wish never", async () => {
  const { edge, host, verbs } = await openRig();
  const pump = facts("pump", 1, "x");
  edge.born(pump);
  host.publish("spBv1.0/g/NCMD/node", "no payload");
  // Templates in templates, deeper than any stack.
  host.publish("spBv1.0/g/NCMD/node", Buffer.alloc(60_000, Buffer.from([0x12, 0x7f, 0x9a, 0x01, 0x7f])));
  askForBirth(host, false);
  askForBirth(host, true, "Node Control/Reboot");
  edge.take(batch(pump, 1));
  await vi.waitFor(() => expect(verbs()).toEqual(["NBIRTH", "DBIRTH pump", "DDATA pump"]), LIMIT_MS);
  for (let i = 0; i < 100; i += 1) askForBirth(host, true);
  await vi.waitFor(() => expect(verbs().filter((verb) => verb === "NBIRTH").length).toBeGreaterThan(1), LIMIT_MS);
  edge.take(batch(pump, 2));
  await vi.waitFor(() => expect(verbs().at(-1)).toBe("DDATA pump"), LIMIT_MS);
  expect(verbs().filter((verb) => verb === "NBIRTH").length).toBeLessThanOrEqual(3);
  expect(verbs().slice(-3)).toEqual(["NBIRTH", "DBIRTH pump", "DDATA pump"]);
});

test("samples of a boot whose channels were others cannot be said, and are counted", async () => {
  const { edge, verbs } = await openRig();
  const [before, after] = [facts("pump", 1, "x", "y"), facts("pump", 2, "x", "z")];
  edge.born(after);
  edge.take(batch(before, 1, true));
  edge.take(batch(after, 2));
  await vi.waitFor(() => expect(edge.tally().values).toBe(2), LIMIT_MS);
  expect(edge.tally().droppedValues).toBe(2);
  await vi.waitFor(() => expect(verbs()).toEqual(["NBIRTH", "DBIRTH pump", "NDATA", "DDATA pump"]), LIMIT_MS);
});

test("what comes of a device that is gone is said between a birth and a death of its own", async () => {
  const { edge, verbs, heard } = await openRig();
  const pump = facts("pump", 1, "x");
  edge.born(pump);
  edge.gone("pump");
  edge.take(batch(pump, 7));
  await vi.waitFor(
    () => expect(verbs()).toEqual(["NBIRTH", "DBIRTH pump", "DDEATH pump", "DBIRTH pump", "DDATA pump", "DDEATH pump"]),
    LIMIT_MS,
  );
  expect(heard.findLast(({ verb }) => verb === "DDATA")?.metrics[0]?.value).toBe(7);
});

test("a metric is flagged while its sample is not good, and once when it is good again", async () => {
  const { edge, heard } = await openRig();
  const pump = facts("pump", 1, "x");
  edge.born(pump);
  for (const [n, status] of [0, 1, 2, 0, 0].entries())
    edge.take({ ...batch(pump, n), statuses: Uint8Array.of(status) });
  await vi.waitFor(() => expect(heard.filter(({ verb }) => verb === "DDATA")).toHaveLength(5), LIMIT_MS);
  const told = heard
    .filter(({ verb }) => verb === "DDATA")
    .map(({ metrics: [metric] }) => {
      const { properties } = (metric ?? {}) as { properties?: Record<string, { value: unknown }> };
      return [properties?.Quality?.value, properties?.status?.value];
    });
  expect(told).toEqual([
    [undefined, undefined],
    [0, "invalid"],
    [0, "saturated"],
    [192, undefined],
    [undefined, undefined],
  ]);
});

test("what is only expected is stale, and the next confirmed sample says that it is good", async () => {
  const { edge, heard } = await openRig();
  const pump = facts("pump", 1, "x");
  edge.born(pump);
  edge.take({ ...batch(pump, 1), state: "extrapolated" });
  edge.take(batch(pump, 2));
  edge.take(batch(pump, 3));
  await vi.waitFor(() => expect(heard.filter(({ verb }) => verb === "DDATA")).toHaveLength(3), LIMIT_MS);
  const told = heard
    .filter(({ verb }) => verb === "DDATA")
    .map(({ metrics: [metric] }) => {
      const { properties } = (metric ?? {}) as { properties?: Record<string, { value: unknown }> };
      return [properties?.Quality?.value, properties?.status?.value];
    });
  expect(told).toEqual([
    [500, "extrapolated"],
    [192, undefined],
    [undefined, undefined],
  ]);
});

test("what is only expected does not wait for a broker, and what was lost is said with the next sample", async () => {
  const { edge } = await openRig();
  const pump = facts("pump", 1, "x");
  edge.born(pump);
  // More than a link takes at once: what comes behind it would wait.
  const wide = facts("wide", 1, ...Array.from({ length: 100 }, (_, c) => `channel-${c}`));
  edge.born(wide);
  for (let n = 0; n < 150; n += 1) edge.take(batch(wide, n));
  const { queuedValues } = edge.tally();
  expect(queuedValues).toBeGreaterThan(0);
  edge.take({ ...batch(pump, 1), state: "extrapolated", lost: 4 });
  expect(edge.tally().queuedValues).toBe(queuedValues);
  edge.take(batch(pump, 2));
  expect(edge.tally().queuedValues).toBe(queuedValues + 1);
});

test("a message fits into 65,535 bytes, whatever its samples are", () => {
  const names = Array.from({ length: MAX_CHANNELS }, (_, c) => `${c}-`.padEnd(64, "n"));
  for (const channels of [1, 2, 7, MAX_CHANNELS]) {
    const of = facts("d".repeat(64), 1, ...names.slice(0, channels));
    const rows = Math.max(1, Math.floor(20_000 / channels));
    const whole: SampleBatch = {
      ...batch(of, 0),
      timesUs: Float64Array.from({ length: rows }, (_, row) => START_US + row * 1_001),
      values: new Float64Array(rows * channels).fill(-1.234567890123456e-300),
      statuses: new Uint8Array(rows * channels).fill(2),
    };
    const aliases = new AliasBook();
    for (let n = 0; n < 300_000; n += 1) aliases.of("others", String(n));
    for (const part of splitBatch(whole, SPARKPLUG_VALUES)) {
      expect(deviceData(255, part, true, new Set(), 1e15, aliases, START_US).length).toBeLessThan(65_535);
    }
    for (const part of splitBatch(whole, JSON_VALUES)) {
      expect(JSON.stringify(toValuesMessage(part, 1e15)).length).toBeLessThan(65_535);
    }
  }
});
