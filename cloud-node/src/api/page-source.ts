import type { NodeEvent } from "../reconstructor/node-event.ts";
import type { TwinView } from "../reconstructor/twin-view.ts";

/** What the page shows: the node, read only. */
export interface PageNode {
  /** Where devices reach the broker; null without one. */
  readonly mqttUrl: string | null;
  devices(): TwinView[];
  device(id: string): TwinView | undefined;
  onEvent(listener: (event: NodeEvent) => void): () => void;
}

/** An event of the node with the time at which it was told, µs: what a page gets. */
export type TimedEvent = NodeEvent & { readonly unixUs: number };

/** What is known of a device's real signal; only where it is simulated. */
export interface DeviceTruth {
  /** Largest |original − confirmed| over eps so far; NaN before the first comparison. */
  readonly maxErrorOverEps: number;
  /** Channel-samples compared, and those beyond eps. */
  readonly compared: number;
  readonly beyondEps: number;
}

/** Looks a device's truth up; undefined where nobody knows it. */
export type TruthOf = (device: string) => DeviceTruth | undefined;
