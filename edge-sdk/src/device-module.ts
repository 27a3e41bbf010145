import { createHash } from "node:crypto";
import type { LinkExports } from "./link-exports.ts";
import { checkModule, DEVICE_LIMITS } from "./module-gate.ts";

/** A compiled `device.wasm`, for any number of sessions. */
export interface DeviceModule {
  /** SHA-256 of its bytes, 32 bytes: what a birth calls the model. */
  readonly model: Uint8Array;
  /** An instance of its own for one device: the codec and the link, with 64 KiB of memory. */
  instantiate(): LinkExports;
}

/**
 * Compile `device.wasm` of any release, once.
 *
 * @throws {ModuleError} when the bytes are not a module that may run as a codec
 */
export function compileDeviceModule(given: Uint8Array): DeviceModule {
  const bytes = new Uint8Array(given);
  checkModule(bytes, DEVICE_LIMITS);
  const module = new WebAssembly.Module(bytes);
  return {
    model: createHash("sha256").update(bytes).digest(),
    // The names and shapes are those of the module's source; a module without them is not one of ours.
    instantiate: () => new WebAssembly.Instance(module).exports as unknown as LinkExports,
  };
}
