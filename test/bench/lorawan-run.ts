import type { SessionStats } from "@lockstep/edge-sdk";
import { ManualClock } from "@lockstep/sim";
import { DR0_PAYLOAD_BYTES, EU868_DR0 } from "./lorawan-airtime.ts";
import { LoraNetwork, type LoraTally } from "./lorawan-network.ts";
import { deviceModule } from "./rotor-session.ts";
import { openSource, type WireSource } from "./wire-source.ts";

export interface LoraTask {
  readonly source: WireSource;
  readonly seed: number;
  readonly frameSamples: number;
  readonly seconds: number;
  /** See `LoraNetworkOptions`. */
  readonly dutyCycle: number | undefined;
}

export interface LoraRun extends LoraTally {
  readonly task: LoraTask;
  readonly pushed: number;
  readonly device: SessionStats;
}

/** Time passes in steps of at least so much, ms. */
const STEP_MS = 100;

/** Send a signal through the core's link in messages of at most 51 bytes; no real time passes. */
export async function runLora(task: LoraTask): Promise<LoraRun> {
  const { source, seed, frameSamples, seconds, dutyCycle } = task;
  const clock = new ManualClock();
  const network = new LoraNetwork({ clock, modulation: EU868_DR0, dutyCycle, frameSamples });
  const { transport } = network;
  const device = await openSource(
    source,
    { device: source.name, frameSamples, transport, clock, seed, mtu: DR0_PAYLOAD_BYTES },
    deviceModule(),
  );
  await clock.advance(STEP_MS);
  const reader = source.signal(seed).read();
  const row = new Float64Array(source.channels.length);
  const periodMs = source.periodNs / 1e6;
  const pushed = Math.round((1000 * seconds) / periodMs);
  let nextStepMs = STEP_MS;
  for (let i = 1; i <= pushed; i += 1) {
    reader.next(row);
    device.push(row, Math.round(i * periodMs * 1000));
    if (i * periodMs < nextStepMs) continue;
    await clock.advance(STEP_MS + i * periodMs - clock.nowMs());
    nextStepMs = i * periodMs + STEP_MS;
  }
  const stats = device.stats();
  await device.destroy();
  return { ...network.tally, task, pushed, device: stats };
}
