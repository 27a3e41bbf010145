import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileError } from "./file-error.ts";
import { beforeProcessEnds } from "./process-end.ts";

/** A folder that nobody else has, until it is removed or this process ends. */
export interface PrivateFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** Make one. @param parent  must exist @throws {RunnerError} `file-failed` */
export async function makePrivateFolder(parent: string, prefix: string): Promise<PrivateFolder> {
  const path = await mkdtemp(join(parent, prefix)).catch((cause: unknown) => {
    throw fileError(cause, parent, parent === tmpdir() ? { set: "TMPDIR" } : {});
  });
  const forget = beforeProcessEnds(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    remove: async () => {
      await rm(path, { recursive: true, force: true });
      forget();
    },
  };
}
