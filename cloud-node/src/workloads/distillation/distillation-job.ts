import * as v from "valibot";
import { jsonObjectSchema } from "./evidence.ts";
import { networkSchema } from "./gate-messages.ts";
import { STAGES } from "./stages.ts";

/** What a job takes: a run's configuration and registry, as their files have them, and which of its steps is wanted. */
export const paramsSchema = v.strictObject({
  config: v.pipe(v.string(), v.maxLength(65_536)),
  registry: v.pipe(v.string(), v.maxLength(65_536)),
  step: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
});

/** What it gives, beside its output. */
export const resultSchema = v.strictObject({
  step: v.string(),
  stage: v.picklist(STAGES.map(({ number }) => number)),
  facts: jsonObjectSchema,
  seconds: v.pipe(v.number(), v.finite(), v.minValue(0)),
  peakMB: v.pipe(v.number(), v.finite(), v.minValue(0)),
  network: v.exactOptional(networkSchema),
});

export type DistillationParams = v.InferOutput<typeof paramsSchema>;
export type DistillationResult = v.InferOutput<typeof resultSchema>;

/** What a job calls the packed output of its step. */
export const OUTPUT_NAME = "output.pack";

/** What a job calls an input: a path below the run's folder, as a file's name. */
export function inputName(path: string): string {
  return encodeURIComponent(path);
}
