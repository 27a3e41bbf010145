import type { Backend } from "../../tensor/engine.ts";

/** Backends of the tensor engine that can be asked for, the one that is taken unless somebody says otherwise first. */
export const BACKEND_CHOICES = ["wasm-strict", "wasm-relaxed", "js"] as const;
export type BackendChoice = (typeof BACKEND_CHOICES)[number];

/** A backend; its code is loaded only when it is asked for. */
export async function openBackend(name: BackendChoice): Promise<Backend> {
  if (name === "js") return (await import("../../tensor/js/js-backend.ts")).jsBackend;
  const { wasmStrictBackend, wasmRelaxedBackend } = await import("../../tensor/wasm/wasm-backend.ts");
  return name === "wasm-strict" ? wasmStrictBackend : wasmRelaxedBackend;
}
