import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compileDeviceModule, compileGatewayModule, type DeviceModule } from "@lockstep/edge-sdk";
import { loadBatchCore } from "@lockstep/edge-sdk/core";
import type { TelemetryCodec } from "../workloads/telemetry/block-codec.ts";
import type { DeviceProfile } from "./device-profile.ts";

/** The bytes of the device module that this release ships, and their SHA-256 in hex: the model id. */
export interface ShippedModule {
  readonly bytes: Uint8Array;
  readonly model: string;
}

/** Read `device.wasm`, or `device-lite.wasm`, of the installed edge-sdk. */
export function shippedDeviceModule(profile: DeviceProfile = "full"): ShippedModule {
  const name = profile === "lite" ? "device-lite" : "device";
  const bytes = readFileSync(fileURLToPath(import.meta.resolve(`@lockstep/edge-sdk/${name}.wasm`)));
  return { bytes, model: createHash("sha256").update(bytes).digest("hex") };
}

/** Read `mac.wasm` of the installed edge-sdk. */
export function shippedMacModule(): Uint8Array {
  return readFileSync(fileURLToPath(import.meta.resolve("@lockstep/edge-sdk/mac.wasm")));
}

/**
 * The shipped modules of simulated devices: a gateway's has the full profile's model, so the node decodes the two alike.
 *
 * @param profile  of devices that do not look ahead
 */
export function shippedDevices(profile: DeviceProfile = "full"): {
  readonly module: DeviceModule;
  readonly gateway: DeviceModule;
} {
  const gateway = readFileSync(fileURLToPath(import.meta.resolve("@lockstep/edge-sdk/gateway.wasm")));
  return {
    module: compileDeviceModule(shippedDeviceModule(profile).bytes),
    gateway: compileGatewayModule(gateway, shippedDeviceModule().bytes),
  };
}

/**
 * The shipped codec for work on files: the batch module, which is bit for bit the device module and faster, under the
 * device module's identity.
 */
export function shippedCodec(): TelemetryCodec {
  const batch = readFileSync(fileURLToPath(import.meta.resolve("@lockstep/edge-sdk/batch.wasm")));
  return { model: shippedDeviceModule().model, core: loadBatchCore(batch) };
}
