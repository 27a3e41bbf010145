import { mkdtemp, open, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Column,
  ContainerReader,
  ContainerWriter,
  type EpsRules,
  parseEpsRules,
  type TrajectoryFrame,
} from "@lockstep/cloud-node";
import type { BenchOptions, BenchReport } from "./bench.ts";
import { timeCodec } from "./trajectory-codec.ts";
import { energyChanges } from "./trajectory-energy.ts";
import { withHdf5 } from "./trajectory-hdf5.ts";
import { packLarge } from "./trajectory-large.ts";
import { runPeers } from "./trajectory-peers.ts";
import { type PackedRun, quickReportOf, reportOf } from "./trajectory-report.ts";
import { COLUMN_SETS, type ColumnSet, framesOf, type MeltRun, makeRuns, withColumns } from "./trajectory-runs.ts";

interface Case {
  readonly set: ColumnSet;
  readonly eps: string;
  readonly mode: "max" | "rms";
}

/** Bounds of positions; velocities have ten times, forces a hundred times as much. */
const CASES: readonly Case[] = [
  ...["1e-2", "1e-3", "1e-4"].flatMap((eps): Case[] => {
    const [x, v, f] = [`x=${eps}`, `v=${10 * Number(eps)}`, `f=${100 * Number(eps)}`];
    return [
      { set: "x", eps: x, mode: "max" },
      { set: "xv", eps: `${x},${v}`, mode: "max" },
      { set: "xvf", eps: `${x},${v},${f}`, mode: "max" },
    ];
  }),
  { set: "x", eps: "x=1e-3", mode: "rms" },
];
const PACK_RUNS = 3;
const QUICK_PACK_RUNS = 1;

/** Where files go, and how often each is packed; the fastest counts. */
interface PackPlace {
  readonly folder: string;
  readonly packRuns: number;
}
const KILOBYTES = 1024;

/** Trajectories of a melt, packed: ratios, errors, speeds and memory, beside peers in the same run. */
export async function benchTrajectory(options: BenchOptions): Promise<BenchReport> {
  const folder = await mkdtemp(join(tmpdir(), "lockstep-trajectory-bench-"));
  try {
    const place: PackPlace = { folder, packRuns: options.isQuick === true ? QUICK_PACK_RUNS : PACK_RUNS };
    say("the melt's runs, by LAMMPS");
    const melt = await makeRuns(folder);
    const runs: PackedRun[] = [];
    for (const run of melt) {
      for (const wanted of CASES) {
        say(`${run.name}, ${wanted.eps}${wanted.mode === "rms" ? ", rms" : ""}`);
        runs.push(await packRun(run, wanted, place));
      }
    }
    if (options.dataFolder !== undefined) runs.push(...(await packFolder(options.dataFolder, place)));
    const first = melt[0] as MeltRun;
    say("energies");
    const energy = await energyChanges(first, folder);
    if (options.isQuick === true) return quickReportOf({ runs, large: [], speeds: [], peers: [], energy });
    say("text to file with the command, two cores");
    const large = await packLarge(first, folder);
    say("the core alone, and zstd -1");
    const speeds = melt.flatMap((run) =>
      (["x", "xvf"] as const).map((set) => ({ file: run.name, columns: set, ...timeCodec(run, set, undefined) })),
    );
    const peers = melt.flatMap((run) =>
      (["x", "xvf"] as const).flatMap((set) => {
        say(`peers, ${run.name}, ${set}`);
        return runPeers(run, set, 1e-3, folder);
      }),
    );
    say("h5py");
    return await withHdf5(reportOf({ runs, large, speeds, peers, energy }), melt, folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function say(what: string): void {
  process.stderr.write(`trajectory: ${what}\n`);
}

async function packRun(run: MeltRun, { set, eps, mode }: Case, place: PackPlace): Promise<PackedRun> {
  const frames = run.frames.map((frame) => withColumns(frame, set));
  const atoms = frames[0]?.atoms ?? 0;
  const float32Bytes = 4 * COLUMN_SETS[set].length * atoms * frames.length;
  const ascii = run.asciiBytes[set];
  return {
    file: run.name,
    columns: set,
    eps,
    mode,
    ...(await measure(frames, parseEpsRules(eps), mode, ascii, float32Bytes, place)),
  };
}

async function packFolder(data: string, place: PackPlace): Promise<PackedRun[]> {
  const names = (await readdir(data)).filter((name) => /\.(dump|lammpstrj)(\.(gz|bz2|zst))?$/.test(name)).toSorted();
  const runs: PackedRun[] = [];
  for (const name of names) {
    say(name);
    const frames = await framesOf(join(data, name));
    const ascii = frames.reduce((sum, { source }) => sum + (source?.bytes ?? 0), 0);
    const numbers = frames.reduce((sum, { columns, atoms }) => sum + atoms * columns.filter(isNumber).length, 0);
    const found = await measure(frames, new Map(), "max", ascii, 4 * numbers, place);
    runs.push({
      file: name,
      columns: frames[0]?.columns.map((column) => column.name).join(" ") ?? "",
      eps: "",
      mode: "max",
      ...found,
    });
  }
  return runs;
}

/** What float32 could hold: ids and words it could not. */
function isNumber({ name, kind }: Column): boolean {
  return name !== "id" && kind !== "text";
}

type Measured = Omit<PackedRun, "file" | "columns" | "eps" | "mode">;

async function measure(
  frames: readonly TrajectoryFrame[],
  rules: EpsRules,
  mode: "max" | "rms",
  asciiBytes: number,
  float32Bytes: number,
  { folder, packRuns }: PackPlace,
): Promise<Measured> {
  const path = join(folder, "packed.lkt");
  let [encodeMs, decodeMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  let errors = { max: 0, rms: 0 };
  for (let i = 0; i < packRuns; i++) {
    const file = await open(path, "w+");
    const begun = performance.now();
    const writer = await ContainerWriter.create(file, { rules, mode });
    for (const frame of frames) await writer.add(frame);
    await writer.end();
    encodeMs = Math.min(encodeMs, performance.now() - begun);
    const reader = await ContainerReader.open(file, path);
    const middle = performance.now();
    for await (const frame of reader.read()) if (frame.atoms < 0) break;
    decodeMs = Math.min(decodeMs, performance.now() - middle);
    if (i === 0) errors = await errorsOf(frames, reader);
    await file.close();
  }
  const { size } = await stat(path);
  return {
    asciiBytes,
    float32Bytes,
    packedBytes: size,
    ratioAscii: asciiBytes / size,
    ratioFloat32: float32Bytes / size,
    maxErrorOverEps: errors.max,
    rmsErrorOverEps: errors.rms,
    encodeMBps: asciiBytes / 1e3 / encodeMs,
    decodeMBps: asciiBytes / 1e3 / decodeMs,
    peakRssMB: process.resourceUsage().maxRSS / KILOBYTES,
  };
}

/** Of what the file gives back, against frames that its writer had no other use for; the worst column's rms. */
async function errorsOf(
  frames: readonly TrajectoryFrame[],
  reader: ContainerReader,
): Promise<{ max: number; rms: number }> {
  const bounds = new Map<string, number>();
  for await (const { head } of reader.heads()) {
    for (const { columns, eps } of head.groups) for (const name of columns) bounds.set(name, eps);
  }
  const sums = new Map<string, { max: number; squares: number; count: number }>();
  for (const [i, frame] of frames.entries()) {
    const back = await reader.frame(i);
    const [rows, backRows] = [byId(frame), byId(back)];
    for (const column of frame.columns) {
      const eps = bounds.get(column.name) ?? 0;
      const sum = sums.get(column.name) ?? { max: 0, squares: 0, count: 0 };
      sums.set(column.name, sum);
      const found = back.columns.find(({ name }) => name === column.name);
      addErrors(sum, values(column, rows), values(found, backRows), eps);
    }
  }
  const all = [...sums.values()];
  return {
    max: Math.max(...all.map(({ max }) => max)),
    rms: Math.max(...all.map(({ squares, count }) => Math.sqrt(squares / Math.max(1, count)))),
  };
}

function addErrors(
  sum: { max: number; squares: number; count: number },
  source: readonly (number | string)[],
  back: readonly (number | string)[],
  eps: number,
): void {
  for (const [row, value] of source.entries()) {
    const found = back[row];
    const error = Object.is(value, found) ? 0 : Math.abs(Number(value) - Number(found)) / eps;
    if (!(error <= sum.max)) sum.max = error;
    sum.squares += error * error;
    sum.count += 1;
  }
}

/** Rows in the order of their ids, which is that of a container; as they came where there are none, or two alike. */
function byId({ ids, atoms }: TrajectoryFrame): readonly number[] {
  const rows = Array.from({ length: atoms }, (_, row) => row);
  if (ids === undefined || new Set(ids).size < ids.length) return rows;
  return rows.sort((a, b) => (ids[a] ?? 0) - (ids[b] ?? 0));
}

/** Numbers or words of a column. */
function values(column: Column | undefined, rows: readonly number[]): (number | string)[] {
  if (column === undefined) return [];
  const of = (row: number) => (column.kind === "text" ? column.words[column.codes[row] ?? 0] : column.values[row]);
  return rows.map((row) => of(row) ?? Number.NaN);
}
