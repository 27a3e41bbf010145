import { openHistory } from "@lockstep/cloud-node";
import type { DeviceAccount } from "./ack-journal.ts";
import type { HostedDevice } from "./messages.ts";
import { decodeReference, type ReferenceEpoch } from "./reference-decode.ts";
import { EPS, sampleAtTime, truthAt } from "./truth.ts";

/** What a store holds of one device, beside what the device was promised and what it measured. */
export interface StoreAudit {
  readonly id: string;
  /** Frames that an ack covered. */
  readonly confirmedFrames: number;
  /** Of these, not in the store. */
  readonly lostFrames: number;
  /** Of these, not declared lost either. */
  readonly undeclaredFrames: number;
  /** Samples that were in a ring. */
  readonly framedSamples: number;
  /** Of these, not in the store. */
  readonly missingSamples: number;
  /** At a time when no sample was taken, or twice. */
  readonly inventedSamples: number;
  readonly storedSamples: number;
  /** Largest |stored − measured| / eps. */
  readonly maxErrorOverEps: number;
  readonly gaps: number;
  /** Samples declared lost. */
  readonly declaredSamples: number;
  readonly reference: readonly ReferenceEpoch[];
}

/**
 * Compare a store that no node has open with a device's journal and its signal.
 *
 * @param seed  of the signals
 */
export async function auditStore(
  storeFile: string,
  seed: number,
  device: HostedDevice,
  account: DeviceAccount,
): Promise<StoreAudit> {
  const history = await openHistory(storeFile);
  const isKnown = history.devices().includes(device.id);
  const seen = new Set<number>();
  let [inventedSamples, maxErrorOverEps] = [0, 0];
  try {
    for (const { timeUs, values } of isKnown ? history.samples(device.id) : []) {
      const n = sampleAtTime(timeUs);
      if (!Number.isInteger(n) || seen.has(n)) {
        inventedSamples += 1;
        continue;
      }
      seen.add(n);
      for (const [c, truth] of truthAt(seed, device.index, n).entries()) {
        const error = Math.abs((values[c] ?? Number.NaN) - truth) / EPS;
        maxErrorOverEps = Math.max(maxErrorOverEps, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
      }
    }
    const reference = isKnown ? decodeReference(storeFile, device.id) : [];
    let [framedSamples, missingSamples] = [0, 0];
    for (const { from, to } of account.framed) {
      framedSamples += to - from;
      for (let n = from; n < to; n += 1) missingSamples += seen.has(n) ? 0 : 1;
    }
    const gaps = isKnown ? history.gaps(device.id) : [];
    let [confirmedFrames, lostFrames, undeclaredFrames] = [0, 0, 0];
    for (const [epoch, through] of account.confirmed) {
      confirmedFrames += through;
      const stored = reference.find((one) => one.epoch === epoch)?.seqs ?? new Set<number>();
      for (let seq = 0; seq < through; seq += 1) {
        if (stored.has(seq)) continue;
        lostFrames += 1;
        const isDeclared = gaps.some((gap) => gap.epoch === epoch && seq >= gap.from && seq <= gap.through);
        undeclaredFrames += isDeclared ? 0 : 1;
      }
    }
    return {
      id: device.id,
      confirmedFrames,
      lostFrames,
      undeclaredFrames,
      framedSamples,
      missingSamples,
      inventedSamples,
      storedSamples: seen.size,
      maxErrorOverEps,
      gaps: gaps.length,
      declaredSamples: gaps.reduce((sum, { samples }) => sum + samples, 0),
      reference,
    };
  } finally {
    history.close();
  }
}
