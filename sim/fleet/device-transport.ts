import {
  type Clock,
  mqttTransport,
  openSerialPort,
  parseSerialUrl,
  type RandomSource,
  type ReachabilityListener,
  serialTransport,
  type Transport,
  TransportError,
  tcpTransport,
} from "@lockstep/edge-sdk";

/** Where devices connect: a broker with a group, a node's TCP port, or one end of a serial line. */
export interface Endpoint {
  /** `mqtt://…`, `mqtts://…`, `tcp://…` or `serial:…` */
  readonly url: string;
  /** MQTT group; not used elsewhere. */
  readonly group: string;
}

export interface TransportParts extends ReachabilityListener {
  readonly device: string;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/**
 * The transport that an address asks for, by its scheme.
 *
 * @throws {TransportError} `bad-url`
 */
export function transportTo({ url, group }: Endpoint, { device, clock, random, ...told }: TransportParts): Transport {
  if (/^mqtts?:/.test(url)) return mqttTransport({ url, group, device, clock, random, ...told });
  if (/^tcp:/.test(url)) return tcpTransport({ url, clock, random, ...told });
  if (/^serial:/.test(url)) {
    const port = parseSerialUrl(url);
    return serialTransport({ openPort: () => openSerialPort({ ...port, clock }), clock, random, ...told });
  }
  const expected = "mqtt://HOST:PORT, mqtts://HOST:PORT, tcp://HOST:PORT or serial:PATH?baud=RATE";
  throw new TransportError("bad-url", { url, expected });
}
