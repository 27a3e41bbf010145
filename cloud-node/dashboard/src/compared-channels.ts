import type { ValueChannel } from "./value-text.ts";

/** Lines that can be told apart in one plot. */
export const MOST_COMPARED = 4;

/** The channels among those named that can be drawn over each other: of the first one's unit, at most four. */
export function comparable(channels: readonly ValueChannel[], names: readonly string[]): readonly ValueChannel[] {
  const named = channels.filter(({ name }) => names.includes(name));
  return named.filter(({ unit }) => unit === named[0]?.unit).slice(0, MOST_COMPARED);
}
