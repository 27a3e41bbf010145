import type { NodeEventListener } from "../reconstructor/node-event.ts";
import type { TwinView } from "../reconstructor/twin-view.ts";

/** Stored rows of one boot. */
export interface StoredRows {
  readonly epoch: number;
  /** Shape (rows): device time, µs. */
  readonly timesUs: Float64Array;
  /** Shape (rows, channels), row-major. */
  readonly values: Float64Array;
  /** Shape (rows, channels): 0 ok, 1 invalid, 2 saturated. */
  readonly statuses: Uint8Array;
}

/** What is followed: a node. */
export interface FollowedNode {
  devices(): TwinView[];
  device(id: string): TwinView | undefined;
  onEvent(listener: NodeEventListener): () => void;
  readonly history: {
    rows(device: string, range: { readonly fromUs: number; readonly toUs: number }): AsyncGenerator<StoredRows>;
  };
}
