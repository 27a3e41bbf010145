import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseTrustedKeys, UpdateError } from "@lockstep/edge-sdk";
import { parseVersion } from "@lockstep/protocol";
import type { DeviceUpdates } from "@lockstep/sim";
import { CommandError } from "../command-error.ts";
import { shippedDeviceModule } from "../device-module.ts";
import { packageVersion } from "../package-version.ts";
import type { DeviceOptions } from "./device-options.ts";

/**
 * How simulated devices may be updated.
 *
 * @returns undefined when they trust nobody
 * @throws {CommandError} `usage`
 */
export function updatesFor({ trust, lookahead, profile }: DeviceOptions): DeviceUpdates | undefined {
  if (trust === undefined) return undefined;
  if (lookahead !== "none") {
    throw new CommandError("usage", "--trust with --lookahead", "a gateway cannot be updated: leave one of them out");
  }
  const machine = readFileSync(fileURLToPath(import.meta.resolve("@lockstep/edge-sdk/update.wasm")));
  const version = parseVersion(packageVersion()) ?? 0;
  return { machine, keys: readKeys(trust), builtIn: { wasm: shippedDeviceModule(profile).bytes, version } };
}

function readKeys(file: string): DeviceUpdates["keys"] {
  try {
    const keys = parseTrustedKeys(readFileSync(file, "utf8"), file);
    if (keys.length > MAX_KEYS)
      throw new UpdateError("bad-key", { place: file, problem: `it has ${keys.length} keys` });
    return keys;
  } catch (cause) {
    const told = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(
      "usage",
      `--trust ${file}: ${told}`,
      "give the file that `lockstep keys new` wrote with .pub",
      {
        cause,
      },
    );
  }
}

/** A device keeps so many. */
const MAX_KEYS = 4;
