/** A stretch of device time, µs; the end is exclusive. */
export interface TimeSpan {
  readonly fromUs: number;
  readonly toUs: number;
}

/** Nobody looks at less than this: two samples of the fastest sensor. */
const SHORTEST_US = 2_000;
/** How far a view may reach past what there is, as a part of itself: its edge can be brought to the middle. */
const OVERHANG = 0.5;

/** Length, µs. */
export function lengthUs({ fromUs, toUs }: TimeSpan): number {
  return toUs - fromUs;
}

/**
 * The same view from nearer or farther.
 *
 * @param factor  below 1: nearer
 * @param aboutUs  the instant that stays where it is
 */
export function zoomed(view: TimeSpan, factor: number, aboutUs: number): TimeSpan {
  const length = Math.max(lengthUs(view) * factor, SHORTEST_US);
  const share = (aboutUs - view.fromUs) / lengthUs(view);
  const fromUs = Math.round(aboutUs - share * length);
  return { fromUs, toUs: Math.round(fromUs + length) };
}

/** The same length, so many µs later. */
export function panned({ fromUs, toUs }: TimeSpan, byUs: number): TimeSpan {
  const by = Math.round(byUs);
  return { fromUs: fromUs + by, toUs: toUs + by };
}

/** What two instants, in any order, enclose; never shorter than can be looked at. */
export function spanBetween(aUs: number, bUs: number): TimeSpan {
  const [fromUs, toUs] = [Math.round(Math.min(aUs, bUs)), Math.round(Math.max(aUs, bUs))];
  return { fromUs, toUs: Math.max(toUs, fromUs + SHORTEST_US) };
}

/** A view that shows something of what there is: no farther out than all of it, no farther beside it than half. */
export function keptWithin(view: TimeSpan, all: TimeSpan): TimeSpan {
  const longest = Math.max(lengthUs(all) * (1 + 2 * OVERHANG), SHORTEST_US);
  const length = Math.min(lengthUs(view), longest);
  const lowest = all.fromUs - OVERHANG * length;
  const highest = Math.max(all.toUs - (1 - OVERHANG) * length, lowest);
  const fromUs = Math.round(Math.min(Math.max(view.fromUs, lowest), highest));
  return { fromUs, toUs: Math.round(fromUs + length) };
}

/** Whether two views are the same. */
export function isSameSpan(a: TimeSpan | undefined, b: TimeSpan | undefined): boolean {
  return a?.fromUs === b?.fromUs && a?.toUs === b?.toUs;
}
