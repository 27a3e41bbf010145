import { describe } from "vitest";
import { hasOnnxRuntime } from "../../../scripts/onnxruntime.js";
import { mustRunAll } from "../../../scripts/os-packages.js";
import type { BackendName } from "./engine.ts";

/** `describe` for suites on a backend: skipped, and told at the end of `npm test`, where what it needs is not installed. */
export function describeOn(name: BackendName): ReturnType<typeof describe.runIf> {
  return describe.runIf(name !== "ort" || hasOnnxRuntime() || mustRunAll());
}
