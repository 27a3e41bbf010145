import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildHdf5Filter } from "../../scripts/build-hdf5.js";
import { findProgram, osPackage } from "../../scripts/os-packages.js";
import type { BenchGoal, BenchReport } from "./bench.ts";
import { median } from "./statistics.ts";
import type { MeltRun } from "./trajectory-runs.ts";

/** One way to keep the positions of a run in an HDF5 file, through h5py. */
interface Hdf5Row {
  readonly file: string;
  readonly way: string;
  /** To float32. */
  readonly ratio: number;
  /** MB (10^6 bytes) of float32 per second, from and to arrays of numpy, best of several; the file is in the page cache. */
  readonly writeMBps: number;
  readonly readMBps: number;
  /** Largest error in units of eps. */
  readonly worst: number;
  /** Several chunks, flushed and synchronized: the median, NaN where it was not tried; and that of no filter, in turns. */
  readonly diskSeconds: number;
  readonly plainSeconds: number;
}

interface Measured {
  readonly filesystem: string;
  readonly diskBytes: number;
  readonly rows: readonly (Omit<Hdf5Row, "file" | "diskSeconds" | "plainSeconds"> & {
    readonly diskSeconds: readonly number[];
  })[];
}

const EPS = 1e-3;
const OURS = "Lockstep, as by default";
const PLAIN = "no filter";
/** In memory: what a disk takes cannot be told there. */
const NO_DISK = ["tmpfs", "ramfs"];
const PROGRAM = fileURLToPath(new URL("trajectory-hdf5.py", import.meta.url));
const MISSING = "h5py: not measured, since python3-h5py, make or a C compiler is missing.";

/** A report with what h5py makes of the same positions, as every step and every tenth. */
export async function withHdf5(report: BenchReport, melt: readonly MeltRun[], folder: string): Promise<BenchReport> {
  const python = findProgram(osPackage("python3-h5py"));
  const canBuild = ["make", "c-compiler"].every((name) => findProgram(osPackage(name)) !== undefined);
  const plugin = python === undefined || !canBuild ? undefined : await buildHdf5Filter(join(folder, "hdf5-filter"));
  const rows: Hdf5Row[] = [];
  const notes: string[] = plugin === undefined ? [MISSING] : [];
  let hasDisk = plugin !== undefined;
  for (const run of melt.filter(({ every }) => every <= 10)) {
    if (python === undefined || plugin === undefined) break;
    const { filesystem, diskBytes, rows: found } = measure(python, dirname(plugin), run, folder);
    const plainSeconds = median(found.find(({ way }) => way === PLAIN)?.diskSeconds ?? []);
    rows.push(...found.map((row) => ({ ...row, file: run.name, diskSeconds: median(row.diskSeconds), plainSeconds })));
    hasDisk &&= !NO_DISK.includes(filesystem);
    notes.push(
      `h5py, ${run.name}: to disk are ${(diskBytes / 1e6).toFixed(0)} MB in chunks of the whole run, flushed and synchronized, on ${filesystem}; medians, in turns.`,
    );
  }
  return {
    ...report,
    goals: [...(report.goals ?? []), ...goalsOf(rows, hasDisk)],
    more: [
      ...(report.more ?? []),
      {
        title: `Through h5py: float32 positions, eps ${EPS}, one chunk of the whole run, one thread`,
        columns: [
          "run",
          "filter",
          "vs float32",
          "max error / eps",
          "write MB/s",
          "read MB/s",
          "to disk, beside no filter",
        ],
        rows: rows.map((row) => [
          ...[row.file, row.way, row.ratio.toFixed(2), row.worst.toFixed(4)],
          ...[
            row.writeMBps.toFixed(0),
            row.readMBps.toFixed(0),
            hasDisk && row.diskSeconds > 0 ? `${overhead(row).toFixed(0)} %` : "",
          ],
        ]),
      },
    ],
    notes: [...report.notes, ...notes],
    json: { ...(report.json as object), h5py: rows },
  };
}

/** Time beyond that of no filter, in percent of it. */
function overhead({ diskSeconds, plainSeconds }: Hdf5Row): number {
  return 100 * (diskSeconds / plainSeconds - 1);
}

function goalsOf(rows: readonly Hdf5Row[], hasDisk: boolean): BenchGoal[] {
  const ours = rows.filter(({ way }) => way === OURS);
  const ratio = (file: string) => ours.find((row) => row.file === file)?.ratio ?? Number.NaN;
  const worstOf = (values: readonly number[]) => (values.length === 0 ? Number.NaN : Math.max(...values));
  const leastOf = (values: readonly number[]) => (values.length === 0 ? Number.NaN : Math.min(...values));
  const lockstep = rows.filter(({ way }) => way.startsWith("Lockstep"));
  return [
    { what: "h5py, every step, vs float32", measured: ratio("every 1"), unit: "x", must: { atLeast: 18 }, aim: 22 },
    {
      what: "h5py, every 10 steps, vs float32",
      measured: ratio("every 10"),
      unit: "x",
      must: { atLeast: 5 },
      aim: 5.5,
    },
    {
      what: "h5py, largest error / eps",
      measured: worstOf(lockstep.map(({ worst }) => worst)),
      unit: "",
      must: { atMost: 1 },
    },
    {
      what: "h5py, write, one core",
      measured: leastOf(ours.map(({ writeMBps }) => writeMBps)),
      unit: "MB/s",
      must: { atLeast: 150 },
      aim: 250,
    },
    {
      what: "h5py, read, one core",
      measured: leastOf(ours.map(({ readMBps }) => readMBps)),
      unit: "MB/s",
      must: { atLeast: 250 },
      aim: 550,
    },
    {
      what: "h5py, to disk, beside no filter",
      measured: hasDisk ? worstOf(ours.map(overhead)) : Number.NaN,
      unit: "%",
      aimedAt: { below: 10 },
    },
  ];
}

function measure(python: string, plugin: string, run: MeltRun, folder: string): Measured {
  const floats = join(folder, "h5py.f32");
  const values = positionsOf(run);
  writeFileSync(floats, values);
  const atoms = run.frames[0]?.atoms ?? 0;
  const words = [PROGRAM, floats, String(run.frames.length), String(atoms), String(EPS), folder];
  const modules = [plugin, process.env.PYTHONPATH ?? ""].filter((part) => part !== "").join(delimiter);
  const env = { ...process.env, HDF5_PLUGIN_PATH: plugin, PYTHONPATH: modules, PYTHONDONTWRITEBYTECODE: "1" };
  return JSON.parse(execFileSync(python, words, { env, encoding: "utf8" })) as Measured;
}

/** Positions of all frames, atoms by axes, their paths through the box unwrapped: a filter sees no box. */
function positionsOf(run: MeltRun): Float32Array {
  const atoms = run.frames[0]?.atoms ?? 0;
  const edge = (run.frames[0]?.box.bounds[1] ?? 0) - (run.frames[0]?.box.bounds[0] ?? 0);
  const values = new Float32Array(3 * atoms * run.frames.length);
  for (const [t, frame] of run.frames.entries()) {
    for (const [axis, name] of ["x", "y", "z"].entries()) {
      const column = frame.columns.find((other) => other.name === name);
      const line = column === undefined || column.kind === "text" ? [] : column.values;
      for (const [atom, wrapped] of line.entries()) {
        const at = 3 * (t * atoms + atom) + axis;
        const before = t === 0 ? wrapped : (values[at - 3 * atoms] ?? wrapped);
        values[at] = wrapped - edge * Math.round((wrapped - before) / edge);
      }
    }
  }
  return values;
}
