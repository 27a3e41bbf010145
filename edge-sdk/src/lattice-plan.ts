import { type ChannelPlan, type ChannelRequest, planChannel } from "./channel-scale.ts";

/** A spacing that a channel's readings seem to be whole multiples of, as `LatticeScan` finds it. */
export interface LatticeClaim {
  /** Distance of the values that the channel can take, in its own unit; undefined where none was found. */
  readonly spacing: number | undefined;
  /** How far a reading is from its lattice point at most, in its own unit, >= 0. */
  readonly rounding: number;
}

/** A lattice pays where a bound holds few of its points; beyond, it gains under a twentieth of a bit. */
const SPACINGS = 16;
/** Points up to here stay exact integers with an offset, see `planChannel`. */
const LARGEST_POINT = 2 ** 51;
/** A bound must be this many times what a reading may be off. */
const BOUND_OVER_ROUNDING = 4;

/**
 * Plan a channel on its lattice, where that makes bins wider. A bound below one spacing leaves no choice of point, so that
 * half a spacing says the same and is not below what conversion may cost.
 *
 * @param request  of an engineering unit with a range; its own lattice is replaced
 * @returns undefined where `planChannel` without a lattice is to be taken
 * @throws {CodecError} as `planChannel` does
 */
export function planOnLattice(request: ChannelRequest, { spacing, rounding }: LatticeClaim): ChannelPlan | undefined {
  const { eps } = request;
  if (spacing === undefined || eps >= SPACINGS * spacing || eps < BOUND_OVER_ROUNDING * rounding) return;
  if (Math.max(Math.abs(request.min ?? 0), Math.abs(request.max ?? 0)) > LARGEST_POINT * spacing) return;
  const plan = planChannel({ ...request, eps: Math.max(eps, spacing / 2), lattice: spacing });
  return plan.config.lattice > 1 ? plan : undefined;
}
