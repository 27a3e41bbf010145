import type { RefusalReason } from "@lockstep/protocol";
import type { SealRefusal } from "./seal-refusal.ts";

/** A device that was heard and is not taken in, and of which nothing can be shown: its module is missing, or worse. */
export interface RefusedDevice {
  readonly id: string;
  readonly reason: RefusalReason | SealRefusal;
  /** Unix time of its first refusal since the node started, and of the last word from it, µs. */
  readonly sinceUs: number;
  readonly lastHeardUs: number;
}
