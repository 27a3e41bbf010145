import { FrameError } from "./errors.ts";
import { MAX_FRAME_BYTES } from "./frame-layout.ts";
import type { FragmentFrame } from "./frames/fragment.ts";

/** Incomplete sets that a receiver keeps per device. */
export const MAX_FRAGMENT_SETS = 4;

const MAX_COUNT = 255;
/** From here on an integer, or a length, takes one more byte. */
const SECOND_BYTE_FROM = 24;
/** Fragments that take one byte for their count. */
const FEW = SECOND_BYTE_FROM - 1;
/** Of the frame's array head and kind. */
const HEAD_BYTES = 2;

/**
 * Cut a frame into fragments that each fit a link's MTU once encoded.
 *
 * @param frameBytes  the whole frame
 * @param mtu  the most bytes of one encoded fragment
 * @param id  0 … 131,071; see {@link FragmentFrame}
 * @returns in order; chunks are views of `frameBytes`; empty when the frame fits the MTU as it is
 * @throws {FrameError} `too-large` when 255 fragments do not hold it
 * @see protocol/SPEC.md, section 3.6
 */
export function split(frameBytes: Uint8Array, mtu: number, id: number): FragmentFrame[] {
  if (frameBytes.length <= mtu) {
    return [];
  }
  const few = chunkBytes(mtu, id, FEW);
  const isFew = few > 0 && few * FEW >= frameBytes.length;
  const size = isFew ? few : chunkBytes(mtu, id, MAX_COUNT);
  const count = size > 0 ? Math.ceil(frameBytes.length / size) : Number.POSITIVE_INFINITY;
  if (count > MAX_COUNT) {
    throw new FrameError("too-large", { offset: 0, field: "count", have: frameBytes.length, limit: MAX_COUNT * size });
  }
  return Array.from({ length: count }, (_, index) => {
    const chunk = frameBytes.subarray(index * size, (index + 1) * size);
    return { kind: "fragment", id, index, count, chunk };
  });
}

/** The longest chunk with which every fragment of at most `count` fits; 0 or less when none does. */
function chunkBytes(mtu: number, id: number, count: number): number {
  const room = mtu - HEAD_BYTES - integerBytes(id) - integerBytes(count - 1) - integerBytes(count);
  return room - integerBytes(room - 1);
}

function integerBytes(value: number): number {
  if (value < SECOND_BYTE_FROM) {
    return 1;
  }
  if (value < 0x100) {
    return 2;
  }
  return value < 0x1_0000 ? 3 : 5;
}

interface FragmentSet {
  readonly count: number;
  readonly chunks: Map<number, Uint8Array>;
  /** Length of every chunk but the last; undefined until one of them came. */
  chunkBytes: number | undefined;
}

/**
 * Puts fragments of one device together again, in whatever order they come.
 *
 * Holds at most {@link MAX_FRAGMENT_SETS} incomplete sets, each of at most 65,535 bytes; the oldest makes room.
 */
export class Reassembler {
  /** By id, the set begun first in front. */
  readonly #sets = new Map<number, FragmentSet>();

  /** Sets that are not complete yet. */
  get incompleteSets(): number {
    return this.#sets.size;
  }

  /** Bytes held of them. */
  get heldBytes(): number {
    let total = 0;
    for (const set of this.#sets.values()) {
      for (const chunk of set.chunks.values()) {
        total += chunk.length;
      }
    }
    return total;
  }

  /**
   * Take one fragment.
   *
   * @param fragment  as decoded; its chunk is copied
   * @returns the whole frame, the caller's, when this was the last one missing; it may be anything: decode it
   * @throws {FrameError} `too-large` when the set would be longer than a frame can be; the set is then forgotten
   */
  push(fragment: FragmentFrame): Uint8Array | undefined {
    const set = this.#setFor(fragment);
    if (set.chunks.has(fragment.index)) {
      return undefined;
    }
    set.chunks.set(fragment.index, fragment.chunk.slice());
    if (fragment.index < set.count - 1) {
      set.chunkBytes = fragment.chunk.length;
    }
    const leastBytes = (set.count - 1) * (set.chunkBytes ?? 1) + (set.chunks.get(set.count - 1)?.length ?? 1);
    if (leastBytes > MAX_FRAME_BYTES) {
      this.#sets.delete(fragment.id);
      throw new FrameError("too-large", { offset: 0, field: "fragments", have: leastBytes, limit: MAX_FRAME_BYTES });
    }
    if (set.chunks.size < set.count) {
      return undefined;
    }
    this.#sets.delete(fragment.id);
    return join(set, leastBytes);
  }

  #setFor(fragment: FragmentFrame): FragmentSet {
    const known = this.#sets.get(fragment.id);
    if (known !== undefined && belongs(fragment, known)) {
      return known;
    }
    this.#sets.delete(fragment.id);
    const [oldest] = this.#sets.keys();
    if (oldest !== undefined && this.#sets.size === MAX_FRAGMENT_SETS) {
      this.#sets.delete(oldest);
    }
    const fresh: FragmentSet = { count: fragment.count, chunks: new Map(), chunkBytes: undefined };
    this.#sets.set(fragment.id, fresh);
    return fresh;
  }
}

/** Whether a fragment can be of the same frame as those held: otherwise the set starts afresh with it. */
function belongs(fragment: FragmentFrame, set: FragmentSet): boolean {
  if (fragment.count !== set.count) {
    return false;
  }
  const held = set.chunks.get(fragment.index);
  if (held !== undefined) {
    return isEqual(held, fragment.chunk);
  }
  if (fragment.index < set.count - 1) {
    const lastBytes = set.chunks.get(set.count - 1)?.length ?? 0;
    return fragment.chunk.length === (set.chunkBytes ?? fragment.chunk.length) && lastBytes <= fragment.chunk.length;
  }
  return fragment.chunk.length <= (set.chunkBytes ?? fragment.chunk.length);
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function join(set: FragmentSet, lengthBytes: number): Uint8Array {
  const frameBytes = new Uint8Array(lengthBytes);
  const chunkBytes = set.chunkBytes ?? 0;
  for (const [index, chunk] of set.chunks) {
    frameBytes.set(chunk, index * chunkBytes);
  }
  return frameBytes;
}
