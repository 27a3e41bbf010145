import type { BirthFrame } from "@lockstep/protocol";
import type { StoredEpoch, StoredGap, TrafficSum } from "../store/store.ts";
import type { StoreErrorCode } from "../store/store-error.ts";
import type { Buckets } from "./buckets.ts";
import type { GapPage } from "./history.ts";
import type { HistoryErrorCode } from "./history-error.ts";
import type { Nearest } from "./nearest.ts";
import type { RowBlock } from "./row-blocks.ts";
import type { Run } from "./run.ts";
import type { TimeRange } from "./time-range.ts";

/** What is asked of the thread; `rows` opens a read, of which `next` gives a block and `end` lets go. */
export type HistoryQuestion =
  | { readonly kind: "span" | "epochs"; readonly device: string }
  | { readonly kind: "birth"; readonly device: string; readonly epoch: number | undefined }
  | {
      readonly kind: "gapsAfter";
      readonly device: string;
      readonly after: Pick<StoredGap, "epoch" | "from"> | undefined;
      readonly most: number;
    }
  | { readonly kind: "traffic"; readonly device: string; readonly from: number; readonly to: number }
  | { readonly kind: "runs" | "nearest"; readonly device: string; readonly range: TimeRange }
  | {
      readonly kind: "buckets";
      readonly device: string;
      readonly range: TimeRange;
      readonly maxBuckets: number;
      readonly channels: readonly number[] | undefined;
    }
  | { readonly kind: "rows"; readonly device: string; readonly range: TimeRange }
  | { readonly kind: "next"; readonly read: number }
  | { readonly kind: "end"; readonly read: number };

/** What each is answered with. */
export interface HistoryAnswers {
  readonly span: TimeRange | undefined;
  readonly epochs: readonly StoredEpoch[];
  readonly gapsAfter: GapPage;
  readonly traffic: TrafficSum;
  readonly birth: BirthFrame;
  readonly runs: readonly Run[];
  readonly nearest: Nearest;
  readonly buckets: Buckets;
  /** Number of the read. */
  readonly rows: number;
  readonly next: { readonly block: RowBlock } | { readonly damage: readonly Run[] };
  readonly end: undefined;
}

/** An error on its way to the thread that asked. */
export interface HistoryFailure {
  readonly from: "store" | "history" | "other";
  readonly code: StoreErrorCode | HistoryErrorCode | "";
  readonly facts: Readonly<Record<string, string | number>>;
  readonly message: string;
}

export interface HistoryOrder {
  readonly id: number;
  readonly question: HistoryQuestion;
}

export interface HistoryReply {
  readonly id: number;
  readonly answer?: HistoryAnswers[HistoryQuestion["kind"]];
  readonly failure?: HistoryFailure;
}
