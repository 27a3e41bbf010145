import { MAX_MISSING_RANGES, type SeqRange } from "./frames/ack.ts";
import { WINDOW_FRAMES } from "./frames/numbers.ts";

/** The last seq of an epoch: a device starts another epoch rather than wrap. */
export const LAST_SEQ = 0xffff_ffff;

const SEQ_MODULUS = 2 * WINDOW_FRAMES;
const EPOCH_MODULUS = 16;

/**
 * The short form of (epoch, seq) that residuals and heartbeats carry.
 *
 * @param epoch  u32
 * @param seq  u32
 * @returns u16: 4096 · (epoch mod 16) + seq mod 4096
 */
export function position(epoch: number, seq: number): number {
  return SEQ_MODULUS * (epoch % EPOCH_MODULUS) + (seq % SEQ_MODULUS);
}

/**
 * The seq that a position stands for: of those that it can mean, the one nearest to the next expected.
 *
 * With at most 2,048 frames in flight, counted from the oldest that the device does not know as confirmed, the answer
 * is the right one; of two equally near the earlier is taken, since only that one can be in flight.
 *
 * @param framePosition  u16
 * @param expectedSeq  u32, the next seq the cloud expects in this epoch
 * @returns u32
 */
export function expandSeq(framePosition: number, expectedSeq: number): number {
  const ahead = (framePosition - expectedSeq) & (SEQ_MODULUS - 1);
  const seq = expectedSeq + (ahead < WINDOW_FRAMES ? ahead : ahead - SEQ_MODULUS);
  if (seq < 0) {
    return seq + SEQ_MODULUS;
  }
  return seq > LAST_SEQ ? seq - SEQ_MODULUS : seq;
}

/**
 * The epoch that a position stands for: of those known for the device, the newest with the same low four bits.
 *
 * @param framePosition  u16
 * @param knownEpochs  in any order
 * @returns undefined when none matches
 */
export function matchEpoch(framePosition: number, knownEpochs: Iterable<number>): number | undefined {
  const low = Math.floor(framePosition / SEQ_MODULUS);
  let newest: number | undefined;
  for (const epoch of knownEpochs) {
    if (epoch % EPOCH_MODULUS === low && (newest === undefined || epoch > newest)) {
      newest = epoch;
    }
  }
  return newest;
}

/**
 * The ranges of an epoch that have not arrived, as an ack asks for them.
 *
 * @param received  seqs that did, in any order, with or without duplicates; those outside [through, next) do not count
 * @param through  u32, the first seq to consider
 * @param next  0 … 2³², the seq after the last to consider
 * @param limit  the most ranges to return, the lowest first
 * @returns ascending and disjoint
 */
export function gapRanges(
  received: Iterable<number>,
  through: number,
  next: number,
  limit: number = MAX_MISSING_RANGES,
): SeqRange[] {
  const arrived = [...received].filter((seq) => seq >= through && seq < next).sort((a, b) => a - b);
  const ranges: SeqRange[] = [];
  let from = through;
  for (const seq of [...arrived, next]) {
    if (ranges.length === limit) {
      break;
    }
    if (seq > from) {
      ranges.push({ from, count: seq - from });
    }
    from = Math.max(from, seq + 1);
  }
  return ranges;
}
