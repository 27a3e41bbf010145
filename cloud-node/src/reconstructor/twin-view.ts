import type { BirthFrame } from "@lockstep/protocol";

/** Whether the bound of its channel holds for a value: confirmed ones are durable, extrapolated ones are guesses. */
export type SampleState = "confirmed" | "extrapolated";

/** One instant of every channel, in the channels' own units. */
export interface TwinSample {
  /** Shape (nChannels). */
  readonly values: Float64Array;
  /** Shape (nChannels): 0 ok, 1 invalid (the last good value is repeated), 2 saturated. */
  readonly statuses: Uint8Array;
  readonly state: SampleState;
  /** Device time, µs. */
  readonly timeUs: number;
}

/** One channel's value at one instant. */
export interface ChannelSample {
  readonly value: number;
  readonly status: number;
  readonly timeUs: number;
}

/**
 * What a twin is doing.
 *
 * `live`: up to date · `catching-up`: later frames are here, earlier ones are awaited · `gap`: waits for a keyframe ·
 * `silent`: online, but nothing came for longer than it promised · `offline` · `refused`: not taken, or not stored, see the events
 */
export type TwinStatus = "live" | "catching-up" | "gap" | "silent" | "offline" | "refused";

/** Bytes and packets on the wire since the node started. */
export interface Traffic {
  /** Frames taken in, of every kind. */
  readonly messages: number;
  /** Of the codec's payloads. */
  readonly payloadBytes: number;
  /** Of whole frames, as received. */
  readonly frameBytes: number;
  /** Whether the next four were counted: only connections that end in this process are. */
  readonly isSocketCounted: boolean;
  readonly socketBytesUp: number;
  readonly socketBytesDown: number;
  /** Chunks read from and written to the socket; TCP segments, where none are merged on the way. */
  readonly packetsUp: number;
  readonly packetsDown: number;
}

/** How a device's frames come in. */
export type TransportKind = "mqtt" | "tcp" | "serial" | "loopback";

/** One device as the cloud sees it at the moment of asking. */
export interface TwinView {
  readonly id: string;
  readonly birth: BirthFrame;
  readonly birthHash: string;
  readonly epoch: number;
  readonly online: boolean;
  readonly status: TwinStatus;
  /** Of this epoch: next seq, samples and time of the last sample that are durable, contiguous and verified. */
  readonly confirmed: { readonly seq: number; readonly samples: number; readonly timeUs: number };
  /** Samples of this epoch decoded and verified, durable or not. */
  readonly receivedSamples: number;
  /** Of the codec state after the last frame taken: equal to the device's own. Undefined before the first keyframe. */
  readonly stateHash: number | undefined;
  /** Declared lost in this epoch. */
  readonly lost: { readonly samples: number; readonly gaps: number };
  /** The newest confirmed sample, then the extrapolated one when time has passed since; 0 to 2 entries. */
  readonly latest: readonly TwinSample[];
  /** The newest confirmed samples of one channel, oldest first; at most `n`, and at most what is kept in memory. */
  recent(channel: number, n: number): ChannelSample[];
  /** What the twin expects since the last sample that it has, up to the moment of asking: the newest `n`, oldest first. */
  expected(n: number): TwinSample[];
  /** 0 … 1, as last reported. */
  readonly ringFill: number;
  /** Device time minus the cloud's Unix time, µs, as last reported; undefined until the first report. */
  readonly clockOffsetUs: number | undefined;
  readonly traffic: Traffic;
  /** By which it was last heard; undefined before it is heard since the node started. */
  readonly transport: TransportKind | undefined;
  /** From a frame's arrival to its commit, over the newest frames; NaN when there is none. */
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  readonly duplicates: number;
  readonly conflicts: number;
  /** Frames of this device not taken, whatever the reason; the node's counters tell them apart. */
  readonly refused: number;
  /** Why nothing of it can be stored any more; undefined while it can. */
  readonly damage: string | undefined;
  /** Channel-samples flagged in this epoch. */
  readonly flagged: { readonly invalid: number; readonly saturated: number };
  /** Unix time of the last frame of any kind, µs; 0 when none came since the node started. */
  readonly lastHeardUs: number;
  /** Unix time of the last frame that stood for samples, µs; 0 when none came since the node started. */
  readonly lastDataUs: number;
}
