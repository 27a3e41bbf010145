import { readFileSync, statSync } from "node:fs";
import type { DeviceCredentials } from "@lockstep/sim";
import { CommandError } from "../command-error.ts";
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
  ]) {
    if (devices === 1 || file === undefined || file.includes(PLACE)) continue;
    throw new CommandError(
      "usage",
      `${option} ${file} for ${devices} devices`,
      `write ${PLACE} where the name differs`,
    );
  }
  const read = (file: string | undefined) => (file === undefined ? undefined : readText(file.replaceAll(PLACE, id)));
  return { password: read(passwordFile)?.trim(), tls: { ca: read(ca), cert: read(cert), key: read(key) } };
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
