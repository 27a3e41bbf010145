import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  type AblationCell,
  ablationCells,
  DEFAULT_VARIATIONS,
  parseVariation,
  summarizeAblation,
} from "../../workloads/language-model/ablation.ts";
import { ablationCsv, ablationMarkdown, ablationTable } from "../../workloads/language-model/ablation-report.ts";
import { replaceFile } from "../../workloads/language-model/replace-file.ts";
import type { RunConfig } from "../../workloads/language-model/run-config.ts";
import { tableText } from "../../workloads/language-model/table-text.ts";
import type { AblateCommandOptions } from "../lm.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import { ablateByJobs } from "./ablate-by-jobs.ts";
import { ablateHere } from "./ablate-here.ts";
import { asUsageError, readRunConfig } from "./read-run-options.ts";

/** A run of an ablation, and its whole configuration. */
export interface PlannedCell {
  readonly cell: AblationCell;
  readonly config: RunConfig;
}

/** `lockstep lm ablate`. */
export async function runAblate(
  surroundings: Surroundings,
  text: string,
  options: AblateCommandOptions,
): Promise<void> {
  const { out, queue, json } = options;
  const cells = await planCells(options);
  await mkdir(out, { recursive: true });
  const results =
    queue === undefined
      ? await ablateHere(surroundings, text, cells, options)
      : await ablateByJobs(surroundings, text, cells, { ...options, queue });
  const rows = summarizeAblation(results);
  await replaceFile(join(out, "ablation.csv"), [ablationCsv(results)]);
  await replaceFile(join(out, "ablation.json"), [`${JSON.stringify({ rows, runs: results }, undefined, 2)}\n`]);
  await replaceFile(join(out, "ablation.md"), [ablationMarkdown(rows, `Ablation on ${basename(text)}`)]);
  await writeResult(surroundings, json, { out, rows, runs: results }, tableText(ablationTable(rows)));
}

/** Every run, its configuration verified before the first one begins. @throws {CommandError} `usage` */
async function planCells(options: AblateCommandOptions): Promise<PlannedCell[]> {
  const { vary, seeds, seed = 1 } = options;
  const repeated = Array.from({ length: seeds }, (_, i) => seed + i);
  try {
    const variations = vary.length === 0 ? DEFAULT_VARIATIONS : vary.map(parseVariation);
    const cells: PlannedCell[] = [];
    for (const cell of ablationCells(variations, repeated)) {
      cells.push({ cell, config: await readRunConfig(options, [...cell.settings, `seed=${cell.seed}`]) });
    }
    return cells;
  } catch (error) {
    throw asUsageError(error);
  }
}
