import type { SampleBatch } from "./sample-batch.ts";

/** The one schema of plain JSON; another number if a field changes its meaning or goes. */
export const JSON_SCHEMA = "lockstep.values.1";

/** Channel-samples in a message at most: with every digit and the longest qualities still less than 65,535 bytes. */
export const JSON_VALUES = 1_000;

/** What a status of the codec means to a consumer. */
export type SampleQuality = "good" | "invalid" | "saturated";

/** Samples of one device, as consumers of plain JSON read them. @see docs/guides/sparkplug.md, "Plain JSON" */
export interface ValuesMessage {
  readonly schema: typeof JSON_SCHEMA;
  readonly device: string;
  /** Which boot of the device; higher is later. */
  readonly epoch: number;
  /** `extrapolated`: what the twin expects now; no bound holds for it, and a confirmed sample follows. */
  readonly state: "confirmed" | "extrapolated";
  /** Unix time of every sample, ms with up to three decimals. */
  readonly time: readonly number[];
  readonly clock: "device" | "node";
  /** Whether newer samples were told before these. */
  readonly late: boolean;
  /** Samples since the message before that were confirmed and are in no message. */
  readonly skipped: number;
  /** Samples since the message before that the device lost for good. */
  readonly lost: number;
  readonly channels: readonly {
    readonly name: string;
    readonly unit: string;
    /** |value − original| ≤ eps where quality is good; null where no bound holds. */
    readonly eps: number | null;
    readonly value: readonly number[];
    readonly quality: readonly SampleQuality[];
  }[];
}

const QUALITIES: readonly SampleQuality[] = ["good", "invalid", "saturated"];

/** @param dropped  samples of the device given up since its message before, skipped ones not counted */
export function toValuesMessage(batch: SampleBatch, dropped: number): ValuesMessage {
  const { facts, state, timesUs, clock, values, statuses } = batch;
  const count = facts.channels.length;
  const column = <T>(c: number, of: (at: number) => T): T[] => {
    return Array.from({ length: timesUs.length }, (_, row) => of(row * count + c));
  };
  return {
    schema: JSON_SCHEMA,
    device: facts.device,
    epoch: facts.epoch,
    state,
    time: Array.from(timesUs, (timeUs) => timeUs / 1000),
    clock,
    late: batch.isLate,
    skipped: batch.skipped + dropped,
    lost: batch.lost,
    channels: facts.channels.map(({ name, unit, eps }, c) => ({
      name,
      unit,
      eps: state === "confirmed" ? eps : null,
      value: column(c, (at) => values[at] ?? 0),
      quality: column(c, (at) => QUALITIES[statuses[at] ?? 0] ?? "invalid"),
    })),
  };
}
