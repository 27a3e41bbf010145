import { type ChannelPlan, type ChannelRequest, planChannel } from "./channel-scale.ts";
import type { Lookahead } from "./encoder.ts";

/** A spacing that a channel's readings seem to be whole multiples of, as `LatticeScan` finds it. */
export interface LatticeClaim {
  /** Distance of the values that the channel can take, in its own unit; undefined where none was found. */
  readonly spacing: number | undefined;
  /** How far a reading is from its lattice point at most, in its own unit, >= 0. */
  readonly rounding: number;
}

/**
 * Bounds below so many spacings are planned on the lattice. Its bins are at most 2 k + 1 spacings wide where the bound
 * allows 2 eps, so that it gains little where eps is many of them; and a channel on a lattice has no lines. A lookahead
 * that finds lines therefore loses by a lattice, unless the bound is so fine that lines have nothing to gain. The 2.5 was
 * chosen on ecg_mitbih100 in frames of 1,000, the one recording of the dev half with a lattice.
 */
const SPACINGS = { none: 16, greedy: 2.5, programme: 2.5 } as const satisfies Record<Lookahead, number>;
/** Points up to here stay exact integers with an offset, see `planChannel`. */
const LARGEST_POINT = 2 ** 51;
/** A bound must be this many times what a reading may be off. */
const BOUND_OVER_ROUNDING = 4;

/**
 * Plan a channel on its lattice, where that makes bins wider and an encoder with this lookahead is expected to gain. A
 * bound below one spacing leaves no choice of point, so that half a spacing says the same and is not below what
 * conversion may cost.
 *
 * @param request  of an engineering unit with a range; its own lattice is replaced
 * @returns undefined where `planChannel` without a lattice is to be taken
 * @throws {CodecError} as `planChannel` does
 */
export function planOnLattice(
  request: ChannelRequest,
  { spacing, rounding }: LatticeClaim,
  lookahead: Lookahead,
): ChannelPlan | undefined {
  const { eps } = request;
  if (spacing === undefined || eps >= SPACINGS[lookahead] * spacing || eps < BOUND_OVER_ROUNDING * rounding) return;
  if (Math.max(Math.abs(request.min ?? 0), Math.abs(request.max ?? 0)) > LARGEST_POINT * spacing) return;
  const plan = planChannel({ ...request, eps: Math.max(eps, spacing / 2), lattice: spacing });
  return plan.config.lattice > 1 ? plan : undefined;
}
