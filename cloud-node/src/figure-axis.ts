/** A place along an axis, and what stands there. */
export interface Tick {
  /** 0 … 1 of the axis. */
  readonly at: number;
  readonly text: string;
}

/** Where values lie along one side of a picture. */
export interface Axis {
  readonly ticks: readonly Tick[];
  /** 0 … 1 for what lies between the least and the largest value. */
  readonly at: (value: number) => number;
}

const LEAST_TICKS = 4;
/** Distances of ticks that are read easily. */
const ROUND_STEPS = [1, 2, 5, 10];
/** More powers of ten than these have no room for their names: of longer axes every second or third has a tick. */
const MOST_POWERS = 8;

/** An axis over some values, with ticks at round ones. */
export function linearAxis(values: readonly number[]): Axis {
  const { low, span } = rangeOf(values);
  const magnitude = 10 ** Math.floor(Math.log10(span / LEAST_TICKS));
  const step = magnitude * (ROUND_STEPS.findLast((round) => span / (round * magnitude) >= LEAST_TICKS) ?? 1);
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  const lowest = Math.ceil(low / step);
  const count = values.length === 0 ? 0 : Math.floor((low + span) / step) - lowest + 1;
  const at = (value: number) => (value - low) / span;
  const ticks = Array.from({ length: count }, (_, i) => {
    const value = (lowest + i) * step;
    return { at: at(value), text: value.toFixed(digits) };
  });
  return { ticks, at };
}

/** An axis over positive values by their logarithms, from one power of ten to another. @param text  of a power */
export function logAxis(values: readonly number[], text: (value: number) => string): Axis {
  const { low, span } = rangeOf(values.map(Math.log10));
  const first = Math.floor(low);
  const powers = Math.max(1, Math.ceil(low + span - 1e-9) - first);
  const stride = Math.ceil(powers / MOST_POWERS);
  const at = (value: number) => (Math.log10(value) - first) / powers;
  const count = values.length === 0 ? 0 : Math.floor(powers / stride) + 1;
  const ticks = Array.from({ length: count }, (_, i) => {
    const value = 10 ** (first + i * stride);
    return { at: at(value), text: text(value) };
  });
  return { ticks, at };
}

function rangeOf(values: readonly number[]): { readonly low: number; readonly span: number } {
  const [first = 0] = values;
  const low = values.reduce((a, b) => Math.min(a, b), first);
  const high = values.reduce((a, b) => Math.max(a, b), first);
  return { low, span: high > low ? high - low : 1 };
}
