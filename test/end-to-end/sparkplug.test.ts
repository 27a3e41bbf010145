import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Mosquitto } from "../faults/mosquitto.ts";
import { requires } from "../os-package.ts";
import { SparkplugHost } from "./sparkplug-host.ts";
import {
  bornAgain,
  expectTold,
  LIMIT_MS,
  type Measured,
  RepublishingNode,
  TracedDevice,
  until,
} from "./sparkplug-rig.ts";

const TEST_MS = 180_000;
const QUEUED = 'lockstep_republish_queued_values{format="sparkplug"}';
const EPS = 0.05;
const TWO: Measured = { eps: EPS, channels: ["x", "y"] };
const THREE: Measured = { eps: EPS / 2, channels: ["x", "y", "z"] };

let folder = "";
const closing: (() => Promise<void>)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-sparkplug-"));
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true });
});

async function startMosquitto(): Promise<Mosquitto> {
  const broker = await Mosquitto.start(folder);
  closing.push(() => broker.stop());
  return broker;
}

async function startNode(...options: string[]): Promise<RepublishingNode> {
  const node = await RepublishingNode.create(
    folder,
    "--republish",
    "sparkplug",
    "--republish-samples",
    "all",
    ...options,
  );
  closing.push(() => node.stop());
  await node.start();
  return node;
}

function startHost(port: number, ...options: string[]): SparkplugHost {
  const host = new SparkplugHost(port, ...options);
  closing.push(() => host.close());
  return host;
}

async function boot(node: RepublishingNode, name: string, measured: Measured, truth: Map<number, number[]>, from = 0) {
  const device = await TracedDevice.boot(name, node.tcpPort, measured, truth, from);
  closing.push(() => device.off());
  return device;
}

/** Births carry what a consumer has to know. */
function expectBirth(host: SparkplugHost, device: string, { channels, eps }: Measured): void {
  const birth = host.messages.findLast((one) => one.verb === "DBIRTH" && one.device === device);
  for (const name of channels) {
    const metric = birth?.metrics.find((one) => one.name === name);
    expect(metric?.properties).toMatchObject({ engUnit: "mm", eps, Quality: 192 });
  }
  expect(birth?.metrics.filter(({ name }) => !name?.startsWith("Lockstep/")).map(({ name }) => name)).toEqual(channels);
}

requires(
  "python3-sparkplug",
  "protoc",
  "mosquitto",
)("an independent Sparkplug host", () => {
  test.for(["embedded", "mosquitto"] as const)(
    "finds no rule broken and every stored value over restarts of devices and node, and rebirths, by %s",
    { timeout: TEST_MS },
    async (kind) => {
      const broker = kind === "mosquitto" ? await startMosquitto() : undefined;
      const node = await startNode(...(broker === undefined ? [] : ["--republish-to", broker.url]));
      const host = startHost(broker?.port ?? node.mqttPort);
      const truths = { pump: new Map<number, number[]>(), fan: new Map<number, number[]>() };
      const told = (device: keyof typeof truths) => () => host.values(device).size === truths[device].size;

      await until("the host is there", () => host.connections === 1);
      await bornAgain(host, 0);
      let pump = await boot(node, "pump", TWO, truths.pump);
      let fan = await boot(node, "fan", TWO, truths.fan);
      // Until seq has begun anew.
      while (!host.messages.some(({ seq }) => seq === 255)) await Promise.all([pump.measure(20), fan.measure(20)]);
      await until("all was told", () => told("pump")() && told("fan")());
      expectBirth(host, "pump", TWO);

      await bornAgain(host, 2);
      const birth = host.messages.findLast(({ verb, device }) => verb === "DBIRTH" && device === "pump");
      expect(birth?.metrics[0]).toMatchObject({ name: "x", null: false, timestamp: Math.max(...truths.pump.keys()) });
      await pump.measure(40);
      await until("data goes on", told("pump"));

      const deaths = host.count("DDEATH", "pump");
      const [bornPump, bornFan] = [host.count("DBIRTH", "pump"), host.count("DBIRTH", "fan")];
      await pump.off();
      await until("the device is dead", () => host.count("DDEATH", "pump") > deaths);
      pump = await boot(node, "pump", TWO, truths.pump, pump.next);
      await pump.measure(60);
      await until("another boot is another birth", () => told("pump")() && host.count("DBIRTH", "pump") > bornPump);

      await fan.off();
      fan = await boot(node, "fan", THREE, truths.fan, fan.next);
      await fan.measure(60);
      await until("other channels are another birth", () => told("fan")() && host.count("DBIRTH", "fan") > bornFan);
      expectBirth(host, "fan", THREE);

      for (const end of ["stop", "kill"] as const) {
        const [nodeDeaths, connections] = [host.count("NDEATH"), host.connections];
        await node[end]();
        if (kind === "mosquitto") await until("the node is dead", () => host.count("NDEATH") > nodeDeaths);
        await node.start();
        if (kind === "embedded") await until("the host is back", () => host.connections > connections);
        await bornAgain(host, 2);
        await pump.measure(40);
        await fan.measure(40);
        await until("data goes on after a restart", () => told("pump")() && told("fan")());
      }
      expect(host.wrongs()).toEqual([]);
      const numbers = host.messages.filter(({ verb }) => verb === "NBIRTH").map(({ metrics }) => metrics[0]?.value);
      expect([...new Set(numbers)]).toEqual([0, 1, 2]);
      await expectTold(host, node.store, "pump", truths.pump, EPS);
      await expectTold(host, node.store, "fan", truths.fan, EPS);
      expect(await node.metric('lockstep_republish_dropped_values_total{format="sparkplug"}')).toBe(0);
    },
  );

  test("gets what was confirmed while its broker was away, after the births and marked as historical", {
    timeout: TEST_MS,
  }, async () => {
    const broker = await startMosquitto();
    // A host that says when it is there misses nothing: births and data wait for it.
    const node = await startNode("--republish-to", broker.url, "--republish-required", "--sparkplug-host", "scada");
    const ready = async () => (await fetch(`${node.http}/readyz`)).status;
    const host = startHost(broker.port, "--id", "scada");
    const truth = new Map<number, number[]>();
    await until("the host is there", () => host.connections === 1);
    host.say("online");
    await until("the node is born", () => host.count("NBIRTH") === 1);
    const pump = await boot(node, "pump", TWO, truth);
    await pump.measure(100);
    await until("all was told", () => host.values("pump").size === truth.size);
    expect(await ready()).toBe(200);

    for (let i = 1; i <= 2; i += 1) {
      process.kill(broker.pid, "SIGKILL");
      await expect.poll(ready, { timeout: LIMIT_MS }).toBe(503);
      await pump.measure(100);
      await expect.poll(() => node.metric(QUEUED), { timeout: LIMIT_MS }).toBe(200);
      await broker.restart();
      await until("the host is back", () => host.connections === i + 1);
      host.say("online");
      await until("all was told", () => host.values("pump").size === truth.size);
      await pump.measure(20);
      await until("it goes on", () => host.values("pump").size === truth.size);
    }
    expect(host.wrongs()).toEqual([]);
    const rows = [...host.values("pump").values()];
    expect(rows.filter((row) => row.get("x")?.historical === true)).toHaveLength(200);
    await expectTold(host, node.store, "pump", truth, EPS);
    expect(await node.metric('lockstep_republish_dropped_values_total{format="sparkplug"}')).toBe(0);
    expect(await node.metric('lockstep_republish_connections_total{format="sparkplug"}')).toBe(3);
  });

  test("hears nothing before the primary host is online, and nothing while it is offline", {
    timeout: TEST_MS,
  }, async () => {
    const broker = await startMosquitto();
    const node = await startNode("--republish-to", broker.url, "--sparkplug-host", "scada", "--sparkplug-node", "east");
    const host = startHost(broker.port, "--id", "scada");
    const truth = new Map<number, number[]>();
    await until("the host is there", () => host.connections === 1);
    const pump = await boot(node, "pump", TWO, truth);
    await pump.measure(60);
    await expect.poll(() => node.metric(QUEUED), { timeout: LIMIT_MS }).toBe(120);
    expect(host.messages).toEqual([]);
    // Not required, so no reason for not being ready.
    expect((await fetch(`${node.http}/readyz`)).status).toBe(200);
    host.say("online");
    await until("all was told", () => host.values("pump").size === truth.size);
    expect(host.messages[0]).toMatchObject({ verb: "NBIRTH", node: "east", seq: 0 });
    expect(
      host
        .values("pump")
        .get([...truth.keys()][0] ?? 0)
        ?.get("x")?.historical,
    ).toBe(true);

    host.say("offline");
    await until("the node dies", () => host.count("NDEATH") === 1);
    const heard = host.messages.length;
    await pump.measure(60);
    await expect
      .poll(() => node.metric('lockstep_republish_connections_total{format="sparkplug"}'), { timeout: LIMIT_MS })
      .toBe(2);
    expect(host.messages.length).toBe(heard);
    host.say("online");
    await until("the rest was told", () => host.values("pump").size === truth.size);
    expect(host.wrongs()).toEqual([]);
    const numbers = host.messages.filter(({ verb }) => verb === "NBIRTH").map(({ metrics }) => metrics[0]?.value);
    expect(numbers).toEqual([0, 1]);
  });

  test("plain JSON has every stored value with its bound, unit, time and quality", { timeout: TEST_MS }, async () => {
    const broker = await startMosquitto();
    const node = await RepublishingNode.create(
      folder,
      "--republish",
      "json",
      "--republish-samples",
      "all",
      "--republish-to",
      broker.url,
      "--republish-topic",
      "plant/{group}/{device}/values",
    );
    closing.push(() => node.stop());
    await node.start();
    const host = startHost(broker.port, "--also", "plant/#");
    const truth = new Map<number, number[]>();
    await until("the host is there", () => host.connections === 1);
    const pump = await boot(node, "pump", TWO, truth);
    await pump.measure(150);
    const messages = () => host.texts.map(({ text }) => JSON.parse(text) as JsonValues);
    await until("all was told", () => messages().flatMap(({ time }) => time).length === truth.size);
    expect(new Set(host.texts.map(({ topic }) => topic))).toEqual(new Set(["plant/lockstep/pump/values"]));
    for (const message of messages()) {
      expect(message).toMatchObject({
        schema: "lockstep.values.1",
        device: "pump",
        epoch: 1,
        state: "confirmed",
        clock: "device",
        late: false,
        skipped: 0,
        lost: 0,
      });
      for (const [c, { name, unit, eps, value, quality }] of message.channels.entries()) {
        expect({ name, unit, eps }).toEqual({ name: TWO.channels[c], unit: "mm", eps: EPS });
        expect(new Set(quality)).toEqual(new Set(["good"]));
        for (const [row, time] of message.time.entries()) {
          expect(Math.abs((value[row] ?? Number.NaN) - (truth.get(time)?.[c] ?? Number.NaN))).toBeLessThanOrEqual(EPS);
        }
      }
    }
  });
});

interface JsonValues {
  readonly time: readonly number[];
  readonly channels: readonly {
    readonly name: string;
    readonly unit: string;
    readonly eps: number;
    readonly value: readonly number[];
    readonly quality: readonly string[];
  }[];
}
