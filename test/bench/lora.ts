import type { BenchOptions, BenchReport } from "./bench.ts";
import { type BenchPart, runParts } from "./bench-part.ts";
import { patternsPart } from "./lora-patterns.ts";
import { peftPart } from "./lora-peft.ts";
import { smolLmPart } from "./lora-smollm.ts";
import { reportOf } from "./parts-report.ts";

/** In the order of the page. */
const PARTS: readonly BenchPart[] = [patternsPart, smolLmPart, peftPart];

/**
 * Patterns taught to a small Llama, and what a large one costs, part by part.
 *
 * @throws {BenchError} `unknown-name` for a part that there is not
 */
export async function benchLora(options: BenchOptions): Promise<BenchReport> {
  return reportOf("LoRA on a small Llama", [], await runParts("lora", PARTS, options, {}));
}
