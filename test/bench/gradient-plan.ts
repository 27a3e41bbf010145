import {
  createMethod,
  type GradientMethod,
  type GradientTensor,
  type MethodOptions,
  type Preset,
} from "@lockstep/cloud-node/lab";
import { powerSgdMethods } from "./gradient-power-sgd-method.ts";
import { withBeta1, withCorrection, withLocalClip, withPredictor } from "./gradient-variants.ts";

/** How gradients are exchanged in one row of the table. */
export interface GradientCase {
  readonly name: string;
  readonly mode: "baseline" | "synchronous" | "local steps" | "masked" | "peer" | "variant";
  /** Share of the matrices between layers that are passengers, by a calibration in front of the run; none are unless given. */
  readonly maskShare?: number;
  readonly createMethod: (layout: readonly GradientTensor[], options: MethodOptions) => GradientMethod;
}

function ofPreset(preset: Preset): GradientCase["createMethod"] {
  return (layout, options) => createMethod(preset, layout, options);
}

/** Rows of the table, in the order in which they are run. */
export const CASES: readonly GradientCase[] = [
  { name: "float32", mode: "baseline", createMethod: ofPreset("none") },
  { name: "float32 beta1 0.5", mode: "baseline", createMethod: withBeta1("none", 0.5) },
  { name: "float32 beta1 0", mode: "baseline", createMethod: withBeta1("none", 0) },
  { name: "sync-50", mode: "synchronous", createMethod: ofPreset("sync-50") },
  { name: "local-1000", mode: "local steps", createMethod: ofPreset("local-1000") },
  { name: "sync-100", mode: "synchronous", createMethod: ofPreset("sync-100") },
  { name: "PowerSGD rank 2", mode: "peer", createMethod: powerSgdMethods(2, undefined) },
  { name: "sync-15", mode: "synchronous", createMethod: ofPreset("sync-15") },
  { name: "local-100", mode: "local steps", createMethod: ofPreset("local-100") },
  { name: "PowerSGD rank 1", mode: "peer", createMethod: powerSgdMethods(1, undefined) },
  { name: "sync-50 mask 30 %", mode: "masked", maskShare: 0.3, createMethod: ofPreset("sync-50") },
  { name: "PowerSGD rank 8", mode: "peer", createMethod: powerSgdMethods(8, undefined) },
];

/** What was tried and is part of no method: made where `--parts` names it. */
export const VARIANTS: readonly GradientCase[] = [
  { name: "sync-50 momentum predictor", mode: "variant", createMethod: withPredictor("sync-50", 0.9) },
  { name: "local-1000 momentum predictor", mode: "variant", createMethod: withPredictor("local-1000", 0.5) },
  { name: "sync-50 momentum correction", mode: "variant", createMethod: withCorrection("sync-50", 0.5) },
  { name: "sync-50 local clipping", mode: "variant", createMethod: withLocalClip("sync-50", 1) },
];
