import { rotorTwinSignal } from "@lockstep/sim";
import type { ConfirmedRow } from "../conformance/raw-cloud.ts";

const CHANNELS = 6;
/** 32 units of 2^-15. */
const EPS = 32 * 2 ** -15;

/**
 * Hold rows against the rotor's signal, which every epoch begins anew, without a gap.
 *
 * @returns the first thing that is wrong, null when nothing is
 */
export function rotorFault(rows: readonly ConfirmedRow[]): string | null {
  const readers = new Map<number, ReturnType<ReturnType<typeof rotorTwinSignal>["read"]>>();
  const measured = new Float64Array(CHANNELS);
  for (const [i, { epoch, samples }] of rows.entries()) {
    const reader = readers.get(epoch) ?? rotorTwinSignal().read();
    readers.set(epoch, reader);
    reader.next(measured);
    for (const [c, x] of measured.entries()) {
      const error = Math.abs((samples[c] ?? Number.NaN) * 2 ** -15 - x);
      if (!(error <= EPS)) return `row ${i} of epoch ${epoch}, channel ${c}: off by ${error}`;
    }
  }
  return null;
}

/** How many epochs rows are of. */
export function epochsOf(rows: readonly ConfirmedRow[]): number {
  return new Set(rows.map(({ epoch }) => epoch)).size;
}
