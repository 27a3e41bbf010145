import { join } from "node:path";
import { beginTinyRun, contentOf, killInEveryStage, STAGES } from "../distillation-runs.ts";
import type { BenchPart, PartFindings, PartPlace } from "./bench-part.ts";
import { runLockstep } from "./measured-command.ts";

/** A small run that is killed in every stage, beside one that is not. */
export const killPart: BenchPart = { name: "kill", run: benchKill };

async function benchKill({ folder, say }: PartPlace): Promise<PartFindings> {
  const [whole, killed] = [join(folder, "whole"), join(folder, "killed")];
  for (const run of [whole, killed]) beginTinyRun(run);
  await runLockstep(["distill", "run", whole, "--yes"]);
  say("one run is whole");
  await killInEveryStage(killed);
  await runLockstep(["distill", "run", killed, "--yes"]);
  await runLockstep(["distill", "verify", killed]);
  const [expected, found] = [contentOf(whole), contentOf(killed)];
  const paths = [...new Set([...Object.keys(expected), ...Object.keys(found)])];
  const others = paths.filter((path) => expected[path] !== found[path]);
  for (const path of others) say(`${path} is another one`);
  return {
    tables: [
      {
        title:
          "A run of two small teachers, killed with SIGKILL in every stage and gone on with, beside one that was not",
        columns: ["stages", "files left", "with another SHA-256"],
        rows: [[STAGES.length, paths.length, others.length]],
      },
    ],
    goals: [
      {
        what: `files that differ after SIGKILL in each of ${STAGES.length} stages, of ${paths.length}`,
        ...{ measured: others.length, unit: "", must: { atMost: 0 } },
      },
    ],
    notes: ["Evidence is compared without the seconds and the memory that each run took."],
    json: { killed: { stages: STAGES.length, files: paths.length, different: others } },
  };
}
