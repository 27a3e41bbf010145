import { readFile } from "node:fs/promises";

/** The built batch module of the codec. */
export function readBatchModule(): Promise<Uint8Array> {
  return readFile(new URL("../../edge-sdk/build/batch.wasm", import.meta.url));
}
