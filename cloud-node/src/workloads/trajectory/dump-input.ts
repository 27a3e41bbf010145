import { type FileHandle, open } from "node:fs/promises";
import { TrajectoryError } from "./trajectory-error.ts";

/** Where the bytes of a dump come from. */
export interface DumpInput {
  /** How messages call it. */
  readonly name: string;
  /** The bytes, as they are stored: compressed or not. A piece need not stay as it is once the next but one is there. */
  bytes(): AsyncIterable<Uint8Array>;
}

/** Read at a time: a file comes at the page cache's pace from here on. */
const READ_BYTES = 1 << 20;

/** A file by its path. Its bytes throw a {@link TrajectoryError}: `no-file`, `unreadable`. */
export function fileInput(path: string): DumpInput {
  return { name: path, bytes: () => readFileBytes(path) };
}

/** A stream that is read once, such as standard input. @param name  how messages call it */
export function streamInput(name: string, stream: AsyncIterable<Uint8Array>): DumpInput {
  return { name, bytes: () => stream };
}

async function* readFileBytes(path: string): AsyncGenerator<Uint8Array> {
  const handle = await open(path).catch((error: unknown) => {
    throw aboutFile(path, error);
  });
  // Read ahead, into buffers that take turns: one with whoever reads, one that it may still keep, one that is filled.
  const buffers = Array.from({ length: 3 }, () => Buffer.allocUnsafeSlow(READ_BYTES));
  let ahead = readInto(handle, buffers[0]);
  try {
    for (let turn = 1; ; turn++) {
      const piece = await ahead;
      if (piece.length === 0) return;
      ahead = readInto(handle, buffers[turn % buffers.length]);
      yield piece;
    }
  } catch (error) {
    throw aboutFile(path, error);
  } finally {
    await ahead.catch(() => {});
    await handle.close();
  }
}

function readInto(handle: FileHandle, buffer: Buffer | undefined): Promise<Uint8Array> {
  const piece = handle
    .read({ buffer: buffer ?? Buffer.alloc(READ_BYTES) })
    .then((read) => read.buffer.subarray(0, read.bytesRead));
  // Whoever waits for the piece hears what went wrong; until then it is nobody's failure.
  piece.catch(() => {});
  return piece;
}

function aboutFile(path: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  const isAbsent = code === "ENOENT";
  const problem = isAbsent ? "there is no such file" : `it cannot be read (${message})`;
  const remedy = isAbsent ? "check the path" : "give a file that this user may read";
  return new TrajectoryError(isAbsent ? "no-file" : "unreadable", problem, remedy, { file: path }, { cause: error });
}
