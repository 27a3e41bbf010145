import { takeLock } from "../../process-lock.ts";
import { aboutOutput } from "../output-problem.ts";
import { VectorIndexError } from "./vector-index-error.ts";

/**
 * Keep an index for one change: of several at once one is made, and the others are refused before their work.
 *
 * @param change  also called where the folder is not there, so that it says so
 * @throws {VectorIndexError} `busy`; what `change` throws
 */
export async function whileChanging<Result>(path: string, change: () => Promise<Result>): Promise<Result> {
  const busy = (lock: string, cause?: unknown) => {
    const remedy = `wait until it ends; delete ${lock} if there is none`;
    return new VectorIndexError("busy", "another process is writing it", remedy, { file: path }, { cause });
  };
  const release = await takeLock(path, busy).catch((error: unknown) => {
    if (isNowhere(error)) return undefined;
    throw aboutOutput(error, path);
  });
  try {
    return await change();
  } finally {
    await release?.();
  }
}

/** Nothing can be written there, by anybody. */
function isNowhere(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
