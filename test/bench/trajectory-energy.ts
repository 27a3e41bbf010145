import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DumpWriter } from "@lockstep/cloud-node";
import { runLockstep } from "./measured-command.ts";
import { type ColumnSet, type MeltRun, withColumns } from "./trajectory-runs.ts";

/** What packing did to Lennard-Jones energies, as `verify --lj` says. */
export interface EnergyChange {
  readonly columns: ColumnSet;
  readonly eps: string;
  readonly frames: number;
  readonly potentialPerAtom: number;
  /** Nothing without velocities. */
  readonly kineticPerAtom: number | undefined;
  /** Largest change in parts of the total energy; of positions alone, the potential's in parts of that total. */
  readonly relative: number;
}

const CASES: readonly (readonly [ColumnSet, string])[] = [
  ["xv", "x=1e-3,v=1e-3"],
  ["x", "x=1e-3"],
  ["x", "x=1e-2"],
  ["xvf", "x=1e-3,v=1e-2,f=1e-1"],
];

/** Pack a run with some columns, and verify it. */
export async function energyChanges(melt: MeltRun, folder: string): Promise<EnergyChange[]> {
  const changes: EnergyChange[] = [];
  let total = Number.NaN;
  for (const [set, eps] of CASES) {
    const [dump, packed] = [join(folder, `energy-${set}.dump`), join(folder, "energy.lkt")];
    await writeDump(melt, set, dump);
    await runLockstep(["trajectory", "pack", dump, packed, "--eps", eps]);
    const { stdout } = await runLockstep(["trajectory", "verify", dump, packed, "--lj", "--json"]);
    const { frames, potentialPerAtom, kineticPerAtom, totalPerAtom, relative } = JSON.parse(stdout).energy;
    // The run keeps its total energy: it is the same in every frame, to a part that is none here.
    if (totalPerAtom !== null && Number.isNaN(total)) total = totalPerAtom / relative;
    changes.push({
      ...{ columns: set, eps, frames, potentialPerAtom, kineticPerAtom: kineticPerAtom ?? undefined },
      relative: totalPerAtom === null ? potentialPerAtom / total : relative,
    });
  }
  return changes;
}

async function writeDump(melt: MeltRun, set: ColumnSet, path: string): Promise<void> {
  await writeFile(path, "");
  const file = await open(path, "a");
  const writer = new DumpWriter();
  for (const frame of melt.frames) {
    for (const bytes of writer.write(withColumns(frame, set))) await file.write(bytes);
  }
  await file.close();
}
