import { readRunFolder } from "../../workloads/distillation/run-folder.ts";
import { stepsOf } from "../../workloads/distillation/run-stages.ts";
import { retentionBars, runStatus, statusDiagram } from "../../workloads/distillation/run-status.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";

/** `lockstep distill status`. */
export async function runStatusCommand(
  surroundings: Surroundings,
  folder: string,
  { json }: { readonly json?: boolean },
): Promise<void> {
  const stages = await runStatus(folder, stepsOf(await readRunFolder(folder)));
  const lines = [statusDiagram(stages), ...retentionBars(stages)];
  await writeResult(surroundings, json, { folder, stages }, lines.join("\n"));
}
