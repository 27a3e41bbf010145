import { openHistory } from "@lockstep/cloud-node";
import type { LanePlan } from "./wire-lanes.ts";
import type { WireSource } from "./wire-source.ts";

/** How far the reopened store is from the float originals. */
export interface StoredError {
  readonly plan: LanePlan;
  readonly samples: number;
  readonly maxErrorOverEps: number;
  readonly rmsErrorPooled: number;
}

/** Read one device back from a store, and compare it with the signal, which the node never saw. */
export async function storedErrorOf(source: WireSource, plan: LanePlan, storeFile: string): Promise<StoredError> {
  const history = await openHistory(storeFile);
  const reader = source.signal(plan.seed).read();
  const truth = new Float64Array(source.channels.length);
  let [samples, largest, squaredError, squaredSignal] = [0, 0, 0, 0];
  for (const { values } of history.samples(plan.name)) {
    reader.next(truth);
    samples += 1;
    for (const [c, value] of truth.entries()) {
      const error = Math.abs((values[c] ?? Number.NaN) - value);
      const overEps = error / (source.eps[c] ?? 0);
      largest = Math.max(largest, Number.isNaN(overEps) ? Number.POSITIVE_INFINITY : overEps);
      squaredError += error ** 2;
      squaredSignal += value ** 2;
    }
  }
  history.close();
  return { plan, samples, maxErrorOverEps: largest, rmsErrorPooled: Math.sqrt(squaredError / squaredSignal) };
}
