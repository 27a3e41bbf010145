import { UpdateError } from "./update-error.ts";
import type { TrustedKey } from "./update-machine.ts";

const KEY_BYTES = 32;
const ALGORITHMS = { ed25519: "ed25519", hmac: "hmac-sha256" } as const;

/**
 * Read the keys that a device trusts, one a line, as `lockstep keys` writes them: `ed25519:` and the public key, or `hmac:`
 * and the secret, 32 bytes in base64url. Empty lines, and lines that begin with `#`, are skipped.
 *
 * @param text  of the file
 * @param file  its name, for the error
 * @returns one key at least
 * @throws {UpdateError} `bad-key`, naming the line
 */
export function parseTrustedKeys(text: string, file: string): TrustedKey[] {
  const keys = text.split("\n").flatMap((line, at) => {
    const isKey = line.trim() !== "" && !line.trimStart().startsWith("#");
    return isKey ? [parseKey(line.trim(), `line ${at + 1} of ${file}`)] : [];
  });
  if (keys.length === 0) throw new UpdateError("bad-key", { place: file, problem: "it is empty" });
  return keys;
}

function parseKey(line: string, place: string): TrustedKey {
  const [, name, digits = ""] = /^([a-z0-9]+):([A-Za-z0-9_-]+)$/.exec(line) ?? [];
  if (name !== "ed25519" && name !== "hmac")
    throw new UpdateError("bad-key", { place, problem: "it is of another form" });
  const bytes = new Uint8Array(Buffer.from(digits, "base64url"));
  if (bytes.length !== KEY_BYTES || Buffer.from(bytes).toString("base64url") !== digits) {
    throw new UpdateError("bad-key", { place, problem: `it has ${bytes.length} bytes` });
  }
  return { algorithm: ALGORITHMS[name], bytes };
}
