import { type ColumnRoom, OWN_ARRAYS } from "./column-arena.ts";
import { decompress } from "./decompress.ts";
import type { DumpInput } from "./dump-input.ts";
import { DEFAULT_MAX_CELLS, DumpParser } from "./dump-parser.ts";
import type { TrajectoryFrame } from "./frame.ts";
import { loadRowKernel } from "./row-kernel.ts";
import { TrajectoryError } from "./trajectory-error.ts";

/** What decompression can find, without knowing where in the text it is. */
const COMPRESSED: ReadonlySet<string> = new Set(["truncated", "bad-compression"]);

/** How a dump is read. */
export interface DumpReadOptions {
  /** Rows times columns that a frame may have, 1 …; 2^28 by default. 8 bytes of memory each. */
  readonly maxCells?: number;
  /** Told of every piece that was read, in bytes of the file as it is stored. */
  readonly onBytes?: (bytes: number) => void;
  /** Where columns are taken from, for whoever gets the frames to give them back. */
  readonly room?: ColumnRoom;
}

/**
 * Frames of LAMMPS dumps (styles atom and custom), of one file after the other, as they come: plain or compressed by
 * gzip, bzip2 or zstd. Memory holds one frame and some blocks of text.
 *
 * @throws {TrajectoryError} at the first thing that is wrong, with file, line and byte, after every whole frame before it
 */
export async function* readDump(
  inputs: Iterable<DumpInput>,
  options: DumpReadOptions = {},
): AsyncGenerator<TrajectoryFrame> {
  const kernel = loadRowKernel();
  const { maxCells = DEFAULT_MAX_CELLS, room = OWN_ARRAYS } = options;
  for (const input of inputs) {
    const parser = new DumpParser(input.name, kernel, maxCells, room);
    const source = decompress(counted(input.bytes(), options.onBytes), input.name);
    try {
      for await (const bytes of source) yield* parser.push(bytes);
    } catch (error) {
      const isPlaced =
        !(error instanceof TrajectoryError && COMPRESSED.has(error.code)) || error.place.line !== undefined;
      throw isPlaced ? error : parser.locate(error);
    }
    yield* parser.finish();
  }
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  onBytes: ((bytes: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const bytes of source) {
    onBytes?.(bytes.length);
    yield bytes;
  }
}
