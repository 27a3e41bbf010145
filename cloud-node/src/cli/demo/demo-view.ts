import type { DeviceState } from "../../api/device-state.ts";

/** One device as the table shows it. */
export interface DemoRow {
  readonly id: string;
  readonly state: DeviceState;
  /** Last confirmed value of channel 1 in each bucket of the last 60 s, oldest first. */
  readonly recent: readonly (number | undefined)[];
  /** Raw bytes over sent bytes at the IP layer, both directions; NaN before the first byte. */
  readonly ratioIp: number;
  /** Largest |original − confirmed| over eps so far; NaN before the first confirmed sample. */
  readonly errorShare: number;
  /** Frame sent to durable, 99th percentile, ms. */
  readonly p99Ms: number;
  /** 0 … 1. */
  readonly ringFill: number;
}

/** Something that happened, in one short phrase. */
export interface DemoEvent {
  readonly unixMs: number;
  readonly id: string;
  readonly text: string;
}

/** Everything on the screen. */
export interface DemoView {
  readonly eps: string;
  readonly upMs: number;
  readonly url: string;
  readonly rows: readonly DemoRow[];
  readonly chosen: string | undefined;
  readonly ratioIp: number;
  readonly beyondEps: number;
  readonly lost: number;
  readonly events: readonly DemoEvent[];
  readonly isPaused: boolean;
  readonly isHelpShown: boolean;
}
