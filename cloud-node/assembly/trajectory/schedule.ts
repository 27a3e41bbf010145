/**
 * The order in which the frames of a chunk are coded, and what each is predicted from.
 *
 * Frame 0 is the key, and frames 1 … 8 follow in the order of time. The others come in groups of `span` frames (a power
 * of two, smaller ones at the end): first the last frame of a group, then the ones in the middle of what is known, and
 * so on. Span 1 is the order of time.
 *
 *     span 4, frames 9 … 12 after frame 8:   12   10   9 11   (a frame between two known ones is nearly foreseen)
 *
 * A frame's own taps are the 8 known frames nearest to it, the earlier first; frames with the same known frames around
 * them share a row of coefficients. Partners (columns of the chunk that are coded before) are known at every frame.
 */
export const MAX_FRAMES: i32 = 1024;
export const MAX_ROWS: i32 = 64;
/** Own taps, and taps of either partner. */
export const OWN_TAPS: i32 = 8;
export const MAX_TAPS: i32 = 16;
/**
 * The first frames are coded in the order of time: one in the middle, with few others known, would be put on the
 * straight line between two, off by what forces bend it, and all energies with it (`npm run bench -- trajectory`).
 */
const STRAIGHT: i32 = 8;
/** Spans are 2^0 … 2^4. */
export const SPANS: i32 = 5;
/** The key; then by distance to the next known frame, 2^0 … 2^4, and the same for frames with less than 8 before. */
export const CLASSES: i32 = 1 + 2 * SPANS;
export const KEY_CLASS: i32 = 0;
/** In place of a frame: nothing known there. */
export const NO_FRAME: i32 = -1;

const STEP: usize = memory.data(MAX_FRAMES * 5 * 4, 16);
const ROW_KEY: usize = memory.data(MAX_ROWS * 4, 16);
const ROW_TAPS: usize = memory.data(MAX_ROWS * 4, 16);
const OFFSETS: usize = memory.data(MAX_ROWS * MAX_TAPS * 4, 16);
const KNOWN: usize = memory.data(MAX_FRAMES, 16);
let steps: i32 = 0;
let rows: i32 = 0;

/** Frame of a step; steps are 0 … frames - 1 in the order of coding. */
export function stepFrame(step: i32): i32 {
  return load<i32>(STEP + <usize>step * 20);
}

/** Its row of coefficients; the key has none. */
export function stepRow(step: i32): i32 {
  return load<i32>(STEP + <usize>step * 20, 4);
}

/** Its class of frequency tables. */
export function stepClass(step: i32): i32 {
  return load<i32>(STEP + <usize>step * 20, 8);
}

/** The frames whose codes tell most about its own; NO_FRAME for none. */
export function stepLeft(step: i32): i32 {
  return load<i32>(STEP + <usize>step * 20, 12);
}

export function stepRight(step: i32): i32 {
  return load<i32>(STEP + <usize>step * 20, 16);
}

/** How many of a row's taps are its own. Range: 1 … OWN_TAPS. */
export function ownTapsOf(row: i32): i32 {
  return load<i32>(ROW_TAPS + ((<usize>row) << 2));
}

/** Frame of an own tap, relative to the frame predicted. */
export function ownOffset(row: i32, tap: i32): i32 {
  return load<i32>(OFFSETS + ((<usize>(row * MAX_TAPS + tap)) << 2));
}

/** How many rows of coefficients there are. */
export function rowCount(): i32 {
  return rows;
}

/**
 * Plan a chunk.
 *
 * @param frames  1 … MAX_FRAMES
 * @param span  1, 2, 4, 8 or 16
 */
export function schedule(frames: i32, span: i32): void {
  steps = 0;
  rows = 0;
  memory.fill(KNOWN, 0, MAX_FRAMES);
  addStep(0, 0, KEY_CLASS, NO_FRAME, NO_FRAME);
  let base = 0;
  while (base < frames - 1) {
    let size = base < STRAIGHT ? 1 : span;
    while (size > frames - 1 - base) size >>= 1;
    addGroup(base, size);
    base += size;
  }
}

function addGroup(base: i32, size: i32): void {
  const end = base + size;
  addCoded(base, size, size, size == 1 ? end - 1 : base, size == 1 ? end - 2 : base - size);
  for (let distance = size >> 1; distance > 0; distance >>= 1) {
    for (let place = distance; place < size; place += 2 * distance) {
      addCoded(base, size, place, base + place - distance, base + place + distance);
    }
  }
}

function addCoded(base: i32, size: i32, place: i32, left: i32, right: i32): void {
  const isEarly = base < OWN_TAPS;
  const distance = place & -place;
  const kind = 1 + (31 - clz(distance)) + (isEarly ? SPANS : 0);
  addStep(base + place, rowOf(base, size, place), kind, left > 0 ? left : NO_FRAME, right > 0 ? right : NO_FRAME);
}

function addStep(frame: i32, row: i32, kind: i32, left: i32, right: i32): void {
  const at = STEP + <usize>steps * 20;
  store<i32>(at, frame);
  store<i32>(at, row, 4);
  store<i32>(at, kind, 8);
  store<i32>(at, left, 12);
  store<i32>(at, right, 16);
  store<u8>(KNOWN + frame, 1);
  steps += 1;
}

function rowOf(base: i32, size: i32, place: i32): i32 {
  const key = (size << 16) | (min(base, OWN_TAPS) << 8) | place;
  for (let row = 0; row < rows; row++) {
    if (load<i32>(ROW_KEY + ((<usize>row) << 2)) == key) return row;
  }
  const row = rows;
  rows += 1;
  store<i32>(ROW_KEY + ((<usize>row) << 2), key);
  const frame = base + place;
  const oldest = max(0, base - OWN_TAPS);
  let taps = 0;
  for (let away = 1; taps < OWN_TAPS && away <= 2 * MAX_TAPS; away++) {
    if (frame - away >= oldest && load<u8>(KNOWN + frame - away)) {
      setOffset(row, taps, -away);
      taps += 1;
    }
    if (taps < OWN_TAPS && frame + away <= base + size && load<u8>(KNOWN + frame + away)) {
      setOffset(row, taps, away);
      taps += 1;
    }
  }
  store<i32>(ROW_TAPS + ((<usize>row) << 2), taps);
  return row;
}

function setOffset(row: i32, tap: i32, offset: i32): void {
  store<i32>(OFFSETS + ((<usize>(row * MAX_TAPS + tap)) << 2), offset);
}
