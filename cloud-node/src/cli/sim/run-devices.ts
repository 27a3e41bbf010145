import { mkdirSync } from "node:fs";
import {
  createFleet,
  type DevicePlan,
  type DeviceSummary,
  deviceNames,
  paceInRealTime,
  type SimulatedDevice,
  seededRandom,
  totalSummary,
} from "@lockstep/sim";
import { formatCounted } from "../../api/number-text.ts";
import { CommandError } from "../command-error.ts";
import { shippedDevices } from "../device-module.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import { writeTruthRecipe } from "../truth/truth-recipe.ts";
import { untilInterrupt } from "../until-interrupt.ts";
import { checkLine, checkStore } from "./check-store.ts";
import { credentialsFor, macKeysFor } from "./device-credentials.ts";
import { type DeviceOptions, destination } from "./device-options.ts";
import { updatesFor } from "./device-updates.ts";
import { LinkProblems } from "./link-problems.ts";

/** How long the last frames may take to be confirmed. */
const SETTLE_MS = 30_000;

/** After so long a person is told what is waited for. */
const TELL_AFTER_MS = 1_000;

/**
 * Run simulated devices in real time until their signals end, a duration is over, or Ctrl-C; then let the cloud confirm
 * what they hold.
 *
 * @throws {CommandError} `not-reachable` when something was not confirmed in the end
 */
export async function runDevices(
  surroundings: Surroundings,
  plans: readonly DevicePlan[],
  options: DeviceOptions,
): Promise<void> {
  const { clock, random, interrupt, stderr } = surroundings;
  const names = plans.flatMap(deviceNames);
  const url = destination(options, names.length);
  if (options.profile === "lite" && options.lookahead !== "none") {
    const problem = "--profile lite with --lookahead";
    throw new CommandError("usage", problem, "a gateway has the full profile: leave one of them out");
  }
  // Read before the first of them is switched on.
  const credentials = new Map(names.map((id) => [id, credentialsFor(options, id, names.length)]));
  const macKeys = macKeysFor(options, names);
  const failures: string[] = [];
  const problems = new LinkProblems((text) => stderr.write(`lockstep sim: ${text}\n`));
  const devices = createFleet({
    plans,
    endpoint: (_plan, id) => ({ url, group: options.group, credentials: credentials.get(id) }),
    ...shippedDevices(options.profile),
    macKeyOf: (id) => macKeys.get(id),
    updates: updatesFor(options),
    clock,
    random: seededRandom(options.seed),
    nonces: random,
    onProblem: (id, problem) => problems.add(id, problem),
    onRecovery: (id) => problems.remove(id),
  });
  try {
    if (options.testTruth !== undefined) tellTruths(options.testTruth, plans, devices, options.seed);
    await Promise.all(devices.map((device) => device.powerOn()));
    stderr.write(`lockstep sim: ${formatCounted(devices.length, "device")} to ${url}\n`);
    const pace = paceInRealTime(devices, clock, (device, error) => {
      failures.push(`${device.id}: ${error instanceof Error ? error.message : error}`);
    });
    await Promise.race([untilInterrupt(interrupt, clock, options.duration), pace.ended]);
    pace.stop();
    for (const device of devices) device.flush();
    await settle(surroundings, devices);
    const summaries = devices.map((device) => device.summary());
    const check = options.check === undefined ? undefined : await checkStore(options.check, devices);
    const result = { devices: summaries, total: totalSummary(summaries), check };
    const told = [summaryLine(summaries), ...(check === undefined ? [] : [checkLine(check)])].join("\n");
    await writeResult(surroundings, options.json, result, told);
    if (check?.isTrue === false)
      throw new CommandError("expectation-failed", checkLine(check), "keep the store, and report it");
    const unconfirmed = result.total.samples - result.total.confirmed;
    if (failures.length > 0) throw new CommandError("missing-part", failures.join("; "), "");
    if (unconfirmed > 0) {
      const down = devices.find((device) => device.stats?.phase === "down" && problems.of(device.id) !== undefined);
      const remedy = (down && problems.of(down.id)) ?? `is a node listening at ${url}?`;
      const told = `${formatCounted(unconfirmed, "sample")} ${unconfirmed === 1 ? "was" : "were"} not confirmed`;
      throw new CommandError("not-reachable", told, remedy);
    }
  } finally {
    await Promise.all(devices.map((device) => device.close()));
  }
}

/**
 * Say what the devices are made of, for a node that is to compare.
 *
 * @throws {CommandError} `file`
 */
function tellTruths(
  folder: string,
  plans: readonly DevicePlan[],
  devices: readonly SimulatedDevice[],
  seed: number,
): void {
  try {
    mkdirSync(folder, { recursive: true });
    const signals = new Map(plans.flatMap((plan) => deviceNames(plan).map((id) => [id, plan.signal] as const)));
    for (const { id: device, startUs, eps } of devices) {
      const signal = signals.get(device);
      if (signal !== undefined) writeTruthRecipe(folder, { device, seed, startUs, eps, signal });
    }
  } catch (cause) {
    const problem = `nothing can be written to ${folder} (${cause instanceof Error ? cause.message : cause})`;
    throw new CommandError("file", problem, "give --test-truth another folder", { cause });
  }
}

/** Wait for what the devices hold to be confirmed; Ctrl-C gives it up. */
async function settle({ clock, interrupt, stderr }: Surroundings, devices: readonly SimulatedDevice[]): Promise<void> {
  const settled = Promise.all(devices.map((device) => device.settled(0, SETTLE_MS)));
  const timer = clock.setTimer(() => {
    const { samples, confirmed } = totalSummary(devices.map((device) => device.summary()));
    const limit = `up to ${SETTLE_MS / 1000} s; Ctrl-C gives up`;
    stderr.write(
      `lockstep sim: waiting for ${formatCounted(samples - confirmed, "sample")} to be confirmed, ${limit}\n`,
    );
  }, TELL_AFTER_MS);
  // Where Ctrl-C ended the signal, the next one ends the process.
  await (interrupt.aborted ? settled : Promise.race([settled, untilInterrupt(interrupt, clock)]));
  timer.cancel();
}

function summaryLine(summaries: readonly DeviceSummary[]): string {
  const { samples, confirmed, rawBytes, payloadBytes, bytes, bytesDown } = totalSummary(summaries);
  const ratio = payloadBytes > 0 ? ` (${(rawBytes / payloadBytes).toFixed(1)}x)` : "";
  return [
    `${formatCounted(samples, "sample")} taken, ${confirmed} confirmed`,
    `${rawBytes} B as float32, ${payloadBytes} B of payload${ratio}`,
    `${bytes} B sent and ${bytesDown} B received in messages`,
  ].join("; ");
}
