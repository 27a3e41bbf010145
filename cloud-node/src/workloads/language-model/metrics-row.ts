import * as v from "valibot";

const number = v.nullable(v.number());
const rowSchema = v.strictObject({
  /** Updates made before. */
  step: v.number(),
  tokens: v.number(),
  /** Of training, without evaluations. */
  seconds: v.number(),
  /** Of the last batch, nats; and its running mean with weight 0.9 on what was, corrected for its beginning at 0. */
  loss: number,
  smoothedLoss: number,
  gradientNorm: number,
  tokensPerSecond: number,
  /** Where it was judged: nats, and bits for each byte. */
  trainLoss: number,
  valLoss: number,
  trainBitsPerByte: number,
  valBitsPerByte: number,
  /** Resident, of the whole process. */
  memoryBytes: number,
});

/** One line of `metrics.csv` and `metrics.jsonl`; null where something was not measured. */
export type MetricsRow = v.InferOutput<typeof rowSchema>;

const COLUMNS = Object.keys(rowSchema.entries) as (keyof MetricsRow)[];

export const METRICS_HEADER = COLUMNS.join(",");

/** @returns a line of CSV and one of JSON, without their ends */
export function formatMetricsRow(row: MetricsRow): [csv: string, json: string] {
  const known = COLUMNS.map((name) => [name, row[name]] as const);
  return [known.map(([, value]) => value ?? "").join(","), JSON.stringify(Object.fromEntries(known))];
}

/** @returns undefined for a line that was cut off, or is none */
export function parseMetricsLine(line: string): MetricsRow | undefined {
  try {
    const { success, output } = v.safeParse(rowSchema, JSON.parse(line));
    return success ? output : undefined;
  } catch {
    return undefined;
  }
}
