import type { RetentionReport, RetentionRules } from "./retention.ts";
import type { StoreBatch } from "./store.ts";
import type { StoreErrorCode } from "./store-error.ts";

/** What the commit worker is told at its start. */
export interface CommitWorkerData {
  readonly file: string;
  readonly maxPages: number;
}

/** From the node's thread to the commit worker. */
export type CommitOrder =
  | { readonly kind: "commit"; readonly batch: StoreBatch }
  | { readonly kind: "retain"; readonly rules: RetentionRules }
  | { readonly kind: "close" };

interface Failure {
  readonly code: StoreErrorCode;
  readonly facts: Readonly<Record<string, string | number>>;
}

/** Back, once per batch. `exceptions`, shape (nExceptions, 2): row of the batch, index into FRAME_VERDICTS. */
export type CommitAnswer =
  | { readonly kind: "durable"; readonly exceptions: Uint32Array<ArrayBuffer> }
  | ({ readonly kind: "failed" } & Failure)
  /** Once per order to retain; commits that came meanwhile were answered before. */
  | { readonly kind: "retained"; readonly report: RetentionReport }
  | ({ readonly kind: "retain-failed" } & Failure);
