import {
  type Clock,
  mqttTransport,
  type RandomSource,
  type Transport,
  TransportError,
  tcpTransport,
} from "@lockstep/edge-sdk";

/** Where devices connect: a broker with a group, or a node's TCP port. */
export interface Endpoint {
  /** `mqtt://…`, `mqtts://…` or `tcp://…` */
  readonly url: string;
  /** MQTT group; not used over TCP. */
  readonly group: string;
}

/**
 * The transport that an address asks for, by its scheme.
 *
 * @throws {TransportError} `bad-url`
 */
export function transportTo(
  { url, group }: Endpoint,
  { device, clock, random }: { readonly device: string; readonly clock: Clock; readonly random: RandomSource },
): Transport {
  if (/^mqtts?:/.test(url)) return mqttTransport({ url, group, device, clock, random });
  if (/^tcp:/.test(url)) return tcpTransport({ url, clock, random });
  throw new TransportError("bad-url", { url, expected: "mqtt://HOST:PORT, mqtts://HOST:PORT or tcp://HOST:PORT" });
}
