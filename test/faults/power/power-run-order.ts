import { join } from "node:path";

/** What the process whose disk is written down is started with. */
export interface PowerRunOrder {
  readonly seed: number;
  readonly folder: string;
  /** Of samples, in each of the three parts of the run: at first, after a device's reboot, after the node's. */
  readonly rounds: number;
}

/** Devices of the run; `index` picks a signal. */
export const POWER_DEVICES = [
  { id: "unit", index: 0 },
  { id: "other", index: 1 },
] as const;

/** Samples between the first ones of two boots. */
export const BOOT_SAMPLES = 1_000_000;
/** Boots of a device that a run may have: a later one takes its samples from beyond. */
export const RUN_BOOTS = 3;
export const POWER_FRAME_SAMPLES = 25;
export const RING_BYTES = 8_192;

/** A device's ring, in the folder whose operations are written down. */
export function ringOf(folder: string, device: string): string {
  return join(folder, `${device}.ring`);
}

/** The account of what was promised: no part of what a power cut takes, because who was promised something remembers. */
export const MARKS = "journal";
