import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, osPackage } from "../../scripts/os-packages.js";
import { COLUMN_SETS, type ColumnSet, type MeltRun } from "./trajectory-runs.ts";

/** What a general compressor made of the same columns. */
export interface PeerResult {
  readonly file: string;
  readonly columns: ColumnSet;
  readonly peer: string;
  /** `rows` of the dump, or `float32` in frames of columns. */
  readonly input: "rows" | "float32";
  /** How many of the run it was given. */
  readonly frames: number;
  readonly bytes: number;
  readonly ratioAscii: number;
  readonly ratioFloat32: number;
  /** MB of its input per second, its start included. */
  readonly encodeMBps: number;
}

const LOSSLESS = [
  ["gzip -6", "gzip", ["-6", "-c"]],
  ["zstd -1", "zstd", ["-1", "-q", "-c", "--single-thread"]],
  ["zstd -19", "zstd", ["-19", "-q", "-c", "--single-thread"]],
  ["xz -6", "xz", ["-6", "-c", "-T1"]],
] as const;
/** XTC rounds to decimals: no bound of its is the one asked for; this is the next smaller to 1e-3. */
const XTC_DECIMALS = 3;
const MOST_OUTPUT = 1 << 30;
/** What the lossless ones are given of a run: with all of nine columns each would take a minute. */
const FRAMES = { x: Number.POSITIVE_INFINITY, xv: 20, xvf: 20 } as const;

/** Run every peer that is there over one run's columns. */
export function runPeers(run: MeltRun, set: ColumnSet, eps: number, folder: string): PeerResult[] {
  const rows = join(folder, "peer.rows");
  const floats = join(folder, "peer.f32");
  const all = rowsOf(run, set);
  const given = Math.min(FRAMES[set], run.frames.length);
  const head = all.slice(0, given * (run.frames[0]?.atoms ?? 0));
  const text = `${head.join("\n")}\n`;
  writeFileSync(rows, text);
  writeFileSync(floats, floatsOf(run, set, given));
  const perFloat = text.length / statSync(floats).size;
  const result = (
    peer: string,
    input: "rows" | "float32",
    bytes: number,
    ms: number,
    frames = run.frames.length,
  ): PeerResult => {
    const size = statSync(input === "rows" ? rows : floats).size;
    const ratio = size / bytes;
    return {
      ...{ file: run.name, columns: set, peer, input, frames, bytes },
      ratioAscii: input === "rows" ? ratio : ratio * perFloat,
      ratioFloat32: input === "rows" ? ratio / perFloat : ratio,
      encodeMBps: size / 1e3 / ms,
    };
  };
  const results: PeerResult[] = [];
  for (const [name, program, args] of LOSSLESS) {
    for (const [input, file] of [
      ["rows", rows],
      ["float32", floats],
    ] as const) {
      const begun = performance.now();
      const { stdout } = spawnSync(program, [...args, file], { maxBuffer: MOST_OUTPUT });
      results.push(result(name, input, stdout.length, performance.now() - begun, given));
    }
  }
  const zfp = findProgram(osPackage("zfp"));
  if (zfp !== undefined && set === "x") {
    const packed = join(folder, "peer.zfp");
    writeFileSync(floats, floatsOf(run, set, run.frames.length));
    const values = statSync(floats).size / 4 / run.frames.length;
    const begun = performance.now();
    const shape = ["-2", String(values), String(run.frames.length)];
    execFileSync(zfp, ["-f", "-i", floats, ...shape, "-a", String(eps), "-z", packed], { stdio: "ignore" });
    results.push(result(`ZFP -a ${eps}`, "float32", statSync(packed).size, performance.now() - begun));
  }
  const gmx = findGromacs();
  if (gmx !== undefined && set === "x") {
    const [source, packed] = [join(folder, "peer.gro"), join(folder, "peer.xtc")];
    writeFileSync(source, groOf(run));
    writeFileSync(floats, floatsOf(run, set, run.frames.length));
    const begun = performance.now();
    execFileSync(gmx, ["-quiet", "-nobackup", "trjconv", "-f", source, "-o", packed, "-ndec", String(XTC_DECIMALS)], {
      stdio: "ignore",
    });
    const bound = 0.5 * 10 ** -XTC_DECIMALS;
    results.push(result(`GROMACS XTC, within ${bound}`, "float32", statSync(packed).size, performance.now() - begun));
  }
  return results;
}

/** GROMACS' command, where it is installed; nothing here needs it. */
export function findGromacs(): string | undefined {
  const package_ = { name: "gromacs", commands: ["gmx"], proof: ["--version"], debian: ["gromacs"] };
  return findProgram({ ...package_, neededBy: "nothing: a peer where it is there", script: "bench" });
}

/** Positions in GROMACS' text format, through the box as paths, lengths taken for nanometres. */
function groOf(run: MeltRun): string {
  const atoms = run.frames[0]?.atoms ?? 0;
  const edge = (run.frames[0]?.box.bounds[1] ?? 0) - (run.frames[0]?.box.bounds[0] ?? 0);
  const all = floatsOf(run, "x", run.frames.length);
  const values = new Float32Array(all.buffer, all.byteOffset, all.length / 4);
  const box = Array<string>(3).fill(edge.toFixed(8)).join(" ");
  return run.frames
    .map((_, t) => {
      const rows = Array.from({ length: atoms }, (_unused, i) => {
        const number = String((i + 1) % 100_000).padStart(5);
        const [x, y, z] = [0, 1, 2].map((axis) => (values[(t * 3 + axis) * atoms + i] ?? 0).toFixed(8).padStart(14));
        return `${number}LJ   ${"A".padStart(5)}${number}${x}${y}${z}`;
      });
      return `melt t= ${t}.0\n${atoms}\n${rows.join("\n")}\n${box}\n`;
    })
    .join("");
}

/** The dump's rows with the columns of a set, as text. */
function rowsOf(run: MeltRun, set: ColumnSet): string[] {
  const fields = 2 + COLUMN_SETS[set].length;
  return readFileSync(run.file, "latin1")
    .split("\n")
    .filter((line) => /^\d+ \d+ /.test(line))
    .map((line) => line.trimEnd().split(" ").slice(0, fields).join(" "));
}

/** Columns one after the other in every frame, paths through the box unwrapped as ours are. */
function floatsOf(run: MeltRun, set: ColumnSet, frames: number): Buffer {
  const edge = (run.frames[0]?.box.bounds[1] ?? 0) - (run.frames[0]?.box.bounds[0] ?? 0);
  const before = new Map<string, Float64Array>();
  const parts = run.frames.slice(0, frames).flatMap((frame) =>
    COLUMN_SETS[set].map((name) => {
      const column = frame.columns.find((other) => other.name === name);
      const values = Float64Array.from(column === undefined || column.kind === "text" ? [] : column.values);
      const last = before.get(name);
      if (name.length === 1 && last !== undefined) {
        for (const [i, value] of values.entries())
          values[i] = value - edge * Math.round((value - (last[i] ?? 0)) / edge);
      }
      before.set(name, values);
      return Buffer.from(Float32Array.from(values).buffer);
    }),
  );
  return Buffer.concat(parts);
}
