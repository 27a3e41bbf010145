import type { StoreBatch } from "./store.ts";
import type { StoreErrorCode } from "./store-error.ts";

/** What the commit worker is told at its start. */
export interface CommitWorkerData {
  readonly file: string;
  readonly maxPages: number;
}

/** From the node's thread to the commit worker. */
export type CommitOrder = { readonly kind: "commit"; readonly batch: StoreBatch } | { readonly kind: "close" };

/** Back, once per batch. `exceptions`, shape (nExceptions, 2): row of the batch, index into FRAME_VERDICTS. */
export type CommitAnswer =
  | { readonly kind: "durable"; readonly exceptions: Uint32Array<ArrayBuffer> }
  | {
      readonly kind: "failed";
      readonly code: StoreErrorCode;
      readonly facts: Readonly<Record<string, string | number>>;
    };
