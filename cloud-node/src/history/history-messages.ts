import type { History } from "./history.ts";
import type { HistoryFailure } from "./history-failure.ts";
import type { RowBlock } from "./row-blocks.ts";
import type { Run } from "./run.ts";

/** Reads of a history whose answer comes in one piece. */
export type HistoryRead = "span" | "epochs" | "gapsAfter" | "traffic" | "birth" | "runs" | "nearest" | "buckets";

/** What is asked of the thread; `rows` opens a read, of which `next` gives a block and `end` lets go. */
export type HistoryQuestion =
  | { readonly [K in HistoryRead]: { readonly kind: K; readonly args: Parameters<History[K]> } }[HistoryRead]
  | { readonly kind: "rows"; readonly args: Parameters<History["rows"]> }
  | { readonly kind: "next"; readonly read: number }
  | { readonly kind: "end"; readonly read: number };

/** What each is answered with. */
export type HistoryAnswers = { readonly [K in HistoryRead]: ReturnType<History[K]> } & {
  /** Number of the read. */
  readonly rows: number;
  readonly next: { readonly block: RowBlock } | { readonly damage: readonly Run[] };
  readonly end: undefined;
};

export interface HistoryOrder {
  readonly id: number;
  readonly question: HistoryQuestion;
}

export interface HistoryReply {
  readonly id: number;
  readonly answer?: HistoryAnswers[HistoryQuestion["kind"]];
  readonly failure?: HistoryFailure;
}
