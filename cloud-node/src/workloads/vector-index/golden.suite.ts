/** A file that is kept: what is written differently, or read differently, is another format. */
import { fileURLToPath } from "node:url";
import { type GeneratedIndex, generatedIndex, writeGenerated } from "./generated-index.suite.ts";

export const GOLDEN_FILE = fileURLToPath(new URL("./golden/small.vlc", import.meta.url));

/** Two segments, tombstones and rows to rank again by: every kind of section. */
export function goldenIndex(): GeneratedIndex {
  return generatedIndex({ d: 20, m: 3, segments: [9, 5], deadEvery: 6, rerank: "i8", seed: "golden" });
}

/** Make the file anew. */
export async function writeGolden(path = GOLDEN_FILE): Promise<void> {
  await writeGenerated(path, goldenIndex());
}
