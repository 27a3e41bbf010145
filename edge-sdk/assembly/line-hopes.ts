import { crests, GROUP, limits, wordOf } from "./line-ways";

/**
 * Which ends of a line might win, before anything is known of its slopes: those whose length leaves room for the cheapest
 * slope below what the ways to their node cost already.
 */
/** Ends are tried at every row this near, then as often per doubling of the length. */
export const DENSE_ENDS: i32 = 16;
/** Which ends of a group of rows might win. */
export const HOPES_NONE: i32 = 0;
export const HOPES_BETWEEN: i32 = 1; // of ends that are not always tried
export const HOPES_TRIED: i32 = 2;

/** In the word of a number of rows, whose price is twice as much: an end there is always tried. */
export const TRIED: u32 = 1;

/** Is an end at this span, other than the block's, always tried? */
export function isTried(span: i32): bool {
  return span <= DENSE_ENDS || span % (span / DENSE_ENDS) == 0;
}

/**
 * Which ends of a whole group of rows might win.
 *
 * @param lengths  u32 per number of rows: twice what a line costs for it, and TRIED
 * @param t      row of the start
 * @param span   of the group's first row, whose end is the first node of a group; >= 2 GROUP, so that lengths of one
 *               price come in runs of GROUP / 2 at least
 * @param least  what every end costs beside its length
 */
export function hopesOf(lengths: usize, t: i32, span: i32, least: u32): i32 {
  const crest = wordOf(crests, (t + span + 1) / GROUP);
  let length = wordOf(lengths, span + 1);
  const shortest = min(load<u32>(length), min(load<u32>(length, 2 * GROUP - 4), load<u32>(length, 4 * GROUP - 4)));
  if (least + (shortest >> 1) >= load<u32>(crest)) return HOPES_NONE;
  let hopes = HOPES_NONE;
  let highest: u32 = 0;
  let at = wordOf(limits, t + span + 1);
  for (let i = span; i < span + GROUP; i++) {
    const limit = load<u32>(at);
    const word = load<u32>(length);
    if (least + (word >> 1) < limit) {
      if ((word & TRIED) != 0) return HOPES_TRIED;
      hopes = HOPES_BETWEEN;
    }
    highest = max(highest, limit);
    at += 4;
    length += 4;
  }
  store<u32>(crest, highest);
  return hopes;
}

/** The last row of such a group whose end might win. */
export function lastHope(lengths: usize, t: i32, span: i32, least: u32): i32 {
  let i = span + GROUP - 1;
  while (least + (load<u32>(wordOf(lengths, i + 1)) >> 1) >= load<u32>(wordOf(limits, t + i + 1))) i--;
  return i;
}
