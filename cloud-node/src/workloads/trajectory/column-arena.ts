/** Where the arrays of a frame's columns come from, and may go back to. */
export interface ColumnRoom {
  /** An array of its own; anything may be in it. */
  take(length: number): Float64Array;
  /** Nobody uses it any more. */
  give(array: Float64Array): void;
}

/** Arrays that are whoever's who gets the frame. */
export const OWN_ARRAYS: ColumnRoom = { take: (length) => new Float64Array(length), give: () => {} };

/** Some hundred columns of a few thousand atoms; larger columns have blocks of their own. */
const LEAST_BLOCK_BYTES = 1 << 22;
const VALUE_BYTES = Float64Array.BYTES_PER_ELEMENT;
/** No two arrays in one cache line. */
const ALIGNMENT = 64;

/**
 * Arrays that are used again, frame after frame, in memory that threads see, too: fresh memory for every frame, cleared
 * by the system and collected again, would take longer than what is done with it.
 */
export class ColumnArena implements ColumnRoom {
  /** Arrays in use of each block. */
  readonly #inUse = new Map<ArrayBufferLike, number>();
  #free: SharedArrayBuffer[] = [];
  #open: SharedArrayBuffer | undefined;
  #used = 0;

  take(length: number): Float64Array {
    const bytes = Math.max(ALIGNMENT, Math.ceil((length * VALUE_BYTES) / ALIGNMENT) * ALIGNMENT);
    const block = this.#blockFor(bytes);
    const array = new Float64Array(block, this.#used, length);
    this.#used += bytes;
    this.#inUse.set(block, (this.#inUse.get(block) ?? 0) + 1);
    return array;
  }

  /** Arrays that are not from here are left to themselves. */
  give({ buffer }: Float64Array): void {
    const left = (this.#inUse.get(buffer) ?? 0) - 1;
    if (left < 0) return;
    this.#inUse.set(buffer, left);
    if (left > 0) return;
    if (buffer === this.#open) this.#used = 0;
    else if (buffer instanceof SharedArrayBuffer) this.#free.push(buffer);
  }

  #blockFor(bytes: number): SharedArrayBuffer {
    const open = this.#open;
    if (open !== undefined && this.#used + bytes <= open.byteLength) return open;
    if (open !== undefined && this.#inUse.get(open) === 0) this.#free.push(open);
    const found = this.#free.findIndex(({ byteLength }) => byteLength >= bytes);
    // Powers of two: frames that grow find a block again before long.
    const size = Math.max(LEAST_BLOCK_BYTES, 2 ** Math.ceil(Math.log2(bytes)));
    const block = this.#free[found] ?? new SharedArrayBuffer(size);
    if (found >= 0) this.#free.splice(found, 1);
    this.#open = block;
    this.#used = 0;
    return block;
  }
}
