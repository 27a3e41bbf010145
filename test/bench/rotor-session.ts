import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  type ChannelPlan,
  compileDeviceModule,
  type DeviceModule,
  DeviceSession,
  type DeviceSessionOptions,
  Loopback,
  planChannel,
  type SessionStats,
} from "@lockstep/edge-sdk";
import { decodeFrame, encodeFrame, isSequenced } from "@lockstep/protocol";
import { ManualClock, REFERENCE_ROTOR, rotorSignal, type Signal, seededRandom } from "@lockstep/sim";

/** The rotor's bound, in the channels' unit: five times the noise. */
export const ROTOR_EPS = 0.05;
/** Of the median that is quoted. */
export const SEEDS: readonly number[] = [1, 2, 3, 4, 5, 6];
/** Learning is over by then: the first half of a run is "from cold", the second "steady". */
export const HALF_SECONDS = 60;
export const RATE_HZ = REFERENCE_ROTOR.rateHz;
/** One float32 of each of six channels. */
export const RAW_BYTES_PER_SAMPLE = 24;

/** The bytes of the module that ships. */
export function deviceModuleBytes(): Uint8Array {
  return readFileSync(fileURLToPath(import.meta.resolve("@lockstep/edge-sdk/device.wasm")));
}

/** The module that ships. */
export function deviceModule(): DeviceModule {
  return compileDeviceModule(deviceModuleBytes());
}

/** The reference rotor: 100 rad/s, 100 Hz, six channels, σ = 0.01. */
export function rotor(seed: number): Signal {
  return rotorSignal(REFERENCE_ROTOR, seededRandom(seed));
}

/** What the rotor asks of the codec. */
export function rotorChannels(eps = ROTOR_EPS): ChannelPlan[] {
  return rotor(0).channels.map(({ name, unit, min, max }) => planChannel({ name, unit, min, max, eps }));
}

/** Longest silence that a device with frames of this length promises: room for a quiet frame or two, 10 s at least. */
export function silenceMs(frameSamples: number): number {
  return Math.max(10_000, (2500 * frameSamples) / RATE_HZ);
}

/** What one run of the real link put on the wire: cumulative numbers after each half. */
export interface RotorRun {
  readonly cold: SessionStats;
  readonly all: SessionStats;
  /** Every data frame in order. */
  readonly frames: readonly SentFrame[];
}

/** Sizes of one data frame. */
export interface SentFrame {
  readonly kind: "keyframe" | "residual";
  /** Samples that it counts as quiet before its own. */
  readonly quiet: number;
  readonly bytes: number;
  readonly payloadBytes: number;
}

/** Send the rotor through the core's link to a far end that acknowledges every frame; no time passes. */
export async function runRotor(seed: number, frameSamples: number, module = deviceModule()): Promise<RotorRun> {
  const loopback = new Loopback();
  const frames: SentFrame[] = [];
  let nonce = 0;
  let through = 0;
  loopback.listen({
    connected() {},
    disconnected() {},
    message(bytes) {
      const frame = decodeFrame(bytes);
      if (frame.kind === "birth") {
        nonce = frame.nonce;
        loopback.send(
          encodeFrame({ kind: "welcome", nonce, epoch: 1, through: 0, alias: "", ackAgeMs: 1000, timeUs: 0 }),
        );
        return;
      }
      if (!isSequenced(frame)) return;
      if (frame.kind !== "heartbeat") {
        const quiet = frame.kind === "residual" ? frame.quiet : 0;
        frames.push({ kind: frame.kind, quiet, bytes: bytes.length, payloadBytes: frame.payload.length });
      }
      through += 1;
      loopback.send(encodeFrame({ kind: "ack", nonce, epoch: 1, through, missing: [] }));
    },
  });
  const clock = new ManualClock();
  const session = await openRotor({
    device: "rotor",
    frameSamples,
    transport: loopback.transport,
    module,
    clock,
    seed,
  });
  await clock.advance(0);
  const reader = rotor(seed).read();
  const row = new Float64Array(6);
  const half = HALF_SECONDS * RATE_HZ;
  const play = async () => {
    for (let i = 1; i <= half; i += 1) {
      reader.next(row);
      session.push(row, Math.round(clock.nowMs() * 1000));
      if (i % frameSamples === 0) await clock.advance((1000 * frameSamples) / RATE_HZ);
    }
    return session.stats();
  };
  const cold = await play();
  const all = await play();
  await session.destroy();
  return { cold, all, frames };
}

interface RotorDevice extends Pick<DeviceSessionOptions, "device" | "frameSamples" | "transport" | "clock" | "onStep"> {
  readonly module?: DeviceModule;
  readonly seed: number;
  readonly eps?: number;
}

/** A device with the rotor's channels. */
export function openRotor({ seed, eps, module = deviceModule(), ...device }: RotorDevice): Promise<DeviceSession> {
  return DeviceSession.open({
    ...device,
    module,
    firmware: "bench",
    channels: rotorChannels(eps),
    periodNs: 1e9 / RATE_HZ,
    silenceMs: silenceMs(device.frameSamples),
    random: seededRandom(seed).fork("device"),
  });
}
