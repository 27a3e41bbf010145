import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fileInput, readDump, type TrajectoryFrame } from "@lockstep/cloud-node";
import { findProgram, osPackage } from "../../scripts/os-packages.js";
import { BenchError } from "./bench-error.ts";

/** Columns of the melt that have bounds, by what a case is called. */
export const COLUMN_SETS = {
  x: ["x", "y", "z"],
  xv: ["x", "y", "z", "vx", "vy", "vz"],
  xvf: ["x", "y", "z", "vx", "vy", "vz", "fx", "fy", "fz"],
} as const;

export type ColumnSet = keyof typeof COLUMN_SETS;

/** One run of the melt. */
export interface MeltRun {
  readonly name: string;
  readonly every: number;
  readonly file: string;
  readonly frames: readonly TrajectoryFrame[];
  /** Bytes of the dump's rows with the columns of a set, and id and type. */
  readonly asciiBytes: Readonly<Record<ColumnSet, number>>;
}

const RUNS = [
  { every: 1, frames: 100 },
  { every: 10, frames: 100 },
  { every: 100, frames: 60 },
] as const;
const SCRIPT = fileURLToPath(new URL("trajectory-melt.in", import.meta.url));
const HEADER_LINES = 9;

/** A dump that LAMMPS is to make. */
export interface DumpOrder {
  readonly file: string;
  /** Steps from frame to frame. */
  readonly every: number;
  readonly frames: number;
  /** Where LAMMPS runs. */
  readonly folder: string;
}

/**
 * Make a dump of the melt.
 *
 * @throws {BenchError} `no-peer` without LAMMPS
 */
export function meltDump({ file, every, frames, folder }: DumpOrder): void {
  const lammps = findProgram(osPackage("lammps"));
  if (lammps === undefined) throw new BenchError("no-peer", { looked: "lmp", install: "lammps" });
  const values = { every, last: (frames - 1) * every, out: file };
  const variables = Object.entries(values).flatMap(([name, value]) => ["-var", name, String(value)]);
  execFileSync(lammps, ["-in", SCRIPT, "-log", "none", "-screen", "none", ...variables], { cwd: folder });
}

/** Make the runs with LAMMPS, and read them; seconds each. */
export async function makeRuns(folder: string): Promise<MeltRun[]> {
  const runs: MeltRun[] = [];
  for (const { every, frames } of RUNS) {
    const file = join(folder, `every-${every}.dump`);
    meltDump({ file, every, frames, folder });
    const run = { name: `every ${every}`, every, file, frames: await framesOf(file) };
    runs.push({ ...run, asciiBytes: asciiBytesOf(file) });
  }
  return runs;
}

/** All frames of a dump. */
export async function framesOf(file: string): Promise<TrajectoryFrame[]> {
  const frames: TrajectoryFrame[] = [];
  for await (const frame of readDump([fileInput(file)])) frames.push(frame);
  return frames;
}

/** A frame with id, type and the columns of a set. */
export function withColumns(frame: TrajectoryFrame, set: ColumnSet): TrajectoryFrame {
  const wanted = new Set<string>(["id", "type", ...COLUMN_SETS[set]]);
  return { ...frame, columns: frame.columns.filter(({ name }) => wanted.has(name)) };
}

function asciiBytesOf(file: string): Record<ColumnSet, number> {
  const bytes = { x: 0, xv: 0, xvf: 0 };
  const lines = readFileSync(file, "latin1").split("\n");
  let rows = 0;
  for (let i = 0; i < lines.length; ) {
    rows = Number(lines[i + 3] ?? 0);
    i += HEADER_LINES;
    for (const end = i + rows; i < end && i < lines.length; i++) {
      const line = (lines[i] ?? "").trimEnd();
      let blanks = 0;
      let at = 0;
      for (; at < line.length && blanks < 8; at++) {
        if (line[at] === " ") blanks += 1;
        if (blanks === 5 && line[at] === " ") bytes.x += at + 1;
      }
      bytes.xv += at;
      bytes.xvf += line.length + 1;
    }
    if ((lines[i] ?? "") === "") break;
  }
  return bytes;
}
