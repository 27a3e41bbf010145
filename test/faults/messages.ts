import type { BrokerOptions } from "@lockstep/cloud-node";

/** MQTT group of these tests. */
export const GROUP = "faults";

/** A device of the device host: `index` picks its signal, `url` its way to the cloud. */
export interface HostedDevice {
  readonly id: string;
  readonly index: number;
  /** `mqtt://HOST:PORT` or `tcp://HOST:PORT` */
  readonly url: string;
}

/** What the device host is started with. */
export interface DeviceHostOrder {
  readonly seed: number;
  /** Counts boots: each takes its samples from a stretch of its own. */
  readonly boot: number;
  readonly devices: readonly HostedDevice[];
  /** Where ring files and the journal are. */
  readonly folder: string;
}

/** What the cloud node's process is started with. */
export interface NodeHostOrder {
  readonly storeFile: string;
  readonly broker: BrokerOptions;
  readonly tcpPort: number;
  /** Milliseconds by which commits come after their acknowledgements; 0: the real thing, which commits first. */
  readonly lateCommitMs: number;
}

/** To the device host. */
export type DeviceHostRequest =
  /** Kill these processes at a random moment at which frames are unacknowledged. */
  | { readonly kind: "kill"; readonly pids: readonly number[] }
  /** Take no more samples, and wait until everything is confirmed. */
  | { readonly kind: "drain"; readonly limitMs: number };

/** From the device host. */
export type DeviceHostReply =
  /** Every device has had a frame confirmed in this boot. */
  | { readonly kind: "ready"; readonly adoptedFrames: number }
  /** `unacknowledged` frames had been sent to nobody's avail, in the very turn in which the kill was done. */
  | { readonly kind: "killed"; readonly unacknowledged: number }
  /** Every device has had a frame confirmed since the kill. */
  | { readonly kind: "recovered"; readonly afterMs: number }
  | {
      readonly kind: "drained";
      readonly isComplete: boolean;
      readonly evictedSamples: number;
      readonly unconfirmedFrames: number;
    };

/** To the cloud node's process. */
export interface NodeHostRequest {
  readonly kind: "report";
}

/** One twin, as the running node has it. */
export interface TwinReport {
  readonly id: string;
  readonly epoch: number;
  readonly confirmedSeq: number;
  readonly samples: number;
  readonly lostSamples: number;
  readonly stateHash: number | undefined;
}

/** From the cloud node's process. */
export type NodeHostReply =
  | { readonly kind: "ready" }
  | {
      readonly kind: "report";
      readonly twins: readonly TwinReport[];
      readonly counters: Readonly<Record<string, number>>;
    };

/** What the process of many devices is started with: each over MQTT, one frame a second. */
export interface FleetHostOrder {
  readonly seed: number;
  readonly devices: number;
  readonly url: string;
  /** Where the journal is. */
  readonly folder: string;
}

/** To the process of many devices. */
export type FleetHostRequest =
  | { readonly kind: "kill"; readonly pids: readonly number[] }
  | { readonly kind: "drain"; readonly limitMs: number };

/** From it. */
export type FleetHostReply =
  /** Every device has had a frame confirmed. */
  | { readonly kind: "ready" }
  | { readonly kind: "killed" }
  /** `afterMs`: of each device, from the kill to its next confirmed frame, in ascending order. */
  | { readonly kind: "recovered"; readonly unacknowledged: number; readonly afterMs: readonly number[] }
  | { readonly kind: "drained"; readonly isComplete: boolean };
