import { readFileSync } from "node:fs";
import { loadCore } from "@lockstep/edge-sdk/core";
import { expect, test } from "vitest";
import { releasedModules } from "./released-modules.ts";

test("a release knows the modules of both profiles, each a codec with a model of its own", async () => {
  const models = (await releasedModules()).map((bytes) => loadCore(bytes).modelId);
  expect(new Set(models).size).toBe(models.length);
  for (const name of ["device", "device-lite"]) {
    const bytes = readFileSync(new URL(`../../edge-sdk/build/${name}.wasm`, import.meta.url));
    expect(models).toContain(loadCore(bytes).modelId);
  }
});
