import type { Clock } from "../clock.ts";
import { TokenBucket } from "./token-bucket.ts";

/** What each device may send. */
export interface DeviceRateLimits {
  /** On average, > 0. */
  readonly framesPerSecond: number;
  /** Of frames, on average, > 0. */
  readonly bytesPerSecond: number;
  /** At once. */
  readonly burstFrames: number;
  /** Of frames, at once; a longer frame is never taken. */
  readonly burstBytes: number;
}

/**
 * Seconds of its rate that a device may send at once: a device that comes back sends a window of 2,048 frames before it
 * waits for an answer, and must find room for it.
 */
const BURST_SECONDS = 2;
/** Frames that fit into any burst. */
const LEAST_BURST_FRAMES = 4_096;
/** Of frames of any length, in bytes. */
const LEAST_BURST_BYTES = 1 << 20;

/** Rates with the bursts that go well with them. @param framesPerSecond  > 0 @param bytesPerSecond  > 0 */
export function deviceRateLimits(framesPerSecond: number, bytesPerSecond: number): DeviceRateLimits {
  return {
    framesPerSecond,
    bytesPerSecond,
    burstFrames: Math.max(BURST_SECONDS * framesPerSecond, LEAST_BURST_FRAMES),
    burstBytes: Math.max(BURST_SECONDS * bytesPerSecond, LEAST_BURST_BYTES),
  };
}

/** Counts what each device sends, and says when it is too much. */
export class DeviceRates {
  readonly #limits: DeviceRateLimits;
  readonly #clock: Clock;
  readonly #buckets = new WeakMap<object, { readonly frames: TokenBucket; readonly bytes: TokenBucket }>();

  constructor(limits: DeviceRateLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Account for a message that came. @param device  whatever stands for it @returns which limit it is over: it counts for neither then */
  over(device: object, bytes: number): "frames" | "bytes" | undefined {
    const nowMs = this.#clock.nowMs();
    const buckets = this.#of(device, nowMs);
    if (!buckets.frames.has(1, nowMs)) return "frames";
    if (!buckets.bytes.has(bytes, nowMs)) return "bytes";
    buckets.frames.take(1);
    buckets.bytes.take(bytes);
    return undefined;
  }

  #of(device: object, nowMs: number) {
    const known = this.#buckets.get(device);
    if (known !== undefined) return known;
    const { framesPerSecond, bytesPerSecond, burstFrames, burstBytes } = this.#limits;
    const made = {
      frames: new TokenBucket(framesPerSecond, burstFrames, nowMs),
      bytes: new TokenBucket(bytesPerSecond, burstBytes, nowMs),
    };
    this.#buckets.set(device, made);
    return made;
  }
}
