import type { FlashDesk } from "../flash/flash-desk.ts";
import type { HistoryThread } from "../history/history-thread.ts";
import type { TimeRange } from "../history/time-range.ts";
import type { BlobStore } from "../jobs/blob-store.ts";
import type { JobQueue } from "../jobs/job-queue.ts";
import type { ModuleFacts } from "../reconstructor/module-registry.ts";
import type { NodeEvent } from "../reconstructor/node-event.ts";
import type { RefusedDevice } from "../reconstructor/refused-device.ts";
import type { FreshTraffic } from "../reconstructor/traffic-ledger.ts";
import type { TwinView } from "../reconstructor/twin-view.ts";
import type { Retention } from "../store/retention-timer.ts";

/** Reads of what is stored that delay no frame. */
export type HistoryReads = Pick<
  HistoryThread,
  "span" | "epochs" | "gapsAfter" | "traffic" | "birth" | "runs" | "nearest" | "buckets" | "rows"
>;

/** What the API shows, and does, of updates. */
export type ApiUpdates = Pick<
  FlashDesk,
  "list" | "get" | "of" | "ask" | "check" | "start" | "cancel" | "onChange" | "tally"
>;

/** What the API shows, and does, of heavy work. */
export interface ApiJobs {
  readonly queue: Pick<JobQueue, "submit" | "get" | "list" | "log" | "watch" | "cancel" | "retry" | "prune">;
  readonly blobs: Pick<BlobStore, "put" | "get" | "stat" | "renew" | "begun">;
  /** On the disk that the blobs go to; null: they go to another machine. */
  readonly folder: string | null;
}

/** How busy a node is. */
export interface ApiLoad {
  /** Frames and bytes that wait for the disk. */
  readonly waitingFrames: number;
  readonly waitingBytes: number;
  /** Frames that threads have. */
  readonly decodingFrames: number;
  /** Why devices are held back now; none: they are not. */
  readonly causes: readonly ("store" | "decoding" | "busy")[];
  /** How long they were, since the start, ms; and how often. */
  readonly heldMs: number;
  readonly times: number;
}

/** What the API shows: a node. */
export interface ApiNode {
  /** Where devices reach the broker; null without one. */
  readonly mqttUrl: string | null;
  /** What is stored, read on a thread of its own. */
  readonly history: HistoryReads;
  /** The file that everything is stored in. */
  readonly storeFile: string;
  /** How much history is kept. */
  readonly retention: Retention;
  devices(): TwinView[];
  device(id: string): TwinView | undefined;
  /** Devices that were heard and are not taken in, beside those that have a view. */
  refused(): RefusedDevice[];
  /** Updates of devices: they, and jobs, are all that changes something. */
  readonly updates: ApiUpdates;
  /** Null where the node has no queue. */
  readonly jobs: ApiJobs | null;
  modules(): ModuleFacts[];
  counters(): Readonly<Record<string, number>>;
  /** Null when all is well, and otherwise why not. */
  health(): { readonly store: string | null; readonly broker: string | null };
  /** What waits, and how long devices were held back. */
  load(): ApiLoad;
  onEvent(listener: (event: NodeEvent) => void): () => void;
  /** What a device cost that may not be stored yet, by minutes of Unix time. */
  freshTraffic(device: string): FreshTraffic[];
  /** Hear of every durable commit: ms, frames. */
  onCommit(listener: (elapsedMs: number, frames: number) => void): () => void;
}

/** Values that flow on to others, in one format. */
export interface ApiRepublished {
  readonly format: string;
  readonly messages: number;
  readonly values: number;
  readonly droppedValues: number;
  readonly queuedValues: number;
  readonly connections: number;
  readonly isConnected: boolean;
}

/** What the API shows of re-publishing. */
export interface ApiRepublish {
  /** Whether the node is not ready while there is a problem. */
  readonly isRequired: boolean;
  /** Null when all is well, and otherwise why not. */
  readonly problem: string | null;
  report(): { readonly formats: readonly ApiRepublished[]; readonly skippedRows: number };
}

/** What is known of a device's real signal; only where it is simulated. */
export interface DeviceTruth {
  /** Largest |original − confirmed| over eps so far; NaN before the first comparison. */
  readonly maxErrorOverEps: number;
  /** Channel-samples compared, and those beyond eps. */
  readonly compared: number;
  readonly beyondEps: number;
  /** Names of the signal's channels, in the order of its rows. */
  readonly channels: readonly string[];
  /** Device time for which `rowAt` knows the truth; undefined while that is none. */
  readonly known: TimeRange | undefined;
  /**
   * What a device's sensors really saw when the sample of this device time, µs, was taken.
   *
   * @returns shape (channels), in their units; good until the next call of anything. Undefined where it is not known
   */
  rowAt(timeUs: number): Float64Array | undefined;
}

/** Looks a device's truth up; undefined where nobody knows it. */
export type TruthOf = (device: string) => DeviceTruth | undefined;
