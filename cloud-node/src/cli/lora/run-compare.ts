import { accuracyPlot } from "../../workloads/lora/accuracy-plot.ts";
import { type Comparison, compareResults, type Difference } from "../../workloads/lora/compare-results.ts";
import { comparisonReport } from "../../workloads/lora/comparison-report.ts";
import { type EvaluationResult, readResultFile } from "../../workloads/lora/result-file.ts";
import type { CompareCommandOptions } from "../lora.ts";
import { replaceWhole } from "../partial-file.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";

/** `lockstep lora compare`. */
export async function runCompare(
  surroundings: Surroundings,
  beforeName: string,
  afterName: string,
  { out, plot, seed, json }: CompareCommandOptions,
): Promise<void> {
  const [before, after] = await Promise.all([beforeName, afterName].map(readResultFile));
  if (before === undefined || after === undefined) return;
  const comparison = compareResults(before.evaluation.answers, after.evaluation.answers, seed);
  if (out !== undefined) await replaceWhole(out, comparisonReport(before, after, comparison));
  if (plot !== undefined) await replaceWhole(plot, comparisonPlot(before, after, comparison));
  await writeResult(surroundings, json, comparison, comparisonText(comparison));
}

/** Accuracy by category, and of all. */
export function comparisonPlot(before: EvaluationResult, after: EvaluationResult, comparison: Comparison): string {
  const rows = [...Object.entries(comparison.byCategory), ["all", comparison.overall] as const];
  return accuracyPlot(
    "Exact answers to wordings that training never had",
    [before.label, after.label],
    rows.map(([name, difference]) => ({ name, before: difference.before, after: difference.after })),
  );
}

/** A comparison as a table. */
export function comparisonText({ overall, byCategory }: Comparison): string {
  const rows = [...Object.entries(byCategory), ["all", overall] as const];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, difference]) => `${name.padEnd(width)} ${differenceText(difference)}`).join("\n");
}

function differenceText({ before, after, gain, low, high, isSignificant }: Difference): string {
  const points = (share: number) => (100 * share).toFixed(1);
  const certainty = isSignificant ? "significant" : "may be chance";
  return `${points(before)} % to ${points(after)} %, ${points(gain)} points (${points(low)} to ${points(high)}, ${certainty})`;
}
