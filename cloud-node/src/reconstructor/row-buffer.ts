const FIRST_ROWS = 256;

/** Decoded rows of one frame, in the codec's integers; reused from frame to frame. */
export class RowBuffer {
  /** Shape (capacity, channels), row-major; rows 0 … count−1 are valid. */
  samples = new Int32Array(FIRST_ROWS);
  /** Shape (capacity, channels): 0 ok, 1 invalid, 2 saturated. */
  statuses = new Uint8Array(FIRST_ROWS);
  channels = 1;
  count = 0;
  /** Whether any row was appended with statuses. */
  hasStatuses = false;

  /** Forget all rows and take rows of so many channels. */
  clear(channels: number): void {
    this.channels = channels;
    this.count = 0;
    this.hasStatuses = false;
  }

  /**
   * Append rows.
   *
   * @param samples  shape (rows, channels)
   * @param statuses  shape (rows, channels), or nothing when all are ok
   */
  append(samples: Int32Array, statuses: Uint8Array | undefined): void {
    const at = this.count * this.channels;
    this.#reserve(at + samples.length);
    this.samples.set(samples, at);
    if (statuses === undefined) this.statuses.fill(0, at, at + samples.length);
    else {
      this.statuses.set(statuses, at);
      this.hasStatuses = true;
    }
    this.count += samples.length / this.channels;
  }

  #reserve(length: number): void {
    if (length <= this.samples.length) return;
    const capacity = Math.max(length, 2 * this.samples.length);
    const [samples, statuses] = [this.samples, this.statuses];
    this.samples = new Int32Array(capacity);
    this.statuses = new Uint8Array(capacity);
    this.samples.set(samples);
    this.statuses.set(statuses);
  }
}
