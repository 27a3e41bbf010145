/**
 * A change of an index in a process of its own, which kills itself: `index-process.suite.ts PATH CHANGE WRITE`. Standard
 * output says how many writes it made; it is killed, by SIGKILL, in the middle of number WRITE.
 */
import { type FileHandle, open } from "node:fs/promises";
import { buildIndex } from "./build-index.ts";
import { addVectors, deleteVectors } from "./change-index.ts";
import { clusteredRows } from "./clustered-vectors.suite.ts";
import { maintainIndex } from "./maintain-index.ts";
import { sourceOfArray } from "./vector-source.ts";

const D = 16;

export const CHANGES: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
  build: (path) => buildIndex(rows(300, 1), path, { codeBytes: 8, metric: "l2", seed: 7, rerank: "i8" }),
  add: (path) => addVectors(path, rows(50, 2)),
  delete: (path) => deleteVectors(path, Uint32Array.of(1, 5, 301)),
  maintain: (path) => maintainIndex(path),
};

function rows(n: number, seed: number) {
  return sourceOfArray(clusteredRows({ n, d: D, clusters: 6, seed: 2 }, seed), D);
}

if (import.meta.main) {
  const [path = "", change = "", killAt = ""] = process.argv.slice(2);
  const { prototype } = (await withHandle(import.meta.filename, async (file) => file.constructor)) as {
    prototype: { write: (...args: unknown[]) => Promise<unknown>; sync: () => Promise<void> };
  };
  let writes = 0;
  const { write, sync } = prototype;
  prototype.write = async function (...args) {
    if (++writes !== Number(killAt)) return await write.apply(this, args);
    const [bytes, from, length, place] = args as [Uint8Array, number, number, number];
    await write.apply(this, [bytes, from, length >> 1, place]);
    process.kill(process.pid, "SIGKILL");
    return await new Promise(() => {});
  };
  prototype.sync = async function () {
    if (++writes === Number(killAt)) process.kill(process.pid, "SIGKILL");
    await sync.apply(this);
  };
  await CHANGES[change]?.(path);
  process.stdout.write(String(writes));
}

async function withHandle<Result>(path: string, use: (file: FileHandle) => Promise<Result>): Promise<Result> {
  const file = await open(path);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
