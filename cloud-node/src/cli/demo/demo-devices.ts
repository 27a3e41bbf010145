import { createSignal, type EpsRule, type Signal, type SignalSpec, seededRandom } from "@lockstep/sim";

/** One device of the demo. */
export interface DemoDevice {
  readonly id: string;
  readonly signal: SignalSpec;
  readonly eps: EpsRule;
}

/** The reference rotor, and the handheld IMU recording that comes with the simulator. */
export const DEMO_DEVICES: readonly DemoDevice[] = [
  { id: "imu-1", signal: { name: "recorded", file: "imu" }, eps: { rel: 1e-2 } },
  { id: "rotor-1", signal: { name: "rotor" }, eps: { abs: 0.05 } },
];

/** How the table names the bounds above. */
export const DEMO_EPS_TEXT = "0.05, imu 1 %";

/**
 * One second of samples in a frame: a person sees the twins move, at 20 and more times fewer bytes. Frames of five
 * seconds would halve the bytes again, and one sample per frame would save nothing at all over MQTT.
 */
export const DEMO_FRAME_SAMPLES = 100;
/** A device says at least this often that it is there. */
export const DEMO_SILENCE_MS = 2000;

/** The signal of a device: the same one wherever it is made from the same seed. */
export function demoSignal({ id, signal }: DemoDevice, seed: number): Signal {
  return createSignal(signal, seededRandom(seed).fork(`signal of ${id}`));
}
