import { open } from "node:fs/promises";
import { TrajectoryError } from "./trajectory-error.ts";

/** Where the bytes of a dump come from. */
export interface DumpInput {
  /** How messages call it. */
  readonly name: string;
  /** The bytes, as they are stored: compressed or not. */
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
  try {
    while (true) {
      // A new buffer each time: whoever got the last one may still hold it.
      const { bytesRead, buffer } = await handle.read({ buffer: Buffer.allocUnsafeSlow(READ_BYTES) });
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw aboutFile(path, error);
  } finally {
    await handle.close();
  }
}

function aboutFile(path: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  const isAbsent = code === "ENOENT";
  const problem = isAbsent ? "there is no such file" : `it cannot be read (${message})`;
  const remedy = isAbsent ? "check the path" : "give a file that this user may read";
  return new TrajectoryError(isAbsent ? "no-file" : "unreadable", problem, remedy, { file: path }, { cause: error });
}
