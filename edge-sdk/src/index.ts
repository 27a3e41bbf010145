/**
 * The codec that both ends share, and the host that drives it over a transport.
 *
 * @packageDocumentation
 */
export { type Clock, sleep, systemClock, type Timer } from "./clock.ts";
export { type RandomSource, systemRandom, uniform } from "./random-source.ts";
export {
  MAX_MESSAGE_BYTES,
  type OutTopic,
  type Transport,
  TransportError,
  type TransportErrorCode,
  type TransportEvents,
} from "./transport.ts";
export { Loopback, type LoopbackHandlers } from "./transports/loopback.ts";
export { type MqttTransportOptions, mqttTransport } from "./transports/mqtt.ts";
export { type TcpTransportOptions, tcpTransport } from "./transports/tcp.ts";
