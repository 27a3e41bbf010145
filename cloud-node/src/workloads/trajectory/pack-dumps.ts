import { checkRules, groupColumns } from "./column-groups.ts";
import type { ContainerWriter, PackOptions, WrittenBound } from "./container-writer.ts";
import { type DigitNote, noteDigits } from "./dump-digits.ts";
import type { DumpInput } from "./dump-input.ts";
import type { EpsRules } from "./eps-rules.ts";
import { readDump } from "./read-dump.ts";
import { TrajectoryError, type TrajectoryErrorCode } from "./trajectory-error.ts";

/** How far packing is. */
export interface PackProgress {
  /** Of the inputs as they are stored, compressed or not. */
  readonly storedBytes: number;
  /** Of the text of all frames so far. */
  readonly textBytes: number;
  /** In the container, in front of what is being coded. */
  readonly packedBytes: number;
  /** Text whose frames are in the container. */
  readonly packedTextBytes: number;
  readonly frames: number;
}

/** Bounds of a writer, and those of them that somebody asked for: a name that no column has is refused. */
export interface PackRules extends Pick<PackOptions, "rules" | "mode"> {
  /** All of them unless given. */
  readonly asked?: EpsRules;
}

/** What was packed. */
export interface PackSummary {
  readonly frames: number;
  /** Most of a frame. */
  readonly atoms: number;
  /** Of the dumps' text, after decompression; of what was added to the container. */
  readonly textBytes: number;
  readonly packedBytes: number;
  /** textBytes / packedBytes. */
  readonly ratio: number;
  readonly maxErrorOverEps: number;
  readonly bounds: readonly WrittenBound[];
  readonly notes: readonly DigitNote[];
  /** Inputs that end without a line end: if one was cut, its last number may have lost digits that nobody can miss. */
  readonly openEnded: readonly string[];
  /** Why there is no more than this; every frame in front of it is packed. */
  readonly cut: TrajectoryError | undefined;
}

/** What a dump can have wrong behind frames that are good. */
const CUT_CODES: ReadonlySet<TrajectoryErrorCode> = new Set([
  ...(["truncated", "bad-compression", "bad-header", "bad-row", "bad-number", "bad-id", "bad-text"] as const),
  ...(["unreadable", "no-frame"] as const),
]);

/**
 * Pack all frames of dumps, one after the other. The container is ended when this returns.
 *
 * @param options  as the writer has them
 * @throws {TrajectoryError} what is wrong before the first whole frame, or with the bounds; the reason of `signal`
 */
export async function packDumps(
  inputs: Iterable<DumpInput>,
  writer: ContainerWriter,
  options: PackRules,
  signal: AbortSignal,
  onProgress: (progress: PackProgress) => void,
): Promise<PackSummary> {
  const before = writer.written.bytes;
  const openEnded = new Set<string>();
  let [storedBytes, textBytes, packedTextBytes, frames, atoms] = [0, 0, 0, 0, 0];
  let notes: readonly DigitNote[] | undefined;
  let cut: TrajectoryError | undefined;
  /** Text behind each chunk's last frame: what has been packed when the writer has so many frames. */
  const textAfter: number[] = [0];
  const onBytes = (bytes: number) => {
    storedBytes += bytes;
  };
  const firstFrame = writer.written.frames;
  const source = readDump(inputs, { onBytes, room: writer.room });
  try {
    while (true) {
      const next = await nextFrame(source);
      signal.throwIfAborted();
      if (next instanceof TrajectoryError) {
        if (frames === 0) throw next;
        cut = next;
        break;
      }
      if (next === undefined) break;
      if (frames === 0) checkRules(next, options.asked ?? options.rules);
      if (notes === undefined && next.atoms > 0) {
        notes = noteDigits(next, groupColumns(next, options.rules, options.mode));
      }
      if (next.source?.isOpenEnded === true) openEnded.add(next.source.file);
      atoms = Math.max(atoms, next.atoms);
      textBytes += next.source?.bytes ?? 0;
      frames += 1;
      textAfter.push(textBytes);
      await writer.add(next);
      const packed = writer.written;
      packedTextBytes = textAfter[packed.frames - firstFrame] ?? 0;
      onProgress({ storedBytes, textBytes, packedBytes: packed.bytes - before, packedTextBytes, frames });
    }
  } finally {
    await source.return(undefined);
  }
  await writer.end();
  const packedBytes = writer.written.bytes - before;
  const { bounds } = writer;
  return {
    ...{ frames, atoms, textBytes, packedBytes, ratio: textBytes / packedBytes, bounds, cut },
    maxErrorOverEps: Math.max(0, ...bounds.map(({ maxErrorOverEps }) => maxErrorOverEps)),
    notes: notes ?? [],
    openEnded: [...openEnded],
  };
}

/** The next frame, nothing at the end, or what is wrong with the dump behind the frames so far. */
async function nextFrame(source: ReturnType<typeof readDump>) {
  try {
    const next = await source.next();
    return next.done === true ? undefined : next.value;
  } catch (error) {
    if (error instanceof TrajectoryError && CUT_CODES.has(error.code)) return error;
    throw error;
  }
}
