import { readFileSync, statSync } from "node:fs";
import { compileMacModule, type MacKey } from "@lockstep/edge-sdk";
import { LINK_KEY_BYTES } from "@lockstep/protocol";
import type { DeviceCredentials } from "@lockstep/sim";
import { CommandError } from "../command-error.ts";
import { shippedMacModule } from "../device-module.ts";
import type { DeviceOptions } from "./device-options.ts";

/** Stands in a file's name for the device's. */
const PLACE = "{id}";
/** Certificates and keys have some kilobytes. */
const MAX_BYTES = 1 << 20;

/**
 * What a simulated device shows, from the files that the options name.
 *
 * @param devices  how many there are: of several each has its own password and certificate
 * @throws {CommandError} `usage`, `file`
 */
export function credentialsFor(options: DeviceOptions, id: string, devices: number): DeviceCredentials {
  const { ca, cert, key, passwordFile } = options;
  if ((cert === undefined) !== (key === undefined)) {
    throw new CommandError("usage", "one of --cert and --key", "a certificate and its key go together: give both");
  }
  for (const [option, file] of [
    ["--password-file", passwordFile],
    ["--cert", cert],
    ["--key", key],
  ] as const) {
    if (file !== undefined) checkPlace(option, file, devices);
  }
  const read = (file: string | undefined) => (file === undefined ? undefined : readText(file.replaceAll(PLACE, id)));
  return { password: read(passwordFile)?.trim(), tls: { ca: read(ca), cert: read(cert), key: read(key) } };
}

/**
 * What simulated devices put MACs on their frames with, by their names.
 *
 * @throws {CommandError} `usage`, `file`
 */
export function macKeysFor({ macKeyFile }: DeviceOptions, ids: readonly string[]): ReadonlyMap<string, MacKey> {
  if (macKeyFile === undefined) return new Map();
  checkPlace("--mac-key-file", macKeyFile, ids.length);
  const module = compileMacModule(shippedMacModule());
  return new Map(ids.map((id) => [id, { module, bytes: readMacKey(macKeyFile.replaceAll(PLACE, id)) }]));
}

/** @throws {CommandError} `file` */
function readMacKey(file: string): Uint8Array {
  const bytes = new Uint8Array(Buffer.from(readText(file).trim(), "base64url"));
  if (bytes.length === LINK_KEY_BYTES) return bytes;
  const problem = `${file} is no key: ${bytes.length} bytes, and not ${LINK_KEY_BYTES}`;
  throw new CommandError("file", problem, "give mac-key of a bundle that `lockstep devices add --bundle` wrote");
}

/** Each of several devices has its own. @throws {CommandError} `usage` */
function checkPlace(option: string, file: string, devices: number): void {
  if (devices === 1 || file.includes(PLACE)) return;
  throw new CommandError("usage", `${option} ${file} for ${devices} devices`, `write ${PLACE} where the name differs`);
}

function readText(file: string): string {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > MAX_BYTES) {
    throw new CommandError(
      "file",
      `${file} is over ${MAX_BYTES} bytes`,
      "give a password's, certificate's or key's file",
    );
  }
  return readFileSync(file, "utf8");
}
