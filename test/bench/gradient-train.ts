import { existsSync } from "node:fs";
import { join } from "node:path";
import type { BenchOptions, BenchReport } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import { runParts } from "./bench-part.ts";
import { faultsPart } from "./gradient-train-faults.ts";
import { speedPart } from "./gradient-train-speed.ts";
import { reportOf } from "./parts-report.ts";

const PARTS = [speedPart, faultsPart];

/**
 * Whole trainings by several workers, as people start them: how fast, and what becomes of them when something happens.
 *
 * @throws {BenchError} `unknown-name` for a part that there is not, or without the text
 */
export async function benchGradientTrain(options: BenchOptions): Promise<BenchReport> {
  const text = join(options.dataFolder ?? "", "input.txt");
  if (options.dataFolder === undefined || !existsSync(text)) {
    throw new BenchError("unknown-name", { file: "input.txt", folder: "--data" });
  }
  const notes = ["TinyShakespeare; nanoGPT's CPU recipe, a batch of 12 rows for all workers together."];
  return reportOf("Trainings by several workers", notes, await runParts("gradient-train", PARTS, options, { text }));
}
