import { rotorTwinSignal } from "@lockstep/sim";
import type { ConfirmedRow } from "../conformance/raw-cloud.ts";

const CHANNELS = 6;
/** 32 units of 2^-15. */
const EPS = 32 * 2 ** -15;

/** A board may be kept from a reading by an erase, and says so. */
const READ_SHARE = 0.8;

/**
 * Hold rows against the rotor's signal, which every epoch begins anew, without a gap. Those that the board calls invalid keep
 * their place.
 *
 * @param readShare  of the rows, at least so many have a reading
 * @returns the first thing that is wrong, null when nothing is
 */
export function rotorFault(rows: readonly ConfirmedRow[], readShare = READ_SHARE): string | null {
  const readers = new Map<number, ReturnType<ReturnType<typeof rotorTwinSignal>["read"]>>();
  const measured = new Float64Array(CHANNELS);
  const read = rows.filter(({ statuses }) => statuses.every((status) => status === 0)).length;
  if (read < readShare * rows.length) return `only ${read} of ${rows.length} rows have a reading`;
  for (const [i, { epoch, samples, statuses }] of rows.entries()) {
    const reader = readers.get(epoch) ?? rotorTwinSignal().read();
    readers.set(epoch, reader);
    reader.next(measured);
    if (statuses.some((status) => status !== 0)) continue;
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
