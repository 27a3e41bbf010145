/**
 * Write the codec's golden vectors: `node test/conformance/write-codec-vectors.ts`. Those of a frozen wire version may
 * not change; this is for the next one, with its digest in `frozen-vectors.test.ts`.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadBatchCore } from "@lockstep/edge-sdk/core";
import { codecVectors } from "./codec-vector-cases.ts";

const folder = new URL("../../protocol/vectors/codec/", import.meta.url);
mkdirSync(folder, { recursive: true });
const wasm = readFileSync(fileURLToPath(import.meta.resolve("@lockstep/edge-sdk/batch.wasm")));
for (const [name, { frames, ...vector }] of codecVectors(loadBatchCore(wasm))) {
  const lines = frames.map((frame) => `    ${JSON.stringify(frame)}`).join(",\n");
  const head = JSON.stringify(vector, undefined, 2).slice(0, -2);
  writeFileSync(new URL(`${name}.json`, folder), `${head},\n  "frames": [\n${lines}\n  ]\n}\n`);
}
