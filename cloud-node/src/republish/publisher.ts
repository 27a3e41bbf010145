import type { DeviceFacts, SampleBatch } from "./sample-batch.ts";

/** How values leave. */
export type RepublishFormat = "json" | "sparkplug";

/** What was counted of one format since the start; values are channel-samples. */
export interface RepublishTally {
  readonly format: RepublishFormat;
  readonly messages: number;
  readonly values: number;
  /** Given up because the broker was away or slow for too long, or because nothing could say them. */
  readonly droppedValues: number;
  readonly queuedValues: number;
  readonly connections: number;
  readonly isConnected: boolean;
}

/** Hears what a follower of twins sees, in order. */
export interface SampleSink {
  /** A device is there, or is another than before: its boot, or what its channels mean. */
  born(facts: DeviceFacts): void;
  /** A device is gone; what it confirmed was told before. */
  gone(device: string): void;
  take(batch: SampleBatch): void;
}

/** One format on its way to a broker. */
export interface Publisher extends SampleSink {
  tally(): RepublishTally;
  /** Why nothing leaves now; null when all is well. */
  readonly problem: string | null;
  /** Say goodbye, and end. */
  close(): Promise<void>;
}
