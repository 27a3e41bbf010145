import type { BenchTable } from "./bench.ts";
import {
  airtimeMs,
  DR0_PAYLOAD_BYTES,
  EU868_DR0,
  EU868_DR5,
  EU868_DUTY_CYCLE,
  LORAWAN_OVERHEAD_BYTES,
} from "./lorawan-airtime.ts";
import { type LoraRun, runLora } from "./lorawan-run.ts";
import { median } from "./statistics.ts";
import { frameName, round } from "./wire-cells.ts";
import type { WireSource } from "./wire-source.ts";

/** What a stream would need of the air, per hour of its signal. */
export interface LoraDemand {
  readonly signal: string;
  readonly frameSamples: number;
  readonly frameSeconds: number;
  readonly stream: "Lockstep" | "float32";
  readonly uplinks: number;
  readonly fragments: number;
  readonly applicationBytes: number;
  readonly phyBytes: number;
  readonly airtimeSeconds: number;
  /** Of the same messages at SF7. */
  readonly fastAirtimeSeconds: number;
}

/** What comes of a stream that keeps to the duty cycle. */
export interface LoraOutcome {
  readonly signal: string;
  readonly frameSamples: number;
  readonly frameSeconds: number;
  readonly hours: number;
  readonly uplinks: number;
  readonly airtimePercent: number;
  readonly birthUplinks: number;
  readonly births: number;
  readonly welcomedAfterMinutes: number;
  readonly pushed: number;
  readonly arrived: number;
  /** Dropped by the device, because its ring was full. */
  readonly evicted: number;
  /** In the ring, in the frame in hand, or on their way. */
  readonly waiting: number;
}

const FLOAT_BYTES = 4;
const HOUR_S = 3600;
/** The budget of an hour, s. */
export const HOURLY_AIRTIME_S = HOUR_S * EU868_DUTY_CYCLE;

/** Run a source in frames of each length for some time with nothing in its way; medians over its seeds. */
export async function loraDemand(
  source: WireSource,
  frames: readonly number[],
  seconds: number,
): Promise<LoraDemand[]> {
  const rows: LoraDemand[] = [];
  for (const frameSamples of frames) {
    const runs: LoraRun[] = [];
    for (const seed of source.seeds)
      runs.push(await runLora({ source, seed, frameSamples, seconds, dutyCycle: undefined }));
    const hourly = (of: (run: LoraRun) => number) => (median(runs.map(of)) * HOUR_S) / seconds;
    const [signal, frameSeconds] = [source.name, (frameSamples * source.periodNs) / 1e9];
    const [uplinks, applicationBytes] = [hourly((run) => run.uplinks), hourly(({ bytes }) => bytes)];
    rows.push({
      ...{ signal, frameSamples, frameSeconds, stream: "Lockstep", uplinks, applicationBytes },
      fragments: hourly(({ fragments }) => fragments),
      phyBytes: applicationBytes + LORAWAN_OVERHEAD_BYTES * uplinks,
      airtimeSeconds: hourly((run) => run.airtimeMs) / 1000,
      fastAirtimeSeconds: hourly((run) => run.fastAirtimeMs) / 1000,
    });
    rows.push(plainDemand(source, frameSamples));
  }
  return rows;
}

/** Float32, a frame in as many messages as it takes. */
export function plainDemand({ name, channels, periodNs }: WireSource, frameSamples: number): LoraDemand {
  const frameBytes = frameSamples * channels.length * FLOAT_BYTES;
  const frameSeconds = (frameSamples * periodNs) / 1e9;
  const [full, restBytes] = [Math.floor(frameBytes / DR0_PAYLOAD_BYTES), frameBytes % DR0_PAYLOAD_BYTES];
  const perHour = HOUR_S / frameSeconds;
  const uplinks = perHour * (full + (restBytes > 0 ? 1 : 0));
  const seconds = (modulation: typeof EU868_DR0) => {
    const rest = restBytes > 0 ? airtimeMs(modulation, LORAWAN_OVERHEAD_BYTES + restBytes) : 0;
    return (perHour * (full * airtimeMs(modulation, LORAWAN_OVERHEAD_BYTES + DR0_PAYLOAD_BYTES) + rest)) / 1000;
  };
  return {
    ...{ signal: name, frameSamples, frameSeconds, stream: "float32", uplinks, fragments: 0 },
    applicationBytes: perHour * frameBytes,
    phyBytes: perHour * frameBytes + LORAWAN_OVERHEAD_BYTES * uplinks,
    airtimeSeconds: seconds(EU868_DR0),
    fastAirtimeSeconds: seconds(EU868_DR5),
  };
}

/** Run a source's first seed within the duty cycle. */
export async function loraOutcome(source: WireSource, frameSamples: number, hours: number): Promise<LoraOutcome> {
  const [seed = 1] = source.seeds;
  const run = await runLora({ source, seed, frameSamples, seconds: hours * HOUR_S, dutyCycle: EU868_DUTY_CYCLE });
  return {
    signal: source.name,
    frameSamples,
    frameSeconds: (frameSamples * source.periodNs) / 1e9,
    hours,
    uplinks: run.uplinks,
    airtimePercent: run.airtimeMs / (hours * HOUR_S * 10),
    birthUplinks: run.birthUplinks,
    births: run.births,
    welcomedAfterMinutes: run.welcomedAtMs / 60_000,
    pushed: run.pushed,
    arrived: run.samples,
    evicted: run.device.evictedSamples,
    waiting: run.pushed - run.samples - run.device.evictedSamples,
  };
}

export function demandTable(rows: readonly LoraDemand[]): BenchTable {
  return {
    title: `LoRaWAN, EU868 DR0, messages of at most ${DR0_PAYLOAD_BYTES} B: needed per hour of signal`,
    columns: [
      "signal",
      "frame",
      "stream",
      "up-links",
      "of them fragments",
      "application B",
      `with ${LORAWAN_OVERHEAD_BYTES} B each`,
      "airtime SF12, s",
      `of the allowed ${HOURLY_AIRTIME_S} s`,
      "SF7, same messages",
    ],
    rows: rows.map((row) => [
      row.signal,
      frameName(row),
      row.stream,
      round(row.uplinks),
      round(row.fragments),
      round(row.applicationBytes),
      round(row.phyBytes),
      round(row.airtimeSeconds),
      `${round(row.airtimeSeconds / HOURLY_AIRTIME_S)} x`,
      `${round(row.fastAirtimeSeconds / HOURLY_AIRTIME_S)} x`,
    ]),
  };
}

export function outcomeTable(rows: readonly LoraOutcome[]): BenchTable {
  return {
    title: `LoRaWAN, EU868 DR0, kept to the duty cycle of ${100 * EU868_DUTY_CYCLE} %: what arrives`,
    columns: [
      "signal",
      "frame",
      "hours",
      "up-links",
      "airtime, %",
      "birth, up-links",
      "births sent",
      "welcomed after, min",
      "samples",
      "arrived",
      "waiting",
      "dropped",
    ],
    rows: rows.map((row) => [
      row.signal,
      frameName(row),
      row.hours,
      row.uplinks,
      round(row.airtimePercent),
      row.birthUplinks,
      row.births,
      round(row.welcomedAfterMinutes),
      row.pushed,
      row.arrived,
      row.waiting,
      row.evicted,
    ]),
  };
}
