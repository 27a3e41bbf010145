import type { ContainerChannel } from "./container-format.ts";

/**
 * A value with as many digits as keep it within its bound; "" where there is no reading.
 *
 * What rounding to these digits takes was left out of the codec's part of the bound, see `container-plan.ts`.
 */
export function formatSample(value: number, { decimals }: Pick<ContainerChannel, "decimals">): string {
  if (Number.isNaN(value)) return "";
  const text = value.toFixed(decimals);
  // toFixed writes large numbers with an exponent, and small negative ones as -0.00.
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text;
}
