import { OWN_ARRAYS } from "./column-arena.ts";
import { DumpParser } from "./dump-parser.ts";
import { DumpWriter } from "./dump-writer.ts";
import type { TrajectoryFrame } from "./frame.ts";
import { loadRowKernel } from "./row-kernel.ts";

/** A limit that no test but those of limits comes near. */
const MAX_CELLS = 1 << 24;

const kernel = loadRowKernel();

/** Frames of a dump's text, given to the parser in pieces of this many bytes; what it throws, after them. */
export function parseDump(
  text: string | Uint8Array,
  { pieceBytes = 1 << 20, maxCells = MAX_CELLS }: { pieceBytes?: number; maxCells?: number } = {},
): { frames: TrajectoryFrame[]; error: unknown } {
  const bytes = Buffer.from(text);
  const parser = new DumpParser("a.dump", kernel, maxCells, OWN_ARRAYS);
  const frames: TrajectoryFrame[] = [];
  try {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      for (const frame of parser.push(bytes.subarray(at, at + pieceBytes))) frames.push(frame);
    }
    for (const frame of parser.finish()) frames.push(frame);
  } catch (error) {
    return { frames, error };
  }
  return { frames, error: undefined };
}

/** The same of a text that must be good. */
export function parseGoodDump(text: string | Uint8Array, pieceBytes?: number): TrajectoryFrame[] {
  const { frames, error } = parseDump(text, pieceBytes === undefined ? {} : { pieceBytes });
  if (error !== undefined) throw error;
  return frames;
}

/** Frames as the text of a dump. */
export function writeDump(frames: Iterable<TrajectoryFrame>): string {
  const writer = new DumpWriter();
  return [...frames].flatMap((frame) => [...writer.write(frame)].map(String)).join("");
}

/** A frame without where it was read. */
export function content({ source: _, ...rest }: TrajectoryFrame): Omit<TrajectoryFrame, "source"> {
  return rest;
}

/** The head of a frame, up to the names of its columns. */
export function headOf(
  columns: string,
  { step = "0", atoms = "2", box = "pp pp pp", bounds = ["0 10", "0 10", "0 10"] }: Partial<HeadParts> = {},
): string {
  return [
    "ITEM: TIMESTEP",
    step,
    "ITEM: NUMBER OF ATOMS",
    atoms,
    `ITEM: BOX BOUNDS ${box}`,
    ...bounds,
    `ITEM: ATOMS ${columns}`,
    "",
  ].join("\n");
}

interface HeadParts {
  readonly step: string;
  readonly atoms: string;
  readonly box: string;
  readonly bounds: readonly string[];
}

/** Random whole numbers that a seed repeats: u32 each. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}
