import { writeDataset } from "../../workloads/lora/dataset-files.ts";
import { makeDataset } from "../../workloads/lora/make-dataset.ts";
import { loadPatterns } from "../../workloads/lora/shipped-patterns.ts";
import type { GenerateCommandOptions } from "../lora.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";

/** `lockstep lora generate`. */
export async function runGenerate(
  surroundings: Surroundings,
  names: readonly string[],
  { out, variants, seed, json }: GenerateCommandOptions,
): Promise<void> {
  const patterns = await loadPatterns(names);
  const dataset = makeDataset(patterns, { seed, variants });
  const sha256 = await writeDataset(out, dataset);
  const counts = {
    patterns: patterns.length,
    train: dataset.train.length,
    validation: dataset.validation.length,
    test: dataset.test.length,
  };
  const groups = Map.groupBy(patterns, ({ category }) => category);
  const lines = [
    `${out}: ${counts.patterns} patterns, ${counts.train} examples to learn from, ${counts.validation} to judge training, ${counts.test} for the test`,
    ...[...groups].map(([category, { length }]) => `  ${category}: ${length} patterns`),
  ];
  await writeResult(surroundings, json, { data: out, seed, ...counts, sha256 }, lines.join("\n"));
}
