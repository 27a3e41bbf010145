import type { ContainerChannel } from "./container-format.ts";
import { TelemetryError } from "./telemetry-error.ts";

/** Half an ulp of 1 in float64, the relative error of one rounded operation. */
const ROUNDING = 2 ** -53;
/** offset + sample is this much larger than the offset at most. */
const SAMPLE_REACH = 2 ** 31;

/**
 * What eps leaves for rounding a decoded value once more, in the channel's unit, >= 0.
 *
 * The codec's own part is its bound in whole lattice steps, half a unit of conversion, and the float64 arithmetic of
 * both ways; nothing is left where eps is 0.
 *
 * @see docs/design.md, "Within eps, end to end"
 */
export function boundLeft({ eps, e, lattice, offset, mantissa, exponent }: ContainerChannel): number {
  if (eps === 0) return 0;
  const arithmetic = 4 * ROUNDING * (Math.abs(offset) + SAMPLE_REACH);
  const own = Math.floor(e / lattice) * lattice + 0.5 + arithmetic;
  return Math.max(0, eps - own * mantissa * 2 ** exponent);
}

/**
 * Refuse a value that float32 would take out of its bound.
 *
 * @param left  what `boundLeft` says of the channel
 * @throws {TelemetryError} `float32-loss`
 */
export function checkFloatLoss(value: number, left: number, { name, eps }: ContainerChannel, sample: number): void {
  const loss = Math.abs(Math.fround(value) - value);
  if (loss > left) throw new TelemetryError("float32-loss", { channel: name, sample, loss, eps, left });
}
