import { spawn } from "node:child_process";
import { once } from "node:events";
import { seededRandom } from "@lockstep/sim";
import { type FleetKills, killUnderFleet } from "../faults/fleet-rig.ts";
import type { Victim } from "../faults/kill-rig.ts";
import { type KillSeries, runKillSeries } from "../faults/kill-series.ts";
import { SEED } from "../faults/seed.ts";
import type { Bench, BenchGoal, BenchTable } from "./bench.ts";

const KILLS = 20;
const QUICK_KILLS = 4;
const STARTS = 10;
const VICTIMS: readonly Victim[] = ["node", "broker", "node and broker", "device host"];
const FLEETS = [100, 1_000];
const FLEET_KILLS = 5;
const QUICK_FLEETS = [100];
const QUICK_FLEET_KILLS = 2;
const MUST_MS = 5_000;
const AIM_MS = 1_000;

/** How long devices wait for the next confirmation when something is killed with kill -9 and started again at once. */
export const benchRecovery: Bench = async ({ isQuick }) => {
  const [kills, fleetSizes, fleetKills] =
    isQuick === true ? [QUICK_KILLS, QUICK_FLEETS, QUICK_FLEET_KILLS] : [KILLS, FLEETS, FLEET_KILLS];
  const startMs = await medianStartMs();
  const rows: (string | number)[][] = [];
  const goals: BenchGoal[] = [];
  for (const victim of VICTIMS) {
    const series = await runKillSeries(victim, kills, {
      seed: SEED,
      random: seededRandom(SEED).fork(`kill of ${victim}`),
    });
    const { median, longest } = recoveries(series);
    const { confirmed, lost } = frames(series);
    const times = Number((median / startMs).toFixed(1));
    rows.push([victim, kills, confirmed, lost, Math.round(median), Math.round(longest), times]);
    goals.push(
      { what: `confirmed frames lost, ${victim}`, measured: lost, unit: "frames", must: { atMost: 0 } },
      {
        what: `median recovery, ${victim}`,
        measured: Math.round(median),
        unit: "ms",
        must: { below: MUST_MS },
        aim: AIM_MS,
      },
    );
  }
  const fleets = new Map<number, FleetKills>();
  for (const devices of fleetSizes) fleets.set(devices, await killUnderFleet(devices, fleetKills, SEED));
  for (const [devices, found] of fleets) goals.push(...fleetGoals(devices, found));
  return {
    more: [fleetTable(fleets)],
    title: "Recovery from kill -9",
    columns: ["killed", "kills", "frames confirmed", "of these lost", "median ms", "longest ms", "× a bare Node start"],
    rows,
    goals,
    notes: [
      "Three devices over mosquitto and two over TCP in one process, 50 frames/s each, their rings in files; a cloud node in another. Every kill while frames are unacknowledged.",
      "From the kill to the moment at which all five devices have had another frame confirmed; the process is started again at once, so most of it is its start.",
      `A bare Node start, \`node -e 0\`, took ${Math.round(startMs)} ms here (median of ${STARTS}).`,
      "Fleets: devices over the node's embedded broker in one process, one frame of 8 samples and two channels a second each, so that up to a second of every recovery is the wait for a device's next frame; what is told is of all devices and kills.",
      "kill -9 is not a power cut, of which `npm run bench -- power-loss` tells: what the operating system had taken from the process is kept.",
    ],
  };
};

function fleetTable(fleets: ReadonlyMap<number, FleetKills>): BenchTable {
  const columns = [
    "devices",
    "kills of node and broker",
    "frames confirmed",
    "of these lost",
    "unconfirmed at a kill, at most",
    "half of the devices, ms",
    "99 of 100, ms",
    "the last one, ms",
  ];
  const rows = [...fleets].map(([devices, { afterMs, confirmedFrames, lostFrames, unacknowledged }]) => {
    const all = afterMs.flat().sort((a, b) => a - b);
    const at = (share: number) =>
      Math.round(all[Math.min(all.length - 1, Math.floor(share * all.length))] ?? Number.NaN);
    const most = Math.max(...unacknowledged);
    return [devices, afterMs.length, confirmedFrames, lostFrames, most, at(0.5), at(0.99), at(1)];
  });
  return { title: "With a fleet", columns, rows };
}

function fleetGoals(devices: number, { afterMs, lostFrames, missingSamples, isDrained }: FleetKills): BenchGoal[] {
  const last = afterMs.map((one) => one.at(-1) ?? Number.NaN).sort((a, b) => a - b);
  const measured = Math.round(last[last.length >> 1] ?? Number.NaN);
  const missing = isDrained ? missingSamples : Number.NaN;
  const what = `median recovery of the last of ${devices} devices`;
  return [
    { what: `confirmed frames lost, ${devices} devices`, measured: lostFrames, unit: "frames", must: { atMost: 0 } },
    { what: `samples missing, ${devices} devices`, measured: missing, unit: "samples", must: { atMost: 0 } },
    { what, measured, unit: "ms", must: { below: MUST_MS }, aim: AIM_MS },
  ];
}

function recoveries({ kills }: KillSeries): { readonly median: number; readonly longest: number } {
  const sorted = kills.map(({ recoveryMs }) => recoveryMs).sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1] ?? Number.NaN, longest: sorted.at(-1) ?? Number.NaN };
}

function frames({ audits }: KillSeries): { readonly confirmed: number; readonly lost: number } {
  return {
    confirmed: audits.reduce((sum, { confirmedFrames }) => sum + confirmedFrames, 0),
    lost: audits.reduce((sum, { lostFrames }) => sum + lostFrames, 0),
  };
}

async function medianStartMs(): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < STARTS; i += 1) {
    const startMs = performance.now();
    await once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "exit");
    times.push(performance.now() - startMs);
  }
  return times.sort((a, b) => a - b)[STARTS >> 1] ?? Number.NaN;
}
