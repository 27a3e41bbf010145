import type { DeviceReader } from "./device-reader.ts";
import type { DecodedFrame } from "./epoch-reader.ts";
import { cutRuns, type Run } from "./run.ts";
import type { TimeRange } from "./time-range.ts";

/** Consecutive rows of one epoch. */
export interface RowBlock {
  readonly epoch: number;
  /** Shape (rows): device time, µs. */
  readonly timesUs: Float64Array;
  /** Shape (rows, channels), row-major, in the channels' units; of an invalid sample the one before it. */
  readonly values: Float64Array;
  /** Shape (rows, channels): 0 ok, 1 invalid, 2 saturated. */
  readonly statuses: Uint8Array;
  readonly channels: number;
}

/** Values of a block at most: enough that a block costs nothing beside them, and few enough to wait for. */
const BLOCK_CELLS = 24_576;

/**
 * Every kept row of a range, epoch by epoch, decoded anew.
 *
 * @returns what of the range could not be read
 */
export function* readRows(device: DeviceReader, range: TimeRange): Generator<RowBlock, Run[]> {
  const damage: Run[] = [];
  for (const { epoch, frames } of device.epochs()) {
    let block: OpenBlock | undefined;
    for (const part of frames.parts(range, () => false)) {
      const decoded = frames.decode(part, range);
      let step = decoded.next();
      for (; !step.done; step = decoded.next()) {
        for (let from = 0; from < step.value.rows.count; ) {
          if (block !== undefined && !block.hasRoom(step.value)) {
            yield block.close();
            block = undefined;
          }
          block ??= new OpenBlock(epoch, step.value.rows.channels);
          from = block.add(step.value, from, range);
        }
      }
      damage.push(...step.value);
    }
    if (block !== undefined && block.rows > 0) yield block.close();
  }
  return cutRuns(damage, range.fromUs, range.toUs);
}

class OpenBlock {
  readonly #epoch: number;
  readonly #channels: number;
  readonly #most: number;
  readonly #timesUs: Float64Array;
  readonly #values: Float64Array;
  readonly #statuses: Uint8Array;
  rows = 0;

  constructor(epoch: number, channels: number) {
    this.#epoch = epoch;
    this.#channels = channels;
    this.#most = Math.floor(BLOCK_CELLS / channels);
    this.#timesUs = new Float64Array(this.#most);
    this.#values = new Float64Array(this.#most * channels);
    this.#statuses = new Uint8Array(this.#most * channels);
  }

  hasRoom({ rows }: DecodedFrame): boolean {
    return this.rows < this.#most && rows.channels === this.#channels;
  }

  /** Add rows of a frame that lie in the range. @returns the row to go on from */
  add({ twin, rows }: DecodedFrame, from: number, { fromUs, toUs }: TimeRange): number {
    const channels = this.#channels;
    const scales = twin.plan?.scales ?? [];
    let row = from;
    for (; row < rows.count && this.rows < this.#most; row++) {
      const timeUs = twin.rowTimeUs(row);
      if (timeUs < fromUs || timeUs >= toUs) continue;
      const to = this.rows * channels;
      this.#timesUs[this.rows] = timeUs;
      this.rows += 1;
      for (let c = 0; c < channels; c++) {
        const scale = scales[c];
        if (scale === undefined) continue;
        this.#values[to + c] = ((rows.samples[row * channels + c] ?? 0) + scale.offset) * scale.scale;
        this.#statuses[to + c] = rows.statuses[row * channels + c] ?? 0;
      }
    }
    return row;
  }

  close(): RowBlock {
    const cells = this.rows * this.#channels;
    return {
      epoch: this.#epoch,
      timesUs: this.#timesUs.slice(0, this.rows),
      values: this.#values.slice(0, cells),
      statuses: this.#statuses.slice(0, cells),
      channels: this.#channels,
    };
  }
}
