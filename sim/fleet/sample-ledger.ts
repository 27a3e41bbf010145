import type { SessionStats } from "@lockstep/edge-sdk";
import { SampleRanges } from "./sample-ranges.ts";

/** One frame in the device's ring, by the samples that it accounts for: [from, to). */
interface FramedSamples {
  readonly from: number;
  readonly to: number;
}

/**
 * What became of every sample of one device, as the device itself sees it: in the ring, confirmed by the cloud, dropped
 * from a full ring, or lost with the power. It only watches the numbers that a session shows.
 */
export class SampleLedger {
  /** Frames of which the cloud has said that it has them, for good. */
  readonly confirmed = new SampleRanges();
  /** Dropped by the device from a full ring; to be declared. */
  readonly evicted = new SampleRanges();
  /** Gone with a power cut before they had reached the ring. */
  readonly unsaved = new SampleRanges();
  /** In the ring, oldest first. */
  #ring: FramedSamples[] = [];
  /** First sample that no frame accounts for yet. */
  #open = 0;
  #nextSeq = 0;
  #evictedSamples = 0;

  /** Sample numbers that are in the ring now. */
  held(): SampleRanges {
    const held = new SampleRanges();
    for (const { from, to } of this.#ring) held.add(from, to);
    return held;
  }

  /**
   * A session was opened.
   *
   * @param firstSample  number of the first sample that it will take
   */
  booted(stats: SessionStats, firstSample: number): void {
    // The newest frames are those that a torn write loses.
    for (const { from, to } of this.#ring.splice(stats.adoptedFrames)) this.unsaved.add(from, to);
    this.#open = firstSample;
    this.#nextSeq = stats.nextSeq;
    this.#evictedSamples = stats.evictedSamples;
  }

  /** Power failed after sample `next - 1` was taken. */
  powerFailed(next: number): void {
    this.unsaved.add(this.#open, next);
    this.#open = next;
  }

  /**
   * A session has made a step.
   *
   * @param next  number of the sample after the newest one taken
   */
  stepped(stats: SessionStats, next: number): void {
    const covered = next - stats.pendingSamples;
    const added = stats.nextSeq - this.#nextSeq;
    if (added > 0) {
      // Of several frames closed in one step the first ones are heartbeats or parts of the same samples.
      for (let i = 1; i < added; i += 1) this.#ring.push({ from: this.#open, to: this.#open });
      this.#ring.push({ from: this.#open, to: covered });
      this.#nextSeq = stats.nextSeq;
    } else if (covered > this.#open) {
      // Quiet samples that followed a dropped segment, and were dropped with it.
      this.evicted.add(this.#open, covered);
    }
    this.#open = Math.max(this.#open, covered);
    const gone = this.#ring.splice(0, Math.max(0, this.#ring.length - stats.unconfirmedFrames));
    const wasEvicted = stats.evictedSamples > this.#evictedSamples;
    this.#evictedSamples = stats.evictedSamples;
    for (const { from, to } of gone) (wasEvicted ? this.evicted : this.confirmed).add(from, to);
  }
}
