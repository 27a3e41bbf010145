import type { Cargo } from "./light-device.ts";

/** A fleet in a process of its own: as JSON in its first argument. */
export interface FleetOrder {
  readonly port: number;
  readonly group: string;
  readonly devices: number;
  readonly cargo: Cargo;
  /** Signals that the devices share, and frames of each. */
  readonly templates: number;
  readonly frames: number;
}

export type FleetRequest =
  /** Connect all; `connected` when they are live. */
  | { readonly kind: "connect" }
  /** Let frames fall due for so long; `ran` at its end. */
  | {
      readonly kind: "run";
      /** Of all devices together; 0: as fast as they are confirmed. */
      readonly framesPerSecond: number;
      readonly seconds: number;
      /** Frames of a device that may be unconfirmed. */
      readonly window: number;
      /** Plain messages to the broker and back, a second, beside it. */
      readonly echoesPerSecond: number;
    }
  /** Let no more fall due, and wait; `drained` when all is confirmed, or after the limit. */
  | { readonly kind: "drain"; readonly limitMs: number }
  /** `account` tells what each device knows. */
  | { readonly kind: "account"; readonly withTimes: boolean }
  | { readonly kind: "close" };

/** Numbers of a run. */
export interface RunTally {
  readonly produced: number;
  readonly sent: number;
  readonly confirmed: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  /** Most frames that were due and not sent at one time. */
  readonly heldMost: number;
  readonly echoMs: readonly number[];
}

/** What one device knows at the end. */
export interface DeviceTruth {
  readonly device: string;
  readonly template: number;
  readonly sent: number;
  readonly confirmed: number;
  /** When each frame was sent first, ms on the computer's monotonic clock; none unless asked for. */
  readonly sentMs: readonly number[];
  readonly messages: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

export type FleetReply =
  | { readonly kind: "ready" }
  | { readonly kind: "connected"; readonly ms: number }
  | ({ readonly kind: "ran" } & RunTally)
  | { readonly kind: "drained"; readonly unconfirmed: number; readonly ms: number }
  | { readonly kind: "account"; readonly devices: readonly DeviceTruth[] };

/** A node, or what people write instead of one, in a process of its own. */
export interface CloudHostOrder {
  readonly storeFile: string;
  /** Null: the node's own broker. */
  readonly brokerUrl: string | null;
  readonly group: string;
  readonly threads: number | undefined;
  /** Take what comes as this. */
  readonly cargo: Cargo;
  /** Every commit takes so much longer, ms: a slow disk. */
  readonly slowCommitMs: number;
}

export type CloudHostRequest =
  /** `usage` tells what was used since the last time. */
  | { readonly kind: "usage" }
  /** `commits` tells when frames became durable. */
  | { readonly kind: "commits" }
  | { readonly kind: "stop" };

/** What a node's process used and did since it was last asked. */
export interface CloudUsage {
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly rssMB: number;
  readonly frames: number;
  readonly commits: number;
  /** Of the node so far. */
  readonly heldMs: number;
  readonly heldTimes: number;
  /** When devices were held back first, ms on the computer's monotonic clock; 0: never. */
  readonly heldSinceMs: number;
  readonly waitingFrames: number;
  readonly counters: Readonly<Record<string, number>>;
}

export type CloudHostReply =
  | { readonly kind: "ready"; readonly port: number }
  | ({ readonly kind: "usage" } & CloudUsage)
  /** Of each device: the seq after the last that is durable, and when it became so, in turns. */
  | { readonly kind: "commits"; readonly devices: Readonly<Record<string, readonly number[]>> }
  | { readonly kind: "stopped" };
