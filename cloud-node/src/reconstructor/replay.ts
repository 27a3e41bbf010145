import { decodeFrame, isSequenced } from "@lockstep/protocol";
import type { StoredGap, StoreReader } from "../store/store.ts";
import type { Twin } from "./twin.ts";

/** One stored frame, just taken again: its rows are in the twin's row buffer until the next step. */
export interface ReplayStep {
  readonly seq: number;
  /** The frame's size as stored, bytes. */
  readonly frameBytes: number;
}

/** How a replay ended: at the last stored frame, or before one that no longer gives what it gave. */
export type ReplayEnd = { readonly kind: "complete" } | { readonly kind: "damaged"; readonly seq: number };

/**
 * Take an epoch's stored frames again, from where the twin stands. The result is the twin that first took them, bit for
 * bit, since nothing enters but the frames and the declared gaps.
 *
 * @param gaps  of this epoch
 */
export function* replay(
  twin: Twin,
  reader: StoreReader,
  device: number,
  gaps: readonly StoredGap[],
): Generator<ReplayStep, ReplayEnd> {
  for (const { seq, bytes } of reader.frames(device, twin.epoch, twin.next)) {
    let lost = 0;
    if (seq !== twin.next) {
      lost = gaps.find(({ through }) => through === seq - 1)?.samples ?? 0;
      twin.skipTo(seq);
    }
    const frame = decodeFrame(bytes);
    if (!isSequenced(frame) || twin.take(frame, bytes, lost) !== "taken") return { kind: "damaged", seq };
    yield { seq, frameBytes: bytes.length };
  }
  return { kind: "complete" };
}
