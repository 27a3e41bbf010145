/** Decimals that a float64 still has room for. */
const MAX_DECIMALS = 15;
/** Larger numbers are whole anyway. */
const MAX_SCALED = 2 ** 53;

/**
 * Rounds values of a channel to what its bound vouches for: to a tenth of it, in decimals, so that they are short as
 * text.
 *
 * @param eps  error bound in the channel's unit, ≥ 0; 0: values are left as they are
 */
export function rounderOf(eps: number): (value: number) => number {
  if (!(eps > 0)) return (value) => value;
  const decimals = Math.max(0, Math.ceil(1 - Math.log10(eps)));
  if (decimals > MAX_DECIMALS) return (value) => value;
  const scale = 10 ** decimals;
  return (value) => {
    const scaled = value * scale;
    return Math.abs(scaled) < MAX_SCALED ? Math.round(scaled) / scale : value;
  };
}
