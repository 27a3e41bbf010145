import type { AckFrame, RefusalReason, ResyncFrame } from "@lockstep/protocol";
import type { Clock } from "../clock.ts";
import type { Counters } from "../counters.ts";
import type { CommitQueue } from "../store/commit-queue.ts";
import type { AckTimes } from "./ack-policy.ts";
import type { DecodePool } from "./decode-pool.ts";
import type { NodeEvent } from "./node-event.ts";
import type { RowBuffer } from "./row-buffer.ts";
import type { PlanLookup } from "./twin.ts";

/** What a lane says to its device; whoever sends it adds the nonce. */
export type LaneReply = Omit<AckFrame, "nonce"> | Omit<ResyncFrame, "nonce">;

/** What a lane needs of the node around it. */
export interface LaneSurroundings {
  readonly device: string;
  readonly key: number;
  readonly plans: PlanLookup;
  readonly rows: RowBuffer;
  readonly commits: CommitQueue;
  /** Who decodes; nobody: the lane does. */
  readonly decoding?: DecodePool | undefined;
  readonly clock: Clock;
  readonly acks: AckTimes;
  readonly counters: Counters;
  reply(reply: LaneReply): void;
  refuse(reason: RefusalReason): void;
  emit(event: NodeEvent): void;
}
