/**
 * The codec that both ends share, and the host that drives it over a transport.
 *
 * @packageDocumentation
 */
export type { BootRecord } from "./boot-record.ts";
export { type ChannelPlan, type ChannelRequest, planChannel } from "./channel-scale.ts";
export { type Clock, sleep, systemClock, type Timer } from "./clock.ts";
export { compileDeviceModule, compileGatewayModule, type DeviceModule } from "./device-module.ts";
export { DeviceSession } from "./device-session.ts";
export type { Lookahead } from "./encoder.ts";
export { JobClient, type JobClientOptions } from "./job-client.ts";
export { JobClientError, type JobClientErrorCode, type JobClientErrorFacts } from "./job-client-error.ts";
export { LatticeScan } from "./lattice.ts";
export type { LinkPhase } from "./link.ts";
export type { LinkExports } from "./link-exports.ts";
export { compileMacModule, type MacExports, type MacKey, type MacModule } from "./link-seal.ts";
export { LINK_VIEW_FIELDS, type LinkView, readLinkView } from "./link-view.ts";
export { type RandomSource, systemRandom, uniform } from "./random-source.ts";
export { selfTestDigest } from "./self-test.ts";
export { SessionError, type SessionErrorCode } from "./session-error.ts";
export {
  DEFAULT_RING_BYTES,
  type DeviceSessionOptions,
  type SessionStats,
  type SessionStep,
} from "./session-options.ts";
export { addTraffic, NO_TRAFFIC, type SessionTraffic } from "./session-traffic.ts";
export type { JobOutcome, JobRequest, JobStanding, SubmittedJob } from "./submitted-job.ts";
export {
  MAX_MESSAGE_BYTES,
  type OutTopic,
  type Transport,
  TransportError,
  type TransportErrorCode,
  type TransportEvents,
} from "./transport.ts";
export type { TlsCredentials } from "./transports/link-security.ts";
export { Loopback, type LoopbackHandlers } from "./transports/loopback.ts";
export { DEFAULT_MQTT_KEEP_ALIVE_SECONDS, type MqttTransportOptions, mqttTransport } from "./transports/mqtt.ts";
export type { ReachabilityListener } from "./transports/reachability.ts";
export { type SerialTransportOptions, serialTransport } from "./transports/serial.ts";
export {
  SerialLine,
  type SerialLineEvents,
  type SerialLineOptions,
  type SerialPortLike,
} from "./transports/serial-line.ts";
export {
  DEFAULT_BAUD_RATE,
  isBaudRate,
  MAX_BAUD_RATE,
  MIN_BAUD_RATE,
  openSerialPort,
  parseSerialUrl,
  type SerialPortOptions,
} from "./transports/serial-port.ts";
export { DEFAULT_TCP_KEEP_ALIVE_MS, type TcpTransportOptions, tcpTransport } from "./transports/tcp.ts";
export { parseTrustedKeys } from "./trusted-key.ts";
export { UpdatableSession, type UpdatableSessionOptions } from "./updatable-session.ts";
export {
  type BootedModule,
  type BuiltInModule,
  DEFAULT_CONFIRM_MS,
  MODULE_TARGET,
  UpdateDevice,
  type UpdateDeviceOptions,
} from "./update-device.ts";
export { UpdateError, type UpdateErrorCode } from "./update-error.ts";
export { UPDATE_ABI_VERSION, UPDATE_CANDIDATE, UPDATE_CONFIG, UPDATE_HEAD } from "./update-layout.ts";
export type { TrustedKey } from "./update-machine.ts";
export { fileUpdateStore, memoryUpdateStore, type UpdateStore } from "./update-store.ts";
