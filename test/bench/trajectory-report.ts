import { parseEpsRules } from "@lockstep/cloud-node";
import type { BenchGoal, BenchReport, BenchTable } from "./bench.ts";
import type { CodecSpeed } from "./trajectory-codec.ts";
import type { PeerResult } from "./trajectory-peers.ts";
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
  /** MB of rows of the dump per second, from frames to file, and from file to frames. */
  readonly encodeMBps: number;
  readonly decodeMBps: number;
  /** Of this process so far. */
  readonly peakRssMB: number;
}

/** What packing did to energies. */
export interface EnergyChange {
  readonly eps: string;
  readonly frames: number;
  readonly potentialPerAtom: number;
  readonly kineticPerAtom: number;
  /** Largest change of the total energy, in parts of its size. */
  readonly relative: number;
}

/** What a process that packs took. */
export interface MemoryPeak {
  readonly atoms: number;
  readonly frames: number;
  readonly packedBytes: number;
  readonly peakRssMB: number;
}

/** Ratios to float32 of MDZ in one batch on the same runs, as published in the design's measurements: not of this run. */
const MDZ: Readonly<Record<string, readonly [eps2: number, eps3: number, eps4: number]>> = {
  "every 1": [30.0, 13.7, 4.31],
  "every 10": [9.6, 4.77, 2.86],
  "every 100": [5.5, 3.44, 1.39],
};
/** The same of SZ3, the better of two orders of its values. */
const SZ3: typeof MDZ = {
  "every 1": [10.2, 5.7, 3.2],
  "every 10": [6.2, 3.4, 2.1],
  "every 100": [4.4, 2.6, 1.3],
};

/** Speed of one run and set of columns. */
export type Timed = CodecSpeed & { readonly file: string; readonly columns: ColumnSet };

/** Everything that was measured, as tables and goals. */
export function reportOf(
  runs: readonly PackedRun[],
  speeds: readonly Timed[],
  peers: readonly PeerResult[],
  energy: readonly EnergyChange[],
  memory: MemoryPeak,
): BenchReport {
  const fixed = (value: number, digits = 1) => value.toFixed(digits);
  return {
    title: "Packed trajectories",
    columns: [
      "run",
      "columns",
      "eps",
      "mode",
      "vs ASCII",
      "vs float32",
      "max error / eps",
      "rms / eps",
      "pack MB/s",
      "read MB/s",
    ],
    rows: runs.map((run) => [
      ...[run.file, run.columns, run.eps || "defaults", run.mode, fixed(run.ratioAscii), fixed(run.ratioFloat32)],
      ...[fixed(run.maxErrorOverEps, 4), fixed(run.rmsErrorOverEps, 3), fixed(run.encodeMBps), fixed(run.decodeMBps)],
    ]),
    goals: goalsOf(runs, speeds, energy, memory),
    more: [speedTable(speeds), peerTable(peers), publishedTable(runs)],
    notes: [
      "Melt of 4000 atoms by LAMMPS, test/bench/trajectory-melt.in: 100, 100 and 60 frames. ASCII is the rows of the dump with these columns, id and type; float32 only the columns with a bound; packed is the whole file.",
      "pack and read MB/s: rows of the dump, from frames in memory to the file and back, one thread, best of 3.",
      ...energy.map(
        (change) =>
          `Energy at ${change.eps}: the total changes by ${change.relative.toExponential(1)} of its size at most, potential ${change.potentialPerAtom.toExponential(1)} and kinetic ${change.kineticPerAtom.toExponential(1)} per atom, over ${change.frames} frames.`,
      ),
      `Memory: ${memory.atoms} atoms x 9 columns, ${memory.frames} frames, read from text and packed by one process: ${fixed(memory.peakRssMB, 0)} MB at its peak.`,
    ],
    json: { runs, speeds, peers, energy, memory },
  };
}

function speedTable(speeds: readonly Timed[]): BenchTable {
  return {
    title: "The core alone: float32 in memory, one thread, MB/s",
    columns: ["run", "columns", "encode", "encode and check", "decode"],
    rows: speeds.map(({ file, columns, ...rest }) => [
      ...[file, columns, rest.encodeMBps.toFixed(0), rest.checkedMBps.toFixed(0), rest.decodeMBps.toFixed(0)],
    ]),
  };
}

function peerTable(peers: readonly PeerResult[]): BenchTable {
  return {
    title:
      "Peers in the same run (ZFP: positions, tolerance 1e-3; the others lose nothing, and have its first 20 frames)",
    columns: ["run", "columns", "peer", "input", "vs ASCII", "vs float32", "MB/s"],
    rows: peers.map((peer) => [
      ...[peer.file, peer.columns, peer.peer, peer.input, peer.ratioAscii.toFixed(2), peer.ratioFloat32.toFixed(2)],
      peer.encodeMBps.toFixed(1),
    ]),
  };
}

function publishedTable(runs: readonly PackedRun[]): BenchTable {
  return {
    title:
      "Positions against MDZ (one batch) and SZ3, their figures from an earlier measurement of the same runs, not of this one: vs float32",
    columns: ["run", "eps", "ours", "MDZ", "SZ3", "ours / MDZ"],
    rows: Object.keys(MDZ).flatMap((file) =>
      [1e-2, 1e-3, 1e-4].map((eps, i) => {
        const ours = ratioOf(runs, file, "x", "max", eps);
        const [mdz = Number.NaN, sz3 = Number.NaN] = [MDZ[file]?.[i], SZ3[file]?.[i]];
        return [file, eps.toExponential(0), ours.float32.toFixed(2), mdz, sz3, (ours.float32 / mdz).toFixed(2)];
      }),
    ),
  };
}

function ratioOf(
  runs: readonly PackedRun[],
  file: string,
  columns: ColumnSet,
  mode: "max" | "rms",
  eps: number,
): { ascii: number; float32: number } {
  const found = runs.find(
    (run) =>
      run.file === file &&
      run.columns === columns &&
      run.mode === mode &&
      parseEpsRules(run.eps).has("x") &&
      isEps(run.eps, eps),
  );
  return { ascii: found?.ratioAscii ?? Number.NaN, float32: found?.ratioFloat32 ?? Number.NaN };
}

function isEps(text: string, eps: number): boolean {
  const rule = parseEpsRules(text).get("x");
  return rule !== undefined && "absolute" in rule && rule.absolute === eps;
}

function goalsOf(
  runs: readonly PackedRun[],
  speeds: readonly Timed[],
  energy: readonly EnergyChange[],
  memory: MemoryPeak,
): BenchGoal[] {
  const x = (every: number, eps: number) => ratioOf(runs, `every ${every}`, "x", "max", eps);
  const xvf = (every: number) => ratioOf(runs, `every ${every}`, "xvf", "max", 1e-3).ascii;
  const against = Object.keys(MDZ).flatMap((file) =>
    [1e-2, 1e-3, 1e-4].map((eps, i) => ratioOf(runs, file, "x", "max", eps).float32 / (MDZ[file]?.[i] ?? Number.NaN)),
  );
  const least = (measured: number, what: string, must: number, aim: number): BenchGoal => ({
    ...{ what, measured, unit: "x", must: { atLeast: must }, aim },
  });
  return [
    least(x(1, 1e-3).ascii, "positions, every step, eps 1e-3, vs ASCII", 55, 80),
    least(x(1, 1e-3).float32, "positions, every step, eps 1e-3, vs float32", 21, 31),
    least(x(1, 1e-2).ascii, "positions, every step, eps 1e-2, vs ASCII", 100, 160),
    least(x(10, 1e-3).ascii, "positions, every 10 steps, eps 1e-3, vs ASCII", 15, 16),
    least(x(100, 1e-3).ascii, "positions, every 100 steps, eps 1e-3, vs ASCII", 9, 10),
    least(xvf(1), "x v f, every step, vs ASCII", 60, 85),
    least(xvf(10), "x v f, every 10 steps, vs ASCII", 17, 20),
    least(Math.min(...against), "positions against MDZ, the least of nine", 1.06, 1.5),
    {
      what: "largest error / eps",
      measured: Math.max(...runs.map((run) => run.maxErrorOverEps)),
      unit: "",
      must: { atMost: 1 },
    },
    {
      what: "largest rms / eps with rms",
      measured: Math.max(...runs.filter(({ mode }) => mode === "rms").map((run) => run.rmsErrorOverEps)),
      unit: "",
      must: { below: 0.5 },
    },
    ...energy.map(
      ({ eps, relative }, i): BenchGoal => ({
        ...{ what: `relative change of the energy, ${eps}`, measured: relative, unit: "" },
        ...(i === 0 ? { must: { below: 2e-4 } } : { aimedAt: { below: 2e-4 } }),
      }),
    ),
    {
      what: "float32 encode, one core",
      measured: Math.min(...speeds.map((speed) => speed.encodeMBps)),
      unit: "MB/s",
      aimedAt: { atLeast: 200 },
    },
    {
      what: "float32 decode, one core",
      measured: Math.min(...speeds.map((speed) => speed.decodeMBps)),
      unit: "MB/s",
      aimedAt: { atLeast: 300 },
    },
    {
      what: "peak memory, 108,000 atoms x 9 columns",
      measured: memory.peakRssMB,
      unit: "MB",
      must: { below: 2000 },
      aim: 600,
    },
  ];
}
