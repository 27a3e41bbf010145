import {
  type Clock,
  mqttTransport,
  openSerialPort,
  parseSerialUrl,
  type RandomSource,
  type ReachabilityListener,
  serialTransport,
  type TlsCredentials,
  type Transport,
  TransportError,
  tcpTransport,
} from "@lockstep/edge-sdk";

/** What a device was given when it was added. */
export interface DeviceCredentials {
  /** MQTT. */
  readonly password?: string | undefined;
  /** `mqtts://` and `tls://`. */
  readonly tls?: TlsCredentials | undefined;
}

/** Where devices connect: a broker with a group, a node's TCP port, or one end of a serial line. */
export interface Endpoint {
  /** `mqtt://…`, `mqtts://…`, `tcp://…`, `tls://…` or `serial:…` */
  readonly url: string;
  /** MQTT group; not used elsewhere. */
  readonly group: string;
  /** With which a device says who it is, and knows the other end. */
  readonly credentials?: DeviceCredentials | undefined;
}

export interface TransportParts extends ReachabilityListener {
  readonly device: string;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/**
 * The transport that an address asks for, by its scheme.
 *
 * @throws {TransportError} `bad-url`, `half-identity`
 */
export function transportTo(
  { url, group, credentials: { password, tls } = {} }: Endpoint,
  { device, clock, random, ...told }: TransportParts,
): Transport {
  if (/^mqtts?:/.test(url)) return mqttTransport({ url, group, device, password, tls, clock, random, ...told });
  if (/^(tcp|tls):/.test(url)) return tcpTransport({ url, tls, clock, random, ...told });
  if (/^serial:/.test(url)) {
    const port = parseSerialUrl(url);
    return serialTransport({ openPort: () => openSerialPort({ ...port, clock }), clock, random, ...told });
  }
  const expected = "mqtt://HOST:PORT, mqtts://HOST:PORT, tcp://HOST:PORT, tls://HOST:PORT or serial:PATH?baud=RATE";
  throw new TransportError("bad-url", { url, expected });
}
