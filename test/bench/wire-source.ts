import {
  type ChannelPlan,
  type Clock,
  type DeviceModule,
  DeviceSession,
  planChannel,
  type Transport,
} from "@lockstep/edge-sdk";
import { imuRecordingPath, recordedSignal, type Signal, seededRandom, walkSignal } from "@lockstep/sim";
import { BenchError } from "./bench-error.ts";
import { ROTOR_EPS, rotor, SEEDS } from "./rotor-session.ts";

/** One signal that is measured on the wire. */
export interface WireSource {
  readonly name: string;
  /** One device for each; a recording has one. */
  readonly seeds: readonly number[];
  readonly channels: readonly ChannelPlan[];
  /** Shape (channels), in the channels' units. */
  readonly eps: readonly number[];
  readonly periodNs: number;
  /** Endless. */
  signal(seed: number): Signal;
}

/** Of each channel's range over the recording: about what a user of an inertial sensor still calls exact. */
export const IMU_REL = 0.01;

/** Of the slow sensor, in degrees. */
export const SLOW_EPS = 0.1;

/** The reference rotor. */
export function rotorSource(): WireSource {
  return source("rotor", SEEDS, rotor, () => ROTOR_EPS);
}

/** A slow sensor, such as a thermometer: one channel, a sample a minute, wandering over some 10 degrees in six hours. */
export function slowSource(): WireSource {
  const options = { channels: 1, rateHz: 1 / 60, amplitude: 10, sigma: 0.02, everyS: 6 * 3600 };
  return source(
    "slow",
    SEEDS,
    (seed) => walkSignal(options, seededRandom(seed)),
    () => SLOW_EPS,
  );
}

/** The hand-held inertial sensor that `sim` ships, 135 s long; it starts again where it ends. */
export function imuSource(): WireSource {
  const recording = recordedSignal(imuRecordingPath(), { isLooping: true });
  return source(
    "IMU",
    [1],
    () => recording,
    (range) => IMU_REL * range,
  );
}

function source(
  name: string,
  seeds: readonly number[],
  signal: (seed: number) => Signal,
  epsOf: (range: number) => number,
): WireSource {
  const { channels, periodNs } = signal(1);
  const eps = channels.map(({ min, max }) => epsOf(max - min));
  return {
    name,
    seeds,
    eps,
    periodNs,
    channels: channels.map((channel, c) => planChannel({ ...channel, eps: eps[c] ?? 0 })),
    signal,
  };
}

/** The source that a lane carries. */
export function sourceOf(sources: readonly WireSource[], { source: name }: { readonly source: string }): WireSource {
  const found = sources.find((source) => source.name === name);
  if (found === undefined) throw new BenchError("unknown-name", { source: name });
  return found;
}

/** Room for a quiet frame or two. */
const FRAMES_PER_SILENCE = 2.5;
const LEAST_SILENCE_MS = 10_000;

interface SourceDevice {
  readonly device: string;
  readonly frameSamples: number;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly seed: number;
  readonly mtu?: number;
}

/** A device with the channels of this source. */
export function openSource(
  { channels, periodNs }: WireSource,
  { seed, ...device }: SourceDevice,
  module: DeviceModule,
): Promise<DeviceSession> {
  return DeviceSession.open({
    ...device,
    module,
    firmware: "bench",
    channels,
    periodNs,
    silenceMs: Math.max(LEAST_SILENCE_MS, (FRAMES_PER_SILENCE * device.frameSamples * periodNs) / 1e6),
    random: seededRandom(seed).fork("device"),
  });
}
