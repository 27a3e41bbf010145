/** Characters for eight heights, lowest first, and for a bucket without a confirmed sample. */
export interface SparkAlphabet {
  readonly levels: readonly string[];
  readonly gap: string;
}

/** Eighth blocks: every font of a terminal has them, unlike braille. */
export const BLOCK_ALPHABET: SparkAlphabet = { levels: [..."▁▂▃▄▅▆▇█"], gap: "·" };
/** For terminals without UTF-8, and `--ascii`. */
export const ASCII_ALPHABET: SparkAlphabet = { levels: [..." .:-=+*#"], gap: "?" };

/**
 * Draw values as one line of text, one character each.
 *
 * @param buckets  values in order of time; undefined where nothing is confirmed: a gap is never joined
 */
export function sparkline(buckets: readonly (number | undefined)[], { levels, gap }: SparkAlphabet): string {
  const known = buckets.filter((value) => value !== undefined);
  const min = Math.min(...known);
  const span = Math.max(...known) - min;
  const top = levels.length - 1;
  return buckets
    .map((value) => {
      if (value === undefined) return gap;
      // A constant is drawn low, on the line, and not as full blocks.
      const height = span > 0 ? Math.round(((value - min) / span) * top) : 0;
      return levels[height] ?? gap;
    })
    .join("");
}
