import type { HistoryVerdict } from "../fleet/history-check.ts";
import type { DeviceSummary } from "../fleet/simulated-device.ts";
import type { ScenarioExpectation } from "./scenario.ts";

/** What one device did, what is stored of it, and what the node says about its gaps. */
export interface DeviceOutcome extends DeviceSummary, Omit<HistoryVerdict, "samples"> {
  /** Different samples in the store. */
  readonly stored: number;
  /** Samples that the node declares lost. */
  readonly declaredLost: number;
  /** Every frame in its ring was confirmed before the time was up. */
  readonly hasSettled: boolean;
}

/** One thing that must hold, and whether it did. */
export interface ScenarioCheck {
  readonly name: string;
  readonly held: boolean;
  readonly found: number | string;
  readonly expected: string;
}

/** Compare what came out with what must hold. */
export function checkOutcomes(expect: ScenarioExpectation, outcomes: readonly DeviceOutcome[]): ScenarioCheck[] {
  const sum = (pick: (one: DeviceOutcome) => number) => outcomes.reduce((total, one) => total + pick(one), 0);
  const checks: ScenarioCheck[] = [];
  const check = (name: string, found: number | string, held: boolean, expected: string) =>
    checks.push({ name, held, found, expected });
  const lost = sum((one) => one.lostConfirmed);
  check("confirmed samples lost", lost, lost === 0, "0");
  const error = Math.max(0, ...outcomes.map((one) => one.maxErrorOverEps));
  check("largest error / eps", error, error <= expect.maxErrorOverEps, `at most ${expect.maxErrorOverEps}`);
  const wrong = sum((one) => one.invented + one.wrongStatuses);
  check("samples invented or mislabelled", wrong, wrong === 0, "0");
  const late = outcomes.filter((one) => !one.hasSettled || one.undelivered > 0).length;
  check("devices not converged", late, late === 0, "0");
  const missing = sum((one) => one.missingEvicted);
  const declared = sum((one) => one.declaredLost);
  if (expect.gaps === "none") {
    check("samples dropped or declared lost", missing + declared, missing + declared === 0, "0");
  } else if (expect.gaps === "declared") {
    check("samples dropped and declared", declared, missing > 0 && declared === missing, `${missing}, more than 0`);
  }
  if (expect.minRatioPayload !== undefined) {
    const ratio =
      sum((one) => one.rawBytes) /
      Math.max(
        1,
        sum((one) => one.payloadBytes),
      );
    check("payload ratio", round(ratio), ratio >= expect.minRatioPayload, `at least ${expect.minRatioPayload}`);
  }
  if (expect.minStored !== undefined) {
    const stored =
      sum((one) => one.stored) /
      Math.max(
        1,
        sum((one) => one.samples),
      );
    check("part of the samples stored", round(stored), stored >= expect.minStored, `at least ${expect.minStored}`);
  }
  return checks;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
