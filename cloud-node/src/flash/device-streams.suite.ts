import { expect, vi } from "vitest";
import { openHistory } from "../history/history.ts";
import { EPS, SeededRandom, signal } from "../test-device.suite.ts";

export const LIMIT_MS = 10_000;
const PERIOD_US = 10_000;
const START_US = 1_000_000;
const TICK_MS = 10;
const TICK_SAMPLES = 10;

/** A device of whichever kind, as far as its samples go. */
export interface StreamingDevice {
  readonly id: string;
  push(values: number[], timeUs: number): void;
  drained(limitMs: number): Promise<boolean>;
  close(): Promise<void>;
}

/** Signals of devices that never pause, and what they were. */
export class DeviceStreams {
  readonly #devices: StreamingDevice[] = [];
  readonly #truth = new Map<string, number[][]>();
  #pump: ReturnType<typeof setInterval> | undefined;

  get count(): number {
    return this.#devices.length;
  }

  /** A device streams from now on. */
  add(device: StreamingDevice): void {
    this.#devices.push(device);
    this.#truth.set(device.id, []);
    const random = new SeededRandom(99);
    this.#pump ??= setInterval(() => {
      for (const one of this.#devices) {
        const rows = this.#truth.get(one.id) ?? [];
        for (let i = 0; i < TICK_SAMPLES; i++) {
          const values = signal(random, rows.length);
          one.push(values, START_US + rows.length * PERIOD_US);
          rows.push(values);
        }
      }
    }, TICK_MS);
  }

  /** Wait until a device has taken so many samples more. */
  async goOn(device: string, samples: number): Promise<void> {
    const rows = this.#truth.get(device) ?? [];
    const goal = rows.length + samples;
    await vi.waitFor(() => expect(rows.length).toBeGreaterThanOrEqual(goal), { timeout: LIMIT_MS, interval: 2 });
  }

  /** End the streams, and compare all that is stored with what was measured. @returns largest error over eps */
  async verify(storeFile: string, id: string): Promise<number> {
    clearInterval(this.#pump);
    for (const device of this.#devices) expect(await device.drained(LIMIT_MS), device.id).toBe(true);
    const rows = this.#truth.get(id) ?? [];
    const history = await openHistory(storeFile);
    try {
      const samples = [...history.samples(id)];
      expect(history.gaps(id)).toEqual([]);
      expect(samples.length).toBe(rows.length);
      let worst = 0;
      for (const { timeUs, values } of samples) {
        const truth = rows[(timeUs - START_US) / PERIOD_US] ?? [];
        for (const [c, value] of values.entries()) {
          worst = Math.max(worst, Math.abs(value - (truth[c] ?? Number.NaN)) / EPS);
        }
      }
      return worst;
    } finally {
      history.close();
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#pump);
    for (const device of this.#devices) await device.close();
  }
}
