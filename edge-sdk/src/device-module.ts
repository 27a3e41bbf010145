import { createHash } from "node:crypto";
import type { LinkExports } from "./link-exports.ts";
import { checkModule, copyModule, DEVICE_LIMITS, GATEWAY_LIMITS, type ModuleLimits } from "./module-gate.ts";

/** A compiled `device.wasm`, for any number of sessions. */
export interface DeviceModule {
  /** SHA-256 of `device.wasm`'s bytes, 32 bytes: what a birth calls the model, and what decodes its frames. */
  readonly model: Uint8Array;
  /** An instance of its own for one device: the codec and the link, with 64 KiB of memory, a gateway's with 1 MiB. */
  instantiate(): LinkExports;
}

/**
 * Compile `device.wasm` of any release, once.
 *
 * @throws {ModuleError} when the bytes are not a module that may run as a codec; `missing-bytes`
 */
export function compileDeviceModule(given: Uint8Array): DeviceModule {
  return compileDevice(copyModule(given, "device.wasm", "compileDeviceModule(device)"));
}

function compileDevice(bytes: Uint8Array<ArrayBuffer>): DeviceModule {
  return compile(bytes, DEVICE_LIMITS, createHash("sha256").update(bytes).digest());
}

/**
 * Compile `gateway.wasm`, which looks ahead in every frame where a session asks for it.
 *
 * @param device  the `device.wasm` of the same release: it decodes what the gateway sends
 * @throws {ModuleError} when either is not a module that may run as a codec; `missing-bytes`, naming the one left out
 */
export function compileGatewayModule(given: Uint8Array, device: Uint8Array): DeviceModule {
  const call = "compileGatewayModule(gateway, device)";
  const bytes = copyModule(given, "gateway.wasm", call);
  const { model } = compileDevice(copyModule(device, "device.wasm", call));
  return compile(bytes, GATEWAY_LIMITS, model);
}

function compile(bytes: Uint8Array<ArrayBuffer>, limits: ModuleLimits, model: Uint8Array): DeviceModule {
  checkModule(bytes, limits);
  const module = new WebAssembly.Module(bytes);
  return {
    model,
    // The names and shapes are those of the module's source; a module without them is not one of ours.
    instantiate: () => new WebAssembly.Instance(module).exports as unknown as LinkExports,
  };
}
