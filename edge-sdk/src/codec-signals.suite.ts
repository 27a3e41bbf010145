import { readFileSync, writeFileSync } from "node:fs";
import { type Core, loadBatchCore, loadCore } from "./core.ts";

/** Fixtures of the codec's tests: the built modules, a seed, and signals by name. */

/** The seed of random tests; LOCKSTEP_SEED=N repeats a failure that names N. */
export const SEED = Number(process.env.LOCKSTEP_SEED ?? 20_261);

/** What a payload may be, as its decoder is told. */
export const PLAIN = { hasEvents: false, hasLines: false };
export const WITH_EVENTS = { hasEvents: true, hasLines: false };
export const WITH_LINES = { hasEvents: false, hasLines: true };

/** Bytes of a built module. */
export function moduleBytes(target: "device" | "device-lite" | "batch" | "update"): Uint8Array {
  return readFileSync(new URL(`../build/${target}.wasm`, import.meta.url));
}

/** A fresh instance of device.wasm. */
export function deviceCore(): Core {
  return loadCore(moduleBytes("device"));
}

/** A fresh instance of device-lite.wasm. */
export function liteCore(): Core {
  return loadCore(moduleBytes("device-lite"));
}

/** A fresh instance of batch.wasm. */
export function batchCore(): Core {
  return loadBatchCore(moduleBytes("batch"));
}

/** A seeded source of uniform and normal numbers. @see Marsaglia, "Xorshift RNGs", 2003, for the generator */
export class SeededNoise {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed ^ 0x9e3779b9) >>> 0 || 1;
    for (let i = 0; i < 16; i++) this.uint32();
  }

  uint32(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return this.uint32() / 2 ** 32;
  }

  /** Normal with mean 0 and deviation 1. @see Box and Muller, 1958 */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Uniform over all of int32. */
  int32(): number {
    return this.uint32() | 0;
  }
}

/** A signal of shape (rows, channels), row-major. */
export interface Signal {
  readonly channels: number;
  readonly values: Float32Array;
}

type Generator = (noise: SeededNoise, rows: number) => Signal;

/** One channel at a time: row and channel to value. */
function rows(count: number, channels: number, valueAt: (t: number, c: number) => number): Signal {
  const values = new Float32Array(count * channels);
  for (let t = 0; t < count; t++) for (let c = 0; c < channels; c++) values[t * channels + c] = valueAt(t, c);
  return { channels, values };
}

/** Signals of different character, each from a seed. */
export const SIGNALS: Readonly<
  Record<"walk" | "tones" | "vibration" | "steps" | "ramp" | "sines" | "rotor", Generator>
> = {
  /** Two coupled random walks. */
  walk(noise, count) {
    const levels = [0, 0];
    return rows(count, 2, (_, c) => {
      levels[c] = (levels[c] ?? 0) + noise.normal() + (c === 1 ? 0.02 * (levels[0] ?? 0) - 0.02 * (levels[1] ?? 0) : 0);
      return levels[c] ?? 0;
    });
  },
  /** Four channels of two sines each, with noise. */
  tones(noise, count) {
    return rows(
      count,
      4,
      (t, c) => Math.sin(0.07 * t + c) + 0.4 * Math.sin(0.31 * t * (1 + c / 10)) + 0.02 * noise.normal(),
    );
  },
  /** Three channels of a damped resonance driven by noise. */
  vibration(noise, count) {
    const last = [0, 0, 0];
    const before = [0, 0, 0];
    return rows(count, 3, (_, c) => {
      const next = 1.6 * (last[c] ?? 0) - 0.9 * (before[c] ?? 0) + noise.normal();
      before[c] = last[c] ?? 0;
      last[c] = next;
      return next;
    });
  },
  /** One level that jumps now and then, with a little noise. */
  steps(noise, count) {
    let level = 0;
    return rows(count, 1, () => {
      if (noise.uniform() < 0.05) level = 10 * noise.uniform();
      return level + 0.05 * noise.normal();
    });
  },
  /** One channel that rises evenly, without noise. */
  ramp(_noise, count) {
    return rows(count, 1, (t) => t);
  },
  /** One channel of three slow sines, without noise. */
  sines(_noise, count) {
    return rows(
      count,
      1,
      (t) => Math.sin(0.001 * t) + 0.5 * Math.sin(0.0023 * t + 1) + 0.25 * Math.sin(0.0057 * t + 2),
    );
  },
  /** The reference rotor: 100 rad/s at 100 Hz, six channels, each with N(0, 0.01). */
  rotor(noise, count) {
    return rows(count, 6, (t, c) => {
      const p = t; // 100 rad/s / 100 Hz
      const pure = [
        Math.sin(p),
        Math.cos(p),
        0.8 + 0.02 * Math.sin(p),
        0.5 * Math.sin(p + 0.3),
        0.5 * Math.cos(p + 0.3),
        1 + 0.1 * Math.sin(p + 1),
      ];
      return (pure[c] ?? 0) + 0.01 * noise.normal();
    });
  },
};

/** Write a signal as float32, little-endian, row-major: what the rate oracle reads. */
export function writeSignal(name: keyof typeof SIGNALS, count: number, seed: number, file: string): void {
  const { values } = SIGNALS[name](new SeededNoise(seed), count);
  writeFileSync(file, new Uint8Array(values.buffer));
}
