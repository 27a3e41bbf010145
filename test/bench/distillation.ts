import type { BenchOptions, BenchReport } from "./bench.ts";
import { type BenchPart, runParts } from "./bench-part.ts";
import { anchorsPart } from "./distillation-anchors.ts";
import { componentsPart } from "./distillation-components.ts";
import { killPart } from "./distillation-kill.ts";
import { pipelinePart, quickPart } from "./distillation-pipeline.ts";
import { spikePart } from "./distillation-spike.ts";
import { reportOf } from "./parts-report.ts";

/** In the order of the page. */
const PARTS: readonly BenchPart[] = [pipelinePart, quickPart, killPart, componentsPart, anchorsPart, spikePart];

/**
 * Teachers distilled into one student, part by part.
 *
 * @throws {BenchError} `unknown-name` for a part that there is not
 */
export async function benchDistillation(options: BenchOptions): Promise<BenchReport> {
  return reportOf("Several teachers in one student", [], await runParts("distillation", PARTS, options, {}));
}
