import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Column,
  ContainerWriter,
  fileInput,
  parseEpsRules,
  readDump,
  type TrajectoryFrame,
} from "@lockstep/cloud-node";

/**
 * Packs a dump whose every atom is there 27 times, in a process of its own, and prints its peak memory as JSON.
 *
 *     node trajectory-memory.ts DUMP
 */
const COPIES = 3;
const MEGABYTE = 1024;

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
        values[copy * frame.atoms + i] = column.name === "id" ? value + copy * frame.atoms : value + shift;
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

const [, , dump = ""] = process.argv;
const folder = await mkdtemp(join(tmpdir(), "lockstep-trajectory-memory-"));
try {
  const file = await open(join(folder, "repeated.lkt"), "w+");
  const writer = await ContainerWriter.create(file, { rules: parseEpsRules("x=1e-3,v=1e-2,f=1e-1"), mode: "max" });
  let atoms = 0;
  for await (const frame of readDump([fileInput(dump)])) {
    const large = repeated(frame);
    atoms = large.atoms;
    await writer.add(large);
  }
  await writer.end();
  const { frames, bytes } = writer.written;
  await file.close();
  const peakRssMB = process.resourceUsage().maxRSS / MEGABYTE;
  process.stdout.write(JSON.stringify({ atoms, frames, packedBytes: bytes, peakRssMB }));
} finally {
  await rm(folder, { recursive: true });
}
