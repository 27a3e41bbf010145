/**
 * The cloud's end: ingest, twins, store and jobs.
 *
 * @packageDocumentation
 */
export { BrokerError, type BrokerErrorCode } from "./broker/broker-error.ts";
export { type Clock, systemClock, type Timer } from "./clock.ts";
export {
  type BucketColumns,
  type Buckets,
  History,
  type HistoryRange,
  type HistorySample,
  openHistory,
  type RowBlock,
  type Run,
  type RunKind,
  type TimeRange,
} from "./history.ts";
export type { LoopbackEnd } from "./ingest/loopback-link.ts";
export type { SerialEnd } from "./ingest/serial-listener.ts";
export { type Logger, SILENT_LOGGER } from "./logger.ts";
export {
  type BrokerOptions,
  CloudNode,
  type CloudNodeOptions,
  type CommitListener,
  DEFAULT_GROUP,
  type NodeHealth,
} from "./node.ts";
export { PortError, type PortErrorCode } from "./port-error.ts";
export { type AckPolicy, DEFAULT_ACK_POLICY } from "./reconstructor/ack-policy.ts";
export type { ModuleFacts, ModuleSource } from "./reconstructor/module-registry.ts";
export type { NodeEvent, NodeEventListener } from "./reconstructor/node-event.ts";
export type {
  ChannelSample,
  SampleState,
  Traffic,
  TransportKind,
  TwinSample,
  TwinStatus,
  TwinView,
} from "./reconstructor/twin-view.ts";
export type { GapReason, StoredEpoch, StoredGap } from "./store/store.ts";
export { StoreError, type StoreErrorCode } from "./store/store-error.ts";
