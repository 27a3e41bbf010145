import { checkHistory, type HistoryVerdict, type SimulatedDevice } from "@lockstep/sim";
import { openHistory } from "../../history/history.ts";

/** What a store holds of a fleet, beside what its devices measured. */
export interface StoreCheck extends Omit<HistoryVerdict, "id" | "rmsErrorPooled"> {
  readonly devices: number;
  /** Nothing that was confirmed is lost, nothing is invented, and all is within its bound. */
  readonly isTrue: boolean;
}

/**
 * Compare what a node has stored with what each device measured, sample by sample.
 *
 * @param storeFile  of a node that may go on running
 * @throws {StoreError} when there is no store
 */
export async function checkStore(storeFile: string, devices: readonly SimulatedDevice[]): Promise<StoreCheck> {
  const history = await openHistory(storeFile);
  try {
    const verdicts = devices.map((device) => checkHistory(device, history.samples(device.id)));
    const sum = (of: (verdict: HistoryVerdict) => number) => verdicts.reduce((total, one) => total + of(one), 0);
    const counts = {
      samples: sum(({ samples }) => samples),
      lostConfirmed: sum(({ lostConfirmed }) => lostConfirmed),
      undelivered: sum(({ undelivered }) => undelivered),
      missingEvicted: sum(({ missingEvicted }) => missingEvicted),
      invented: sum(({ invented }) => invented),
      wrongStatuses: sum(({ wrongStatuses }) => wrongStatuses),
      saturated: sum(({ saturated }) => saturated),
    };
    const maxErrorOverEps = Math.max(0, ...verdicts.map((verdict) => verdict.maxErrorOverEps));
    const isTrue =
      counts.lostConfirmed === 0 && counts.invented === 0 && counts.wrongStatuses === 0 && maxErrorOverEps <= 1;
    return { devices: verdicts.length, ...counts, maxErrorOverEps, isTrue };
  } finally {
    history.close();
  }
}

/** That in a line. */
export function checkLine({ devices, samples, lostConfirmed, invented, maxErrorOverEps }: StoreCheck): string {
  const largest = maxErrorOverEps.toFixed(3);
  return `stored of ${devices} devices: ${samples} samples, ${lostConfirmed} confirmed and lost, ${invented} invented; largest error ${largest} of its bound`;
}
