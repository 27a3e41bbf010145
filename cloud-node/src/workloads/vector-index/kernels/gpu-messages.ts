import type { Disturbance, GridShape } from "./anchor-kernels.ts";

/** What the process with the graphics processor is asked, one thing at a time; it answers with a GpuAnswer. */
export type GpuOrder =
  | { readonly kind: "open"; readonly shape: GridShape; readonly isSoftware: boolean }
  | { readonly kind: "load"; readonly rows: Int16Array }
  | { readonly kind: "assign"; readonly anchors: Int16Array; readonly k: number }
  | { readonly kind: "reduce"; readonly weights: Uint8Array }
  | { readonly kind: "update"; readonly disturbance: Disturbance };

export type GpuAnswer =
  /** `open`: the name of the device; the rest as the kernels return it. */
  | { readonly kind: "done"; readonly value: unknown }
  /** There is no device, or it cannot take what it was given. */
  | { readonly kind: "refused"; readonly code: "no-device" | "too-large"; readonly problem: string };
