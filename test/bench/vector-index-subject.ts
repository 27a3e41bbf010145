/** `fork`ed by `vector-index-child.ts`: one index in a process of its own, so that its memory can be told. */
import { open } from "node:fs/promises";
import type { BuildAnswer, BuildOrder, SearchAnswer, SubjectOrder } from "./vector-index-messages.ts";

/** An index that was built, and how to ask it. */
export interface BuiltIndex {
  readonly bytesPerVector: number;
  readonly indexBytes: number;
  readonly efforts: readonly number[];
  /** Called before `search`, and not timed. */
  prepare(effort: number): void;
  /** All queries, one thread. @returns (q, K) */
  search(queries: Float32Array): Uint32Array;
}

export type BuildIndexOf = (order: BuildOrder, readBase: () => Promise<Float32Array>) => Promise<BuiltIndex>;

const KILOBYTE = 1024;
let built: BuiltIndex | undefined;
let queries: Float32Array = new Float32Array(0);

process.on("message", (order: SubjectOrder) => {
  answer(order).then(
    (result) => process.send?.({ result }),
    (error: Error) => process.send?.({ problem: error.stack ?? error.message }),
  );
});

async function answer(order: SubjectOrder): Promise<BuildAnswer | SearchAnswer> {
  if (order.kind === "build") return await build(order);
  if (built === undefined) throw new RangeError("nothing is built yet");
  built.prepare(order.effort);
  const before = process.threadCpuUsage();
  const ids = built.search(queries);
  const { user, system } = process.threadCpuUsage(before);
  return { ids, cpuSeconds: (user + system) / 1e6 };
}

async function build(order: BuildOrder): Promise<BuildAnswer> {
  const { base, d, n } = order;
  const buildOf = await load(order.subject);
  queries = await readFloats(order.queries);
  const begun = performance.now();
  const before = process.cpuUsage();
  built = await buildOf(order, () => readFloats(base, n * d));
  const { user, system } = process.cpuUsage(before);
  const { bytesPerVector, indexBytes, efforts } = built;
  const peakRssMB = (process.resourceUsage().maxRSS * KILOBYTE) / 1e6;
  const seconds = (performance.now() - begun) / 1000;
  return { cpuSeconds: (user + system) / 1e6, seconds, bytesPerVector, indexBytes, peakRssMB, efforts };
}

async function load(subject: BuildOrder["subject"]): Promise<BuildIndexOf> {
  switch (subject) {
    case "ours":
      return (await import("./vector-index-ours.ts")).buildOurs;
    case "hnswlib":
      return (await import("./peers/hnswlib.ts")).buildHnswlib;
    default:
      return (await import("./peers/usearch.ts")).buildUsearch;
  }
}

async function readFloats(path: string, count?: number): Promise<Float32Array> {
  const file = await open(path);
  try {
    const bytes = count === undefined ? (await file.stat()).size : count * 4;
    const values = new Float32Array(bytes / 4);
    const out = Buffer.from(values.buffer);
    for (let at = 0; at < bytes; ) at += (await file.read(out, at, Math.min(bytes - at, 1 << 28), at)).bytesRead;
    return values;
  } finally {
    await file.close();
  }
}
