import { decodeFrame, FrameError, isSequenced, type SequencedFrame } from "@lockstep/protocol";

/** What stored bytes say; nothing when they are no frame any more. */
export function readStoredFrame(bytes: Uint8Array): SequencedFrame | undefined {
  try {
    const frame = decodeFrame(bytes);
    return isSequenced(frame) ? frame : undefined;
  } catch (error) {
    if (error instanceof FrameError) return undefined;
    throw error;
  }
}
