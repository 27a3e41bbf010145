import { quote } from "./history-text.ts";
import type { BucketsAnswer } from "./schemas/history-schema.ts";

/**
 * Buckets as lines: `t0_us`, then for each channel the two extremes, `NAME_first` and `NAME_second`; empty, or null, where
 * a bucket has no sample. NDJSON has a line with what there is before them.
 */
export function bucketLines(answer: BucketsAnswer, format: "csv" | "ndjson"): string {
  const { channels, t0Us, widthUs, count } = answer;
  const rows = Array.from({ length: count }, (_, bucket) => [
    t0Us + bucket * (widthUs ?? 0),
    ...channels.flatMap(({ first, second }) => [first[bucket] ?? null, second[bucket] ?? null]),
  ]);
  if (format === "ndjson") {
    const { id, range, runs } = answer;
    const head = { id, range, widthUs, channels: channels.map(({ name, unit, eps }) => ({ name, unit, eps })), runs };
    return [head, ...rows].map((row) => `${JSON.stringify(row)}\n`).join("");
  }
  const names = channels.flatMap(({ name }) => [`${name}_first`, `${name}_second`]);
  return [["t0_us", ...names].map(quote), ...rows]
    .map((row) => `${row.map((cell) => cell ?? "").join(",")}\n`)
    .join("");
}
