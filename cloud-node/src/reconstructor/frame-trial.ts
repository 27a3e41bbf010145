import type { Core } from "@lockstep/edge-sdk/core";
import { type SequencedFrame, sequencedSeal } from "@lockstep/protocol";
import { unlessRefused } from "./codec-refusal.ts";
import type { RowBuffer } from "./row-buffer.ts";

/** The codec of one epoch, between two frames. */
export type FrameDecoder = ReturnType<Core["createDecoder"]>;

/** Where a frame stands: what its seal binds it to. */
export interface FramePlace {
  readonly device: string;
  readonly epoch: number;
  readonly seq: number;
}

/**
 * How many samples a frame's payload holds.
 *
 * @param frameSamples  of its birth
 * @returns undefined for more than the birth allows
 */
export function payloadRows(frame: SequencedFrame, frameSamples: number): number | undefined {
  const count = frame.kind === "heartbeat" ? 0 : frame.samples === 0 ? frameSamples : frame.samples;
  return count > frameSamples ? undefined : count;
}

/**
 * Decode a frame and compare the state after it with its seal. It depends on nothing but what is given, so that it comes
 * to the same on every thread.
 *
 * @param decoder  where the frame before it left it; moved on when the frame proves itself, otherwise as it was
 * @param bytes  the whole frame as received, for its seal
 * @param count  samples in the payload, as `payloadRows` says
 * @param channels  of the birth
 * @param rows  overwritten with what was decoded
 * @returns whether it proves itself
 */
export function tryFrame(
  decoder: FrameDecoder,
  frame: SequencedFrame,
  bytes: Uint8Array,
  { device, epoch, seq }: FramePlace,
  count: number,
  channels: number,
  rows: RowBuffer,
): boolean {
  const quiet = frame.kind === "keyframe" ? 0 : frame.quiet;
  rows.clear(channels);
  return decoder.attempt(() => {
    const stateHash = unlessRefused(() => {
      if (quiet > 0) rows.append(decoder.replayQuiet(quiet), undefined);
      if (frame.kind !== "heartbeat") {
        const { samples, statuses } = decoder.decode(frame.payload, count, frame);
        rows.append(samples, frame.hasEvents ? statuses : undefined);
      }
      return decoder.hash();
    });
    return stateHash !== undefined && sequencedSeal(bytes, device, epoch, seq, stateHash) === frame.seal;
  });
}
