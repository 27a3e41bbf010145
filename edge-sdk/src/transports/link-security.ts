import { TransportError } from "../transport.ts";

/** PEM texts with which a device knows its far end, and is known by it. */
export interface TlsCredentials {
  /** Authorities that the far end's certificate must come from; nothing: those that Node knows. */
  readonly ca?: string | undefined;
  /** The device's own certificate, whose common name is its id, and its private key: both or neither. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Older versions are refused. */
const MIN_TLS = "TLSv1.2";

/**
 * The settings of a connection over TLS. The far end's certificate is always checked, with its name.
 *
 * @throws {TransportError} `half-identity` for a certificate without its key, or the other way round
 */
export function tlsSettings({ ca, cert, key }: TlsCredentials) {
  if ((cert === undefined) !== (key === undefined)) throw new TransportError("half-identity", {});
  return {
    minVersion: MIN_TLS,
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  } as const;
}
