import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadCore } from "@lockstep/edge-sdk/core";
import { expect, test } from "vitest";
import { plainCodecVectors } from "./codec-vector-cases.ts";

/**
 * SHA-256 over the payloads, samples and states of the golden streams as device-lite.wasm codes them: made by the module,
 * and held by this digest alone, for what it codes is defined by the module. What changes it on purpose changes it here.
 */
const DIGEST = "98e91abeb3fdd2c661ebb1d63d91826e31c44016e712b8c145314b8846770484";

test("the lite profile codes the golden streams as it did", () => {
  const wasm = readFileSync(fileURLToPath(import.meta.resolve("@lockstep/edge-sdk/device-lite.wasm")));
  const vectors = plainCodecVectors(loadCore(wasm));
  expect(vectors.size).toBeGreaterThan(10);
  const digest = createHash("sha256");
  for (const [name, { channels, frames }] of vectors) {
    for (const [i, { given, statuses, decoded }] of frames.entries()) {
      const far = decoded.filter(
        (value, at) =>
          statuses?.[at] !== 1 && Math.abs(value - (given[at] ?? 0)) > (channels[at % channels.length]?.e ?? 0),
      );
      expect(far, `${name}, frame ${i}`).toHaveLength(0);
    }
    digest.update(`${name}\0${JSON.stringify(frames)}\0`);
  }
  expect(digest.digest("hex")).toBe(DIGEST);
});
