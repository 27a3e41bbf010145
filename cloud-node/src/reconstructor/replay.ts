import type { SequencedFrame } from "@lockstep/protocol";
import type { StoredFrame, StoredGap, StoreReader } from "../store/store.ts";
import { readStoredFrame } from "./stored-frame.ts";
import type { Twin } from "./twin.ts";

/** One stored frame, just taken again: its rows are in the twin's row buffer until the next step. */
export interface ReplayStep {
  readonly seq: number;
  readonly frame: SequencedFrame;
  /** The frame's size as stored, bytes. */
  readonly frameBytes: number;
  /** Of a keyframe: the twin's snapshot before it, without a codec state. */
  readonly cold: Uint8Array | undefined;
}

/** How a replay ended: at the last stored frame, or before one that no longer gives what it gave. */
export type ReplayEnd = { readonly kind: "complete" } | { readonly kind: "damaged"; readonly seq: number };

/**
 * Take an epoch's stored frames again, from where the twin stands. The result is the twin that first took them, bit for
 * bit, since nothing enters but the frames and the declared gaps.
 *
 * @param gaps  of this epoch
 */
export function replay(
  twin: Twin,
  reader: StoreReader,
  device: number,
  gaps: readonly StoredGap[],
): Generator<ReplayStep, ReplayEnd> {
  return replayFrames(twin, reader.frames(device, twin.epoch, twin.next), gaps);
}

/** The same for some frames of the epoch, in order. */
export function* replayFrames(
  twin: Twin,
  frames: Iterable<StoredFrame>,
  gaps: readonly StoredGap[],
): Generator<ReplayStep, ReplayEnd> {
  for (const { seq, bytes } of frames) {
    let lost = 0;
    if (seq !== twin.next) {
      lost = gaps.find(({ through }) => through === seq - 1)?.samples ?? 0;
      twin.skipTo(seq);
    }
    const frame = readStoredFrame(bytes);
    if (frame === undefined) return { kind: "damaged", seq };
    const cold = frame.kind === "keyframe" ? twin.snapshot(true) : undefined;
    if (twin.take(frame, bytes, lost) !== "taken") return { kind: "damaged", seq };
    yield { seq, frame, frameBytes: bytes.length, cold };
  }
  return { kind: "complete" };
}
