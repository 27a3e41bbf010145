import type { BrokerLogin } from "./access/broker-login.ts";
import type { ConnectionLimits } from "./access/connection-limits.ts";
import type { DeviceRateLimits } from "./access/device-rates.ts";
import type { TlsFiles } from "./access/tls-files.ts";
import type { Clock } from "./clock.ts";
import type { Pressure } from "./ingest/back-pressure.ts";
import type { LinkKeys } from "./ingest/seal-guard.ts";
import type { JobQueue } from "./jobs/job-queue.ts";
import type { Logger } from "./logger.ts";
import type { AckPolicy } from "./reconstructor/ack-policy.ts";
import type { Retention } from "./store/retention-timer.ts";
import type { Store } from "./store/store.ts";

/** The MQTT broker: one of our own on a TCP port, or any MQTT 3.1.1 broker. */
export type BrokerOptions =
  | { readonly kind: "embedded"; readonly port: number; readonly host?: string }
  | { readonly kind: "external"; readonly url: string; readonly login?: BrokerLogin; readonly ca?: Buffer };

export interface CloudNodeOptions {
  /** SQLite file; made when there is none. */
  readonly storeFile: string;
  /** `port` 0 takes a free one; null: no MQTT. */
  readonly broker: BrokerOptions | null;
  /** Devices over plain TCP; 0 takes a free port, null or nothing listens on none. */
  readonly tcpPort?: number | null;
  /** Address that the TCP port is bound to; 127.0.0.1 unless given. */
  readonly tcpHost?: string;
  /** MQTT group, 1 … 64 of `[A-Za-z0-9_-]`. */
  readonly group?: string;
  /** Devices reach the embedded broker and the TCP port over TLS; nothing: without. */
  readonly tls?: TlsFiles | undefined;
  /** What each port takes of connections. */
  readonly connections?: ConnectionLimits | undefined;
  /** What each device may send; nothing: as much as it likes. */
  readonly rates?: DeviceRateLimits | undefined;
  readonly acks?: AckPolicy;
  /** Codec modules that the operator registers; the store keeps them for every later start. */
  readonly modules?: readonly Uint8Array[];
  /** How much history is kept; nothing: all. */
  readonly retention?: Retention | undefined;
  /** How long writes gather before a commit, ms. */
  readonly commitMs?: number;
  /** Threads that decode beside the node's own, 0 for none; by the machine's cores unless given. */
  readonly threads?: number | undefined;
  /** The queue of jobs, as sqlite:FILE or nats://HOST:PORT; nothing: none. */
  readonly jobs?: string | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** How busy a node is. */
export interface NodeLoad extends Pressure {
  /** Frames and bytes that wait for the disk. */
  readonly waitingFrames: number;
  readonly waitingBytes: number;
  /** Frames that threads have. */
  readonly decodingFrames: number;
  /** Threads that decode beside the node's own. */
  readonly threads: number;
}

/** What a test may put in the place of the real thing; no command reaches it. */
export interface NodeInternals {
  /** Where the jobs go that programs hand in by frames, instead of the node's own queue; the test closes it, after the node. */
  readonly jobs?: JobQueue | undefined;
  /** Wrap the store. */
  store?(store: Store): Store;
  /** Database pages that the store may grow to; 0 or nothing: any. */
  readonly maxPages?: number;
  /** Who may speak, and by which keys: instead of the book's, for tests. */
  readonly linkKeys?: LinkKeys | undefined;
}
