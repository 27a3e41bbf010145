import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { type Column, DumpWriter, type TrajectoryFrame } from "@lockstep/cloud-node";
import { runLockstep } from "./measured-command.ts";
import type { PackedRun } from "./trajectory-report.ts";
import { COLUMN_SETS, type MeltRun, meltDump } from "./trajectory-runs.ts";

/** What the command took for a dump larger than a chunk. */
export type LargeRun = PackedRun & { readonly atoms: number; readonly seconds: number };

const BOUNDS = "x=1e-3,v=1e-2,f=1e-1";
const THREADS = "2";
/** The best of so many counts. */
const PACK_RUNS = 3;
/** Five chunks: every core has work while the last ones are coded. */
const LONG_FRAMES = 640;
/** The melt repeated along every axis: 108,000 atoms. */
const COPIES = 3;
const WIDE_FRAMES = 30;
/** The wide dump is given so often, in a row: chunks follow each other, as in a long one. */
const WIDE_TIMES = 3;

/** Pack dumps with `lockstep trajectory pack`, text to file on two cores: many frames, and many atoms. */
export async function packLarge(melt: MeltRun, folder: string): Promise<LargeRun[]> {
  const long = join(folder, "long.dump");
  meltDump({ file: long, every: 1, frames: LONG_FRAMES, folder });
  const wide = join(folder, "wide.dump");
  await writeWide(melt, wide);
  return [
    await packFiles(`every 1, ${LONG_FRAMES} frames`, [long], folder),
    await packFiles("every 1, 27 times the atoms", Array<string>(WIDE_TIMES).fill(wide), folder),
  ];
}

async function packFiles(name: string, files: readonly string[], folder: string): Promise<LargeRun> {
  const packed = join(folder, "large.lkt");
  let best: LargeRun | undefined;
  for (let i = 0; i < PACK_RUNS; i++) {
    const args = ["trajectory", "pack", ...files, packed, "--eps", BOUNDS, "--threads", THREADS, "--json"];
    const { stdout, peakRssMB } = await runLockstep(args);
    const { frames, atoms, textBytes, packedBytes, ratio, maxErrorOverEps, seconds } = JSON.parse(stdout);
    const float32Bytes = 4 * COLUMN_SETS.xvf.length * frames * atoms;
    const run: LargeRun = {
      ...{
        file: name,
        columns: "xvf",
        eps: BOUNDS,
        mode: "max" as const,
        asciiBytes: textBytes,
        float32Bytes,
        packedBytes,
      },
      ...{ ratioAscii: ratio, ratioFloat32: float32Bytes / packedBytes, maxErrorOverEps, rmsErrorOverEps: Number.NaN },
      ...{ encodeMBps: textBytes / 1e6 / seconds, decodeMBps: Number.NaN, peakRssMB, atoms, seconds },
    };
    const peak = Math.max(peakRssMB, best?.peakRssMB ?? 0);
    best = { ...(best === undefined || run.seconds < best.seconds ? run : best), peakRssMB: peak };
  }
  const { seconds } = await runLockstep(["trajectory", "unpack", packed], { hasOutput: false });
  const found = best as LargeRun;
  return { ...found, decodeMBps: found.asciiBytes / 1e6 / seconds };
}

async function writeWide(melt: MeltRun, path: string): Promise<void> {
  const out = createWriteStream(path);
  const writer = new DumpWriter();
  for (const frame of melt.frames.slice(0, WIDE_FRAMES)) {
    for (const bytes of writer.write(repeated(frame))) {
      if (!out.write(bytes.slice())) await once(out, "drain");
    }
  }
  out.end();
  await finished(out);
}

/** The system repeated along every axis. */
function repeated(frame: TrajectoryFrame): TrajectoryFrame {
  const copies = COPIES ** 3;
  const edge = (frame.box.bounds[1] ?? 0) - (frame.box.bounds[0] ?? 0);
  const columns = frame.columns.map((column): Column => {
    if (column.kind === "text") return column;
    const values = new Float64Array(frame.atoms * copies);
    const axis = "xyz".indexOf(column.name);
    for (let copy = 0; copy < copies; copy++) {
      const shift = axis < 0 ? 0 : (Math.floor(copy / COPIES ** axis) % COPIES) * edge;
      for (const [i, value] of column.values.entries()) {
        const moved = Number((value + shift).toPrecision(6));
        values[copy * frame.atoms + i] = column.name === "id" ? value + copy * frame.atoms : moved;
      }
    }
    return { ...column, values };
  });
  const ids = columns.find(({ name }) => name === "id");
  const bounds = frame.box.bounds.map((bound) => bound * COPIES);
  return {
    ...frame,
    atoms: frame.atoms * copies,
    ids: ids === undefined || ids.kind === "text" ? undefined : ids.values,
    box: { ...frame.box, bounds },
    columns,
  };
}
