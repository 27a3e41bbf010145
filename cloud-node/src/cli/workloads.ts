import type { WorkloadRegistry } from "../jobs/workload-registry.ts";

/** Every kind of cloud work, by name: a new one is one folder, and one line here. */
export const WORKLOADS: WorkloadRegistry = {
  distillation: async () => (await import("../workloads/distillation/distillation.ts")).distillation,
  gradient: async () => (await import("../workloads/gradient/gradient.ts")).gradient,
  "language-model": async () => (await import("../workloads/language-model/language-model.ts")).languageModel,
  lora: async () => (await import("../workloads/lora/lora.ts")).lora,
  telemetry: async () => (await import("../workloads/telemetry/telemetry.ts")).telemetry(await codecOfRelease()),
  trajectory: async () => (await import("../workloads/trajectory/trajectory.ts")).trajectory,
  "vector-index": async () => (await import("../workloads/vector-index/vector-index.ts")).vectorIndex,
};

/** This file, as a worker's threads load it. */
export const WORKLOADS_URL = import.meta.url;

async function codecOfRelease() {
  return (await import("./device-module.ts")).shippedCodec;
}
