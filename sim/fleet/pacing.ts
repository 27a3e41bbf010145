import type { Clock, Timer } from "@lockstep/edge-sdk";
import type { SimulatedDevice } from "./simulated-device.ts";

/** Frames that a device may have unconfirmed before the next samples are made for it. */
const AHEAD_FRAMES = 64;
/** Samples made at once; a device with frames of many samples fills at most a few of them. */
const STRIDE_SAMPLES = 50;
/** Longest time between two looks at devices that sample slowly. */
const LONGEST_TICK_MS = 100;

/** A signal that runs in real time until it is stopped. */
export interface Pace {
  /** Resolves when every signal is over; never for endless ones. */
  readonly ended: Promise<void>;
  stop(): void;
}

/**
 * Take every device's samples when they fall due on the clock, however late the timer was: sample n at n periods after
 * the start.
 *
 * @param onError  told when a device fails; the pace goes on without it
 */
export function paceInRealTime(
  devices: readonly SimulatedDevice[],
  clock: Clock,
  onError: (device: SimulatedDevice, error: unknown) => void,
): Pace {
  const startMs = clock.nowMs();
  const timers = new Map<SimulatedDevice, Timer>();
  let finish = () => {};
  const ended = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const step = (device: SimulatedDevice) => {
    timers.delete(device);
    const periodMs = device.signal.periodNs / 1e6;
    try {
      const isGoingOn = device.advanceTo(Math.floor((clock.nowMs() - startMs) / periodMs) + 1);
      if (isGoingOn) schedule(device, startMs + device.next * periodMs - clock.nowMs());
    } catch (error) {
      onError(device, error);
    }
    if (timers.size === 0) finish();
  };
  const schedule = (device: SimulatedDevice, inMs: number) => {
    timers.set(
      device,
      clock.setTimer(() => step(device), Math.min(Math.max(0, inMs), LONGEST_TICK_MS)),
    );
  };
  for (const device of devices) schedule(device, 0);
  return {
    ended,
    stop() {
      for (const timer of timers.values()) timer.cancel();
      timers.clear();
      finish();
    },
  };
}

/**
 * Take samples as fast as the cloud confirms them.
 *
 * @param samples  to take, counted from sample 0
 * @param stallMs  give up when nothing was confirmed for this long
 * @returns false when it gave up
 */
export async function paceByConfirmation(device: SimulatedDevice, samples: number, stallMs: number): Promise<boolean> {
  while (device.next < samples && !device.hasEnded) {
    device.advanceTo(Math.min(samples, device.next + STRIDE_SAMPLES));
    if (!(await device.settled(AHEAD_FRAMES, stallMs))) return false;
    // Acknowledgements and other devices get their turn between two strides.
    await new Promise((resolve) => setImmediate(resolve));
  }
  device.flush();
  return await device.settled(0, stallMs);
}
