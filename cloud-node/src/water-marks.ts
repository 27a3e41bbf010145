/** Bytes that wait from which on those who send are held back. */
const HOLD_BYTES = 8 << 20;
/** They are let go at so much of either. */
const ROOM_SHARE = 0.5;
/** What was on its way when they were held is still taken, up to here. */
const FULL_FRAMES = 20_000;
const FULL_BYTES = 32 << 20;

export interface WaterMarksOptions {
  /** Frames that wait from which on those who send are held back. */
  readonly holdFrames: number;
  /** Told when more waits than should: those who send are to be held back. */
  onFull(): void;
  /** Told when that is over. */
  onRoom(): void;
}

/** Tells when too much waits for a part of the node, and when that is over. */
export class WaterMarks {
  readonly #options: WaterMarksOptions;
  #isHolding = false;

  constructor(options: WaterMarksOptions) {
    this.#options = options;
  }

  /** So much waits now. */
  look(frames: number, bytes: number): void {
    const { holdFrames, onFull, onRoom } = this.#options;
    const isOver = (share: number) => frames >= share * holdFrames || bytes >= share * HOLD_BYTES;
    if (!this.#isHolding && isOver(1)) {
      this.#isHolding = true;
      onFull();
    } else if (this.#isHolding && !isOver(ROOM_SHARE)) {
      this.#isHolding = false;
      onRoom();
    }
  }
}

/** Whether so much waits that no frame is taken which can come again later: devices keep theirs. */
export function isFull(frames: number, bytes: number): boolean {
  return frames >= FULL_FRAMES || bytes >= FULL_BYTES;
}
