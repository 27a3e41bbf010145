import { readFileSync } from "node:fs";
import {
  compileDeviceModule,
  type DeviceModule,
  DeviceSession,
  type DeviceSessionOptions,
  planChannel,
  type RandomSource,
  systemClock,
} from "@lockstep/edge-sdk";

/** The module that devices and twins of these tests share. */
export const DEVICE_WASM = new Uint8Array(readFileSync(new URL("../../edge-sdk/build/device.wasm", import.meta.url)));
const MODULE: DeviceModule = compileDeviceModule(DEVICE_WASM);

/** Numerical Recipes' generator: seeded, and good enough to draw test inputs with. */
export class SeededRandom implements RandomSource {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  uint32(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    // The low bits of such a generator repeat soon; its high half does not.
    const high = this.#state >>> 16;
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return ((high << 16) | (this.#state >>> 16)) >>> 0;
  }

  /** 0 … limit − 1. */
  below(limit: number): number {
    return Math.floor((this.uint32() / 2 ** 32) * limit);
  }
}

export const EPS = 0.05;
export const PERIOD_NS = 10_000_000;
export const CHANNELS = ["x", "y"].map((name) => planChannel({ name, eps: EPS, min: -16, max: 16 }));

/** Two noisy sines: what the device saw at its n-th sample. */
export function signal(random: SeededRandom, n: number): number[] {
  return [0, 1].map((c) => 3 * Math.sin(n / (9 + 4 * c)) + (random.below(1000) - 500) / 2000);
}

/** A device that runs the real link. */
export function openDevice(
  options: Pick<DeviceSessionOptions, "device" | "transport" | "random"> & Partial<DeviceSessionOptions>,
): Promise<DeviceSession> {
  return DeviceSession.open({
    channels: CHANNELS,
    frameSamples: 20,
    periodNs: PERIOD_NS,
    silenceMs: 2_000,
    module: MODULE,
    clock: systemClock(),
    ...options,
  });
}
