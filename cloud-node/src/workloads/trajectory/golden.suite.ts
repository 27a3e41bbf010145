import { createHash } from "node:crypto";
import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ContainerReader } from "./container-reader.ts";
import { ContainerWriter, type PackOptions } from "./container-writer.ts";
import { parseEpsRules } from "./eps-rules.ts";
import type { Column, TrajectoryFrame } from "./frame.ts";
import { Melt } from "./melt.suite.ts";

/**
 * Golden containers: NAME.lkt with NAME.json, the SHA-256 of each of its frames as `frameDigest` makes it. A released
 * file is never made again: what this program reads of it must stay the same. New ones are made from the root by
 *
 *     node -e 'import("./cloud-node/src/workloads/trajectory/golden.suite.ts").then((suite) => suite.writeGolden())'
 */
export const GOLDEN_FOLDER = fileURLToPath(new URL("golden", import.meta.url));

interface GoldenCase {
  readonly frames: readonly TrajectoryFrame[];
  readonly options: PackOptions;
}

/** What golden files are made from. */
export function goldenCases(): ReadonlyMap<string, GoldenCase> {
  const rules = parseEpsRules("x=1e-3,v=1e-2,f=1e-1,xs=1e-4");
  const melt = meltFrames(10, 20);
  return new Map([
    ["melt", { frames: melt, options: { rules, mode: "max", chunkFrames: 12 } }],
    ["rms", { frames: melt.slice(0, 9), options: { rules, mode: "rms" } }],
    ["tilted", { frames: tiltedFrames(), options: { rules, mode: "max" } }],
    ["odd", { frames: oddFrames(melt), options: { rules, mode: "max", keepRows: true } }],
  ] as const);
}

/** A frame as 64 hex digits: everything that it says, its numbers bit by bit. */
export function frameDigest(frame: TrajectoryFrame): string {
  const { step, time, units, box, atoms, columns } = frame;
  const hash = createHash("sha256").update(JSON.stringify([String(step), time, units, box, atoms]));
  for (const column of columns) {
    hash.update(JSON.stringify([column.kind, column.name]));
    if (column.kind !== "text") hash.update(new Uint8Array(column.values.slice().buffer));
    else hash.update(JSON.stringify(Array.from(column.codes, (code) => column.words[code])));
  }
  return hash.digest("hex");
}

/** Make the files that golden cases describe. */
export async function writeGolden(folder = GOLDEN_FOLDER): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, { frames, options }] of goldenCases()) {
    const path = join(folder, `${name}.lkt`);
    const file = await open(path, "w+");
    const writer = await ContainerWriter.create(file, options);
    for (const frame of frames) await writer.add(frame);
    await writer.end();
    const digests: string[] = [];
    const reader = await ContainerReader.open(file, path);
    for await (const frame of reader.read()) digests.push(frameDigest(frame));
    await file.close();
    await writeFile(join(folder, `${name}.json`), `${JSON.stringify(digests, null, 2)}\n`);
  }
}

function meltFrames(atoms: number, frames: number): TrajectoryFrame[] {
  const melt = new Melt({ atoms, frames, interval: 0.05, seed: 77 });
  return Array.from({ length: frames }, (_, index) => melt.frame(index));
}

/** Scaled positions and plain ones in a cell whose tilt grows. */
function tiltedFrames(): TrajectoryFrame[] {
  const melt = new Melt({ atoms: 8, frames: 12, interval: 0.3, seed: 31 });
  return Array.from({ length: 12 }, (_, t) => {
    const { edge } = melt;
    const tilt = (0.4 * t * edge) / 12;
    const scaled = [0, 1, 2].map((axis) =>
      melt.values(t, axis, 0).map((value) => value / edge - Math.floor(value / edge)),
    );
    const [a, b, c] = scaled as [Float64Array, Float64Array, Float64Array];
    const x = a.map((value, i) => value * edge + (b[i] ?? 0) * tilt);
    const plain = [x, b.map((value) => value * edge), c.map((value) => value * edge)];
    const columns = [
      ...["xs", "ys", "zs"].map((name, i) => [name, scaled[i]]),
      ...["x", "y", "z"].map((name, i) => [name, plain[i]]),
    ];
    return {
      step: BigInt(t),
      time: t / 8,
      units: "lj",
      box: { shape: "triclinic", boundary: ["pp", "pp", "pp"], bounds: [0, edge + tilt, tilt, 0, edge, 0, 0, edge, 0] },
      atoms: 8,
      ids: undefined,
      columns: columns.map(([name, values]) => ({ kind: "real", name, values }) as Column),
      source: undefined,
    };
  });
}

/** Nothing in it, words, numbers that are none, rows out of order, lossless reals. */
function oddFrames(melt: readonly TrajectoryFrame[]): TrajectoryFrame[] {
  const odd = melt.slice(0, 4).map((frame, t): TrajectoryFrame => {
    const turned = frame.columns.map((column): Column => {
      if (column.kind === "text") return column;
      const values = column.values.slice().reverse();
      if (column.name === "vx") values.set([Number.NaN, Number.NEGATIVE_INFINITY, 1e300], t);
      return { ...column, values };
    });
    const element: Column = {
      kind: "text",
      name: "element",
      words: ["Na", "Cl"],
      codes: Uint32Array.of(0, 1, 1, 0, 1, 0, 0, 0, 1, t % 2),
    };
    const energy: Column = {
      kind: "real",
      name: "c_pe",
      values: Float64Array.from({ length: 10 }, (_, i) => 0.1 * i - t / 3),
    };
    const [ids] = turned;
    return { ...frame, ids: ids?.kind === "text" ? undefined : ids?.values, columns: [...turned, element, energy] };
  });
  const [first] = odd as [TrajectoryFrame];
  const columns = first.columns.map((column) =>
    column.kind === "text" ? { ...column, codes: new Uint32Array(0) } : { ...column, values: new Float64Array(0) },
  );
  return [{ ...first, atoms: 0, ids: new Float64Array(0), columns }, ...odd];
}
