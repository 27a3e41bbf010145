import type { RefusalReason, ResyncReason } from "@lockstep/protocol";
import type { GapReason } from "../store/store.ts";
import type { StoreErrorCode } from "../store/store-error.ts";
import type { SealRefusal } from "./seal-refusal.ts";

/** Steps of an update that are told. */
export type UpdateEventStep = "sending" | "switching" | "done" | "failed" | "reverted" | "cancelled";

/** What an operator, a page or a test may want to hear of as it happens; the rest is in the counters. */
export type NodeEvent =
  | { readonly kind: "born"; readonly device: string; readonly epoch: number; readonly isNewEpoch: boolean }
  | { readonly kind: "online"; readonly device: string }
  | { readonly kind: "offline"; readonly device: string }
  /** Samples became confirmed; `seq` is the next one of the epoch. */
  | {
      readonly kind: "confirmed";
      readonly device: string;
      readonly epoch: number;
      readonly seq: number;
      readonly samples: number;
    }
  /** Frames are missing and were asked for. */
  | {
      readonly kind: "gap-pending";
      readonly device: string;
      readonly epoch: number;
      readonly from: number;
      readonly count: number;
    }
  /** Frames are lost for good. */
  | {
      readonly kind: "gap-lost";
      readonly device: string;
      readonly epoch: number;
      readonly from: number;
      readonly through: number;
      readonly samples: number;
      readonly reason: GapReason;
    }
  | {
      readonly kind: "resync";
      readonly device: string;
      readonly epoch: number;
      readonly seq: number;
      readonly reason: ResyncReason;
    }
  | { readonly kind: "conflict"; readonly device: string; readonly epoch: number; readonly seq: number }
  /** Channel-samples of one frame that were clipped, or missing. */
  | {
      readonly kind: "saturated";
      readonly device: string;
      readonly epoch: number;
      readonly seq: number;
      readonly count: number;
    }
  | {
      readonly kind: "invalid";
      readonly device: string;
      readonly epoch: number;
      readonly seq: number;
      readonly count: number;
    }
  | { readonly kind: "refused"; readonly device: string; readonly reason: RefusalReason }
  /** Frames in the name of a device that has a key were not believed; so many since that was last told, `code` of the newest. */
  | { readonly kind: "unproven"; readonly device: string; readonly code: SealRefusal; readonly count: number }
  /** A part of the store is damaged, and nothing of this device can be stored any more; it keeps its frames. */
  | { readonly kind: "store-damaged"; readonly device: string; readonly code: StoreErrorCode; readonly message: string }
  /** The update of a device came to another step; `reason`: why it ended, in plain words, "" before. */
  | {
      readonly kind: "update";
      readonly device: string;
      readonly step: UpdateEventStep;
      readonly version: string;
      readonly reason: string;
    }
  /** A commit failed; its frames stay unacknowledged and it is tried again. */
  | { readonly kind: "store-failed"; readonly code: StoreErrorCode; readonly message: string };

export type NodeEventListener = (event: NodeEvent) => void;
