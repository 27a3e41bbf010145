import {
  createMethod,
  type GradientMethod,
  type GradientTensor,
  type MethodOptions,
  type Preset,
  presetOptions,
} from "@lockstep/cloud-node/lab";
import { powerSgdMethods } from "./gradient-power-sgd-method.ts";
import { withBeta1, withCorrection, withLocalClip, withPredictor } from "./gradient-variants.ts";

/** How gradients are exchanged in one row of the table. */
export interface GradientCase {
  readonly name: string;
  readonly mode: "baseline" | "synchronous" | "local steps" | "masked" | "peer" | "variant";
  /** Share of the matrices between layers that are passengers, by a calibration in front of the run; none are unless given. */
  readonly maskShare?: number;
  /** What sets it apart from other rows: a result that was kept is of these. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly createMethod: (layout: readonly GradientTensor[], options: MethodOptions) => GradientMethod;
}

type Made = Pick<GradientCase, "settings" | "createMethod">;

function ofPreset(preset: Preset): Made {
  return { settings: settingsOf(preset), createMethod: (layout, options) => createMethod(preset, layout, options) };
}

function otherBeta1(preset: Preset, beta1: number): Made {
  return { settings: settingsOf(preset, { beta1 }), createMethod: withBeta1(preset, beta1) };
}

function powerSgd(rank: number, beta1?: number): Made {
  return { settings: { powerSgd: rank, beta1 }, createMethod: powerSgdMethods(rank, beta1) };
}

function settingsOf(preset: Preset, more: object = {}): GradientCase["settings"] {
  return { preset, ...presetOptions(preset), ...more };
}

/** Rows of the table, in the order in which they are run. */
export const CASES: readonly GradientCase[] = [
  { name: "float32", mode: "baseline", ...ofPreset("none") },
  { name: "float32 beta1 0.5", mode: "baseline", ...otherBeta1("none", 0.5) },
  { name: "float32 beta1 0", mode: "baseline", ...otherBeta1("none", 0) },
  { name: "sync-50", mode: "synchronous", ...ofPreset("sync-50") },
  { name: "local-1000", mode: "local steps", ...ofPreset("local-1000") },
  { name: "sync-100", mode: "synchronous", ...ofPreset("sync-100") },
  { name: "PowerSGD rank 2", mode: "peer", ...powerSgd(2) },
  { name: "sync-15", mode: "synchronous", ...ofPreset("sync-15") },
  { name: "local-100", mode: "local steps", ...ofPreset("local-100") },
  { name: "PowerSGD rank 1", mode: "peer", ...powerSgd(1) },
  { name: "sync-50 mask 30 %", mode: "masked", maskShare: 0.3, ...ofPreset("sync-50") },
  { name: "PowerSGD rank 8", mode: "peer", ...powerSgd(8) },
  { name: "PowerSGD rank 2 beta1 0.5", mode: "peer", ...powerSgd(2, 0.5) },
  { name: "PowerSGD rank 1 beta1 0.5", mode: "peer", ...powerSgd(1, 0.5) },
  { name: "PowerSGD rank 8 beta1 0.5", mode: "peer", ...powerSgd(8, 0.5) },
];

/** What was tried and is part of no method: made where `--parts` names it. */
export const VARIANTS: readonly GradientCase[] = [
  {
    ...{ name: "sync-50 momentum predictor", mode: "variant" },
    settings: settingsOf("sync-50", { predictor: 0.9 }),
    createMethod: withPredictor("sync-50", 0.9),
  },
  {
    ...{ name: "local-1000 momentum predictor", mode: "variant" },
    settings: settingsOf("local-1000", { predictor: 0.5 }),
    createMethod: withPredictor("local-1000", 0.5),
  },
  {
    ...{ name: "sync-50 momentum correction", mode: "variant" },
    settings: settingsOf("sync-50", { correction: 0.5 }),
    createMethod: withCorrection("sync-50", 0.5),
  },
  {
    ...{ name: "sync-50 local clipping", mode: "variant" },
    settings: settingsOf("sync-50", { clip: 1 }),
    createMethod: withLocalClip("sync-50", 1),
  },
];
