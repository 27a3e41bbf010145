import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { createSecureContext, type SecureVersion } from "node:tls";
import { AccessError } from "./access-error.ts";

/** Where a server's certificate is. */
export interface TlsFileNames {
  /** PEM: the server's certificate, and those between it and its authority. */
  readonly cert: string;
  /** PEM: its private key, without a passphrase. */
  readonly key: string;
  /** PEM: the authorities whose certificates clients may show. */
  readonly clientCa?: string | undefined;
}

/** What a server that speaks TLS is made with. */
export interface TlsFiles {
  /** For `tls.createServer` and `https.createServer`. A client may show a certificate where `clientCa` was given: the server looks at `authorized`. */
  readonly options: {
    readonly cert: Buffer;
    readonly key: Buffer;
    readonly ca?: Buffer;
    readonly minVersion: SecureVersion;
    readonly requestCert: boolean;
    readonly rejectUnauthorized: false;
    readonly handshakeTimeout: number;
  };
  /** Clients are asked for a certificate. */
  readonly isMutual: boolean;
}

const MIN_VERSION: SecureVersion = "TLSv1.2";
/** A handshake that takes longer is no device's. */
const HANDSHAKE_LIMIT_MS = 10_000;
/** Anybody on the machine may read. */
const OTHERS_READ = 0o004;
/** Certificates have some kilobytes. */
const MAX_BYTES = 1 << 20;

/**
 * Read what TLS needs, and make sure that it fits together.
 *
 * @throws {AccessError} `bad-tls-file` naming the file, `tls-key-open`
 */
export function readTlsFiles({ cert: certFile, key: keyFile, clientCa }: TlsFileNames): TlsFiles {
  const cert = readPem(certFile, "CERTIFICATE");
  const key = readPem(keyFile, "PRIVATE KEY");
  if (process.platform !== "win32" && (statSync(keyFile).mode & OTHERS_READ) !== 0) {
    throw new AccessError("tls-key-open", `${keyFile} can be read by everybody here`, `chmod 600 ${keyFile}`);
  }
  if (!parsed(certFile, () => new X509Certificate(cert)).checkPrivateKey(privateKey(keyFile, key))) {
    throw new AccessError(
      "bad-tls-file",
      `${keyFile} is not the key of ${certFile}`,
      "give the two that belong together",
    );
  }
  const ca = clientCa === undefined ? undefined : readPem(clientCa, "CERTIFICATE");
  if (clientCa !== undefined && ca !== undefined) parsed(clientCa, () => new X509Certificate(ca));
  const options = {
    ...{ cert, key, ...(ca === undefined ? {} : { ca }) },
    minVersion: MIN_VERSION,
    requestCert: ca !== undefined,
    // Whoever shows none may have a password, or MACs; whoever shows a bad one is refused by the server.
    rejectUnauthorized: false,
    handshakeTimeout: HANDSHAKE_LIMIT_MS,
  } as const;
  parsed(certFile, () => createSecureContext(options));
  return { options, isMutual: ca !== undefined };
}

function readPem(file: string, label: string): Buffer {
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new AccessError("bad-tls-file", `there is no ${file}`, "give a PEM file");
  const bytes = size > MAX_BYTES ? Buffer.alloc(0) : readFileSync(file);
  if (!bytes.includes(`${label}-----`)) {
    throw new AccessError("bad-tls-file", `${file} has no ${label.toLowerCase()}`, "give a PEM file");
  }
  return bytes;
}

function privateKey(file: string, pem: Buffer): KeyObject {
  // OpenSSL's words quote nothing of a key.
  return parsed(file, () => createPrivateKey(pem));
}

function parsed<Result>(file: string, parse: () => Result): Result {
  try {
    return parse();
  } catch (cause) {
    const told = cause instanceof Error ? cause.message : String(cause);
    throw new AccessError("bad-tls-file", `${file} cannot be used (${told})`, "give a PEM file without a passphrase", {
      cause,
    });
  }
}
