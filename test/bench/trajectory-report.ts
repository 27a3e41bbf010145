import type { BenchReport, BenchTable } from "./bench.ts";
import type { CodecSpeed } from "./trajectory-codec.ts";
import { MDZ, SZ3, XTC } from "./trajectory-elsewhere.ts";
import type { EnergyChange } from "./trajectory-energy.ts";
import { goalsOf, ratiosOf } from "./trajectory-goals.ts";
import type { LargeRun } from "./trajectory-large.ts";
import { mapPlot, mapTable } from "./trajectory-map.ts";
import { findGromacs, type PeerResult } from "./trajectory-peers.ts";
import type { ColumnSet } from "./trajectory-runs.ts";

/** One file packed and read again. */
export interface PackedRun {
  readonly file: string;
  readonly columns: string;
  readonly eps: string;
  readonly mode: "max" | "rms";
  readonly asciiBytes: number;
  readonly float32Bytes: number;
  readonly packedBytes: number;
  readonly ratioAscii: number;
  readonly ratioFloat32: number;
  readonly maxErrorOverEps: number;
  readonly rmsErrorOverEps: number;
  /** MB of text of the dump per second, to the file and back: of frames in memory, or of the command. */
  readonly encodeMBps: number;
  readonly decodeMBps: number;
  /** Of this process so far, or of the command. */
  readonly peakRssMB: number;
}

/** Everything that was measured. */
export interface TrajectoryFindings {
  readonly runs: readonly PackedRun[];
  readonly large: readonly LargeRun[];
  readonly speeds: readonly (CodecSpeed & { readonly file: string; readonly columns: ColumnSet })[];
  readonly peers: readonly PeerResult[];
  readonly energy: readonly EnergyChange[];
}

/** Everything that was measured, as tables, goals and a plot. */
export function reportOf(found: TrajectoryFindings): BenchReport {
  const { runs, large } = found;
  return {
    title: "Packed trajectories",
    ...runTable(runs),
    goals: goalsOf(found),
    plots: [mapPlot(runs)],
    more: [
      mapTable(runs),
      largeTable(large),
      speedTable(found),
      peerTable(found),
      publishedTable(found),
      energyTable(found),
    ],
    notes: [
      "Melt of 4000 atoms by LAMMPS, `test/bench/trajectory-melt.in`: 100, 100 and 60 frames. ASCII is the rows of the dump with these columns, id and type; float32 only the columns with a bound; packed is the whole file.",
      "pack and read MB/s: rows of the dump, from frames in memory to the file and back, one thread, best of 3; peak memory is of this process so far.",
      "Energies: the design states the goal for positions and velocities that are both within 1e-3, so both rows are held to it.",
      `\`--json\` prints these runs and those of the command. ${findGromacs() === undefined ? "GROMACS is not installed here: of its XTC there is only the earlier figure." : ""}`.trimEnd(),
    ],
    json: { runs: [...runs, ...large].map(jsonOf) },
  };
}

/** Ratios, errors and energies alone: goals of what was not measured are left out. */
export function quickReportOf(found: TrajectoryFindings): BenchReport {
  const report = reportOf(found);
  return { ...report, goals: report.goals?.filter(({ measured }) => Number.isFinite(measured)) ?? [] };
}

function jsonOf(run: PackedRun) {
  const { file, columns, eps, mode, asciiBytes, float32Bytes, packedBytes } = run;
  const { ratioAscii, ratioFloat32, maxErrorOverEps, encodeMBps, decodeMBps, peakRssMB } = run;
  return {
    ...{ file, columns, eps, mode, asciiBytes, float32Bytes, packedBytes, ratioAscii, ratioFloat32 },
    ...{ maxErrorOverEps, encodeMBps, decodeMBps, peakRssMB },
  };
}

function runTable(runs: readonly PackedRun[]): Pick<BenchTable, "columns" | "rows"> {
  return {
    columns: [
      ...["run", "columns", "eps", "mode", "vs ASCII", "vs float32", "max error / eps", "rms / eps"],
      ...["pack MB/s", "read MB/s"],
    ],
    rows: runs.map((run) => [
      ...[run.file, run.columns, run.eps.replaceAll(",", ", ") || "defaults", run.mode, run.ratioAscii.toFixed(1)],
      ...[run.ratioFloat32.toFixed(1), run.maxErrorOverEps.toFixed(4), run.rmsErrorOverEps.toFixed(3)],
      ...[run.encodeMBps.toFixed(1), run.decodeMBps.toFixed(1)],
    ]),
  };
}

function largeTable(large: readonly LargeRun[]): BenchTable {
  return {
    title:
      "Text to file: `lockstep trajectory pack --threads 2` on two cores, x v f at (1e-3, 1e-2, 1e-1), best of 3; unpack's time is of the whole process",
    columns: ["dump", "atoms", "MB of text", "vs ASCII", "pack MB/s", "unpack MB/s", "peak MB"],
    rows: large.map((run) => [
      ...[run.file, run.atoms, (run.asciiBytes / 1e6).toFixed(0), run.ratioAscii.toFixed(1)],
      ...[run.encodeMBps.toFixed(0), run.decodeMBps.toFixed(0), run.peakRssMB.toFixed(0)],
    ]),
  };
}

function speedTable({ speeds }: TrajectoryFindings): BenchTable {
  return {
    title: "The core alone, and zstd -1 on the same bytes: float32 in memory, one thread, MB/s, best of 7",
    columns: [
      ...["run", "columns", "encode", "encode and check", "decode", "zstd -1 encode", "decode"],
      ...["ours / zstd encode", "decode"],
    ],
    rows: speeds.map((speed) => [
      ...[speed.file, speed.columns, speed.encodeMBps.toFixed(0), speed.checkedMBps.toFixed(0)],
      ...[speed.decodeMBps.toFixed(0), speed.zstdEncodeMBps.toFixed(0), speed.zstdDecodeMBps.toFixed(0)],
      (speed.encodeMBps / speed.zstdEncodeMBps).toFixed(2),
      (speed.decodeMBps / speed.zstdDecodeMBps).toFixed(2),
    ]),
  };
}

function peerTable({ peers }: TrajectoryFindings): BenchTable {
  return {
    title:
      "Peers in the same run (ZFP and XTC: positions; the others lose nothing); MB/s of their input, their start included",
    columns: ["run", "columns", "peer", "input", "frames", "vs ASCII", "vs float32", "MB/s"],
    rows: peers.map((peer) => [
      ...[peer.file, peer.columns, peer.peer, peer.input, peer.frames],
      ...[peer.ratioAscii.toFixed(2), peer.ratioFloat32.toFixed(2), peer.encodeMBps.toFixed(1)],
    ]),
  };
}

function publishedTable({ runs }: TrajectoryFindings): BenchTable {
  return {
    title:
      "Positions against MDZ (one batch), SZ3 and GROMACS' XTC (at half the bound): their figures are from an earlier measurement of the same runs, not of this one; vs float32",
    columns: ["run", "eps", "ours", "MDZ", "SZ3", "XTC", "ours / MDZ"],
    rows: Object.entries(MDZ).flatMap(([file, ratios]) =>
      ratios.map(([eps, mdz], i) => {
        const ours = ratiosOf(runs, file, "x", eps).float32;
        const [sz3, xtc] = [SZ3, XTC].map((peer) => peer[file]?.[i]?.[1] ?? "");
        return [file, eps.toExponential(0), ours.toFixed(2), mdz, sz3 ?? "", xtc ?? "", (ours / mdz).toFixed(2)];
      }),
    ),
  };
}

function energyTable({ energy }: TrajectoryFindings): BenchTable {
  return {
    title:
      "Lennard-Jones energies after packing every step, by `verify --lj`: largest changes over all frames, per atom and in parts of the total energy",
    columns: ["columns", "bounds", "frames", "potential", "kinetic", "relative"],
    rows: energy.map(({ columns, eps, frames, potentialPerAtom, kineticPerAtom, relative }) => [
      ...[columns, eps.replaceAll(",", ", "), frames, potentialPerAtom.toExponential(1)],
      ...[kineticPerAtom?.toExponential(1) ?? "as it was", relative.toExponential(1)],
    ]),
  };
}
