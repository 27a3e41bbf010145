import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "@lockstep/sim";
import { BEHAVIOURS, type BrokerPlace } from "../conformance/broker-behaviours.ts";
import { DIFFERENCES } from "../conformance/broker-differences.ts";
import { openBroker } from "../conformance/broker-under-test.ts";
import { BehaviourError } from "../conformance/mqtt-connection.ts";
import type { RigBroker, Victim } from "../faults/kill-rig.ts";
import { type KillSeries, runKillSeries } from "../faults/kill-series.ts";
import { SEED } from "../faults/seed.ts";
import { programPath } from "../os-package.ts";
import type { Bench, BenchGoal, BenchTable } from "./bench.ts";

const BROKERS: readonly RigBroker[] = ["embedded", "mosquitto", "nats-server"];
const KILLS = 5;
const QUICK_KILLS = 1;

/** What devices and node rely on, tried on every broker; what they do differently; and frames lost when they are killed. */
export const benchBrokers: Bench = async ({ isQuick }) => {
  const columns = BROKERS.map(versionOf);
  const [relied, differ] = [new Map<string, string[]>(), new Map<string, string[]>()];
  let missed = 0;
  for (const broker of BROKERS) {
    await withBroker(broker, async (place) => {
      for (const { name, check } of BEHAVIOURS) {
        const cell = await outcome(() => check(place()));
        missed += cell.startsWith("**no") ? 1 : 0;
        relied.set(name, [...(relied.get(name) ?? []), cell]);
      }
      for (const { name, look } of DIFFERENCES) differ.set(name, [...(differ.get(name) ?? []), await look(place())]);
    });
  }
  const kills = await killTable(isQuick === true ? QUICK_KILLS : KILLS);
  const reliedOn = new Map(BEHAVIOURS.map((behaviour) => [behaviour.name, behaviour.reliedOn]));
  return {
    title: "What is relied on in a broker",
    columns: ["behaviour", "who relies on it", ...columns],
    rows: [...relied].map(([name, cells]) => [name, reliedOn.get(name) ?? "", ...cells]),
    goals: [
      { what: "behaviours relied on that a broker lacks", measured: missed, unit: "", must: { atMost: 0 } },
      ...kills.goals,
    ],
    more: [
      {
        title: "What brokers do each in their own way",
        columns: ["nothing relies on it", ...columns],
        rows: [...differ].map(([name, cells]) => [name, ...cells]),
      },
      kills.table,
    ],
    notes: [
      "Every behaviour is a test of its own, `npm test -- brokers`; each packet is written and read by hand, so that no client library stands between.",
      "NATS is reached through its MQTT gateway, with JetStream for sessions and retained messages; mosquitto without persistence and without a limit of its queue (by default it drops what waits beyond a thousand messages).",
      "Kills: three devices over the broker and two over TCP, 50 frames/s each, their rings in files; kill -9 while frames are unacknowledged, and everything started again at once. Recovery: until all five devices had another frame confirmed.",
    ],
  };
};

async function withBroker(broker: RigBroker, use: (place: () => BrokerPlace) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-broker-"));
  const running = await openBroker(broker, folder);
  let places = 0;
  try {
    await use(() => {
      places += 1;
      return { port: running.port, group: `g${places}` };
    });
  } finally {
    await running.stop();
    rmSync(folder, { recursive: true });
  }
}

async function outcome(check: () => Promise<string | undefined>): Promise<string> {
  try {
    const detail = await check();
    return detail === undefined ? "yes" : `yes: ${detail}`;
  } catch (error) {
    if (!(error instanceof BehaviourError)) throw error;
    return `**no**: ${error.message}`;
  }
}

async function killTable(kills: number): Promise<{ readonly table: BenchTable; readonly goals: readonly BenchGoal[] }> {
  const rows: (string | number)[][] = [];
  const goals: BenchGoal[] = [];
  for (const broker of BROKERS) {
    const victims: readonly Victim[] = broker === "embedded" ? ["node"] : ["broker", "node and broker"];
    for (const victim of victims) {
      const random = seededRandom(SEED).fork(`brokers: ${victim} of ${broker}`);
      const series = await runKillSeries(victim, kills, { seed: SEED, random, broker });
      const { confirmed, lost, apart } = lossesOf(series);
      const recoveries = series.kills.map(({ recoveryMs }) => recoveryMs).sort((a, b) => a - b);
      const [median = Number.NaN, longest = Number.NaN] = [recoveries[recoveries.length >> 1], recoveries.at(-1)];
      const killed = victim === "node" ? "node with its broker" : victim;
      rows.push([broker, killed, kills, confirmed, lost, apart, Math.round(median), Math.round(longest)]);
      const what = `confirmed frames lost, ${broker}, kill -9 of ${killed}`;
      goals.push({ what, measured: lost, unit: "frames", must: { atMost: 0 } });
      const twins = `twins that differ from a reference, ${broker}, kill -9 of ${killed}`;
      goals.push({ what: twins, measured: apart, unit: "", must: { atMost: 0 } });
    }
  }
  const columns = [
    "broker",
    "killed",
    "kills",
    "frames confirmed",
    "of these lost",
    "twins apart",
    "median ms",
    "longest ms",
  ];
  return { table: { title: "From device to twin, with the broker killed", columns, rows }, goals };
}

function lossesOf({ audits, live }: KillSeries) {
  const isApart = ({ id, reference }: KillSeries["audits"][number]) => {
    const newest = reference.at(-1);
    const twin = live.find((one) => one.id === id);
    return twin?.stateHash !== newest?.stateHash || twin?.confirmedSeq !== newest?.next;
  };
  return {
    confirmed: audits.reduce((sum, { confirmedFrames }) => sum + confirmedFrames, 0),
    lost: audits.reduce((sum, { lostFrames }) => sum + lostFrames, 0),
    apart: audits.filter(isApart).length,
  };
}

/** A broker as a column is called: its name and version. */
function versionOf(broker: RigBroker): string {
  if (broker === "embedded") return `embedded, aedes ${aedesVersion()}`;
  const args = broker === "mosquitto" ? ["-h"] : ["--version"];
  const told = spawnSync(programPath(broker), args, { encoding: "utf8" }).stdout;
  return `${broker} ${/\d+\.\d+\.\d+/.exec(told)?.[0] ?? ""}`;
}

function aedesVersion(): string {
  const ofNode = createRequire(import.meta.resolve("@lockstep/cloud-node"));
  const manifest = ofNode.resolve("aedes").replace(/(node_modules\/aedes\/).*$/, "$1package.json");
  return String(JSON.parse(readFileSync(manifest, "utf8")).version);
}
