import type { RetentionReport, RetentionRules } from "./retention.ts";

/** A device as the store knows it: `key` is its small number in every other table, and its alias on the wire. */
export interface StoredDevice {
  readonly id: string;
  readonly key: number;
}

/** One boot of a device. */
export interface StoredEpoch {
  readonly epoch: number;
  readonly nonce: number;
  /** 16 hex digits; the birth that this boot began with. */
  readonly birthHash: string;
  /** Unix time at which the cloud first heard of it, µs. */
  readonly openedUs: number;
}

/** One sequenced frame, with its bytes exactly as received. */
export interface StoredFrame {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** A twin's whole state before frame `seq`; replay from here gives the same twin as replay from the beginning. */
export interface StoredSnapshot {
  readonly seq: number;
  readonly state: Uint8Array;
}

/** Why frames are missing for good. */
export type GapReason = "evicted" | "state-mismatch" | "unknown-birth";

/** Frames `from` … `through`, both included, that no one has any more. */
export interface StoredGap {
  readonly epoch: number;
  readonly from: number;
  readonly through: number;
  readonly reason: GapReason;
  /** Samples lost with them, by the device's time on both sides. */
  readonly samples: number;
  /**
   * Device time that they would have had, µs; `toUs` is that of the keyframe behind them. Undefined while that has not
   * come, and where an earlier release wrote it.
   */
  readonly times?: { readonly fromUs: number; readonly toUs: number } | undefined;
}

/** What a device cost on the wire, and what it carried: both as they arrived. */
export interface StoredTraffic {
  /** Rows that were confirmed, and channel-samples. */
  readonly samples: number;
  readonly values: number;
  /** Frames of every kind that came. */
  readonly messages: number;
  readonly payloadBytes: number;
  readonly frameBytes: number;
  /** Of connections that end in the node, both directions; 0 of all others. */
  readonly socketBytes: number;
  readonly packets: number;
  /** Payload and channel-samples of the minutes in which those were counted. */
  readonly countedPayloadBytes: number;
  readonly countedValues: number;
}

/** A sum over minutes of the cloud's Unix time. */
export interface TrafficSum {
  readonly total: StoredTraffic;
  /** The device's oldest and newest minute that anything is written of; undefined when that is none. */
  readonly minutes: { readonly oldest: number; readonly newest: number } | undefined;
}

/** A codec module; `hash` is its SHA-256, 64 hex digits. */
export interface StoredModule {
  readonly hash: string;
  readonly wasm: Uint8Array;
  readonly source: string;
}

/**
 * Consecutive frames of an epoch, closed: nothing is added to them any more. Tier 0 holds frames; a stretch of a higher
 * tier sums up some of the tier below, and holds none.
 */
export interface StoredStretch {
  readonly epoch: number;
  readonly tier: number;
  /** Seqs, both included, those of frames lost among them too. */
  readonly from: number;
  readonly through: number;
  /** Device time of its samples, µs; `toUs` is exclusive. */
  readonly fromUs: number;
  readonly toUs: number;
  readonly samples: number;
  /** Channel-samples that are invalid or saturated. */
  readonly flagged: number;
  /** Smallest and largest values by time, as the level codec packs them. */
  readonly levels: Uint8Array;
}

/**
 * The stretch of an epoch that still grows, as it was a few frames ago: whoever goes on from here replays little. Its
 * frames are loose, and only the newest tail of an epoch is kept.
 */
export interface StoredTail extends Omit<StoredStretch, "tier" | "through"> {
  /** Seq after its last frame; `state` is the twin's before that. */
  readonly next: number;
  readonly frames: number;
  readonly frameBytes: number;
  /** What a replay of it takes, in channel-samples. */
  readonly work: number;
  readonly state: Uint8Array;
}

/** Frames of an epoch up to `through` were deleted, because their time was over. */
export interface StoredExpiry {
  readonly epoch: number;
  readonly through: number;
}

/** Reads of what is durable. Rows come in key order. @throws {StoreError} from each, above all `corrupt` */
export interface StoreReader {
  devices(): StoredDevice[];
  epochs(device: number): StoredEpoch[];
  /** The birth frame's bytes, or nothing when the hash is unknown. */
  birth(device: number, hash: string): Uint8Array | undefined;
  /** Frames of one epoch from seq `from` on, to `through` where it is given; read in parts, so that none waits for the reader. */
  frames(device: number, epoch: number, from: number, through?: number): Iterable<StoredFrame>;
  /** Whether more than so many frames of an epoch lie in no closed stretch. */
  hasLooseFrames(device: number, epoch: number, most: number): boolean;
  /** The newest snapshot of the epoch, or nothing. */
  snapshot(device: number, epoch: number): StoredSnapshot | undefined;
  /** What the twin knew before the first frame of a stretch of tier 0; nothing for the first one of an epoch. */
  stretchStart(device: number, epoch: number, from: number): StoredSnapshot | undefined;
  /** Stretches of one tier of an epoch that begin in `from` … `through`. Unreadable ones are left out. */
  stretches(device: number, epoch: number, tier: number, from: number, through?: number): StoredStretch[];
  lastStretch(device: number, epoch: number, tier: number): StoredStretch | undefined;
  /** Nothing when the epoch has no stretch. */
  topTier(device: number, epoch: number): number | undefined;
  tail(device: number, epoch: number): StoredTail | undefined;
  /** What is not kept any more, one entry per epoch at most. */
  expiries(device: number): StoredExpiry[];
  /** All gaps of a device, oldest first. */
  gaps(device: number): StoredGap[];
  /** The declared gaps behind one of them, or from the first on, in order of epochs and seqs. */
  gapsAfter(
    device: number,
    after: { readonly epoch: number; readonly from: number } | undefined,
    most: number,
  ): StoredGap[];
  /** How many gaps are declared, and how many samples are lost in them. */
  gapTotals(device: number): { readonly gaps: number; readonly samples: number };
  /** What a device cost from one minute of Unix time to before another. */
  traffic(device: number, from: number, to: number): TrafficSum;
  modules(): StoredModule[];
  close(): void;
}

/** What can be written besides frames; all of it rare. */
export type StoreRecord =
  | { readonly table: "device"; readonly id: string; readonly key: number }
  | { readonly table: "birth"; readonly device: number; readonly hash: string; readonly bytes: Uint8Array }
  | ({ readonly table: "epoch"; readonly device: number } & StoredEpoch)
  | ({ readonly table: "gap"; readonly device: number } & StoredGap)
  | ({ readonly table: "snapshot"; readonly device: number; readonly epoch: number } & StoredSnapshot)
  /** `frames`: as many at least are stored in its range; otherwise it is not written. `closedUs`: Unix time, µs. */
  | ({
      readonly table: "stretch";
      readonly device: number;
      readonly frames: number;
      readonly closedUs: number;
    } & StoredStretch)
  | ({ readonly table: "tail"; readonly device: number } & StoredTail)
  /** Added to what is written of this minute of Unix time. */
  | ({ readonly table: "traffic"; readonly device: number; readonly minute: number } & StoredTraffic)
  | ({ readonly table: "module" } & StoredModule);

/** `add`: store the frame; `check`: only compare it with what is stored under its key. */
export const FRAME_OPS = ["add", "check"] as const;
export type FrameOp = (typeof FRAME_OPS)[number];

/** What became of a frame that was not simply added. */
export const FRAME_VERDICTS = ["duplicate", "conflict", "absent"] as const;
export type FrameVerdict = (typeof FRAME_VERDICTS)[number];

/** One transaction's worth of writes. */
export interface StoreBatch {
  readonly records: readonly StoreRecord[];
  /** Shape (nFrames, FRAME_FIELDS): index into FRAME_OPS, device, epoch, seq, bytes. */
  readonly frames: Uint32Array<ArrayBuffer>;
  /** The frames' bytes, one behind the other. Ownership passes to the store. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Numbers per frame in a batch. */
export const FRAME_FIELDS = 5;

/** Frames of the batch that were not simply added, by their row in the batch. */
export interface CommitReply {
  readonly exceptions: readonly { readonly row: number; readonly verdict: FrameVerdict }[];
}

/** Durable memory of everything that was received. */
export interface Store {
  readonly reader: StoreReader;
  /**
   * Write a batch as one transaction; when the promise resolves it survives a power cut. One at a time.
   *
   * @throws {StoreError} nothing of the batch was written
   */
  commit(batch: StoreBatch): Promise<CommitReply>;
  /**
   * Delete what these rules do not keep; commits go on meanwhile. One at a time.
   *
   * @throws {StoreError} what was deleted before is deleted
   */
  retain(rules: RetentionRules): Promise<RetentionReport>;
  close(): Promise<void>;
}
