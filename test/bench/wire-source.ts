import {
  type ChannelPlan,
  type Clock,
  type DeviceModule,
  DeviceSession,
  planChannel,
  type Transport,
} from "@lockstep/edge-sdk";
import { imuRecordingPath, recordedSignal, type Signal, seededRandom } from "@lockstep/sim";
import { RATE_HZ, ROTOR_EPS, rotor, SEEDS, silenceMs } from "./rotor-session.ts";

/** One signal that is measured on the wire: six channels at 100 Hz, so that all have the same size as float32. */
export interface WireSource {
  readonly name: "rotor" | "IMU";
  /** One device for each; a recording has one. */
  readonly seeds: readonly number[];
  readonly channels: readonly ChannelPlan[];
  /** Shape (channels), in the channels' units. */
  readonly eps: readonly number[];
  /** Endless. */
  signal(seed: number): Signal;
}

/** Of each channel's range over the recording: about what a user of an inertial sensor still calls exact. */
export const IMU_REL = 0.01;

/** The reference rotor. */
export function rotorSource(): WireSource {
  return source("rotor", SEEDS, rotor, () => ROTOR_EPS);
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
  name: WireSource["name"],
  seeds: readonly number[],
  signal: (seed: number) => Signal,
  epsOf: (range: number) => number,
): WireSource {
  const channels = signal(1).channels;
  const eps = channels.map(({ min, max }) => epsOf(max - min));
  return {
    name,
    seeds,
    eps,
    channels: channels.map((channel, c) => planChannel({ ...channel, eps: eps[c] ?? 0 })),
    signal,
  };
}

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
  { channels }: WireSource,
  { seed, ...device }: SourceDevice,
  module: DeviceModule,
): Promise<DeviceSession> {
  return DeviceSession.open({
    ...device,
    module,
    firmware: "bench",
    channels,
    periodNs: 1e9 / RATE_HZ,
    silenceMs: silenceMs(device.frameSamples),
    random: seededRandom(seed).fork("device"),
  });
}
