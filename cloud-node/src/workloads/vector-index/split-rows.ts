import { squaredDistance } from "./coding-errors.ts";

/** Iterations of the power method: a direction near the first principal one is as good. */
const POWER_ITERATIONS = 12;
/** Iterations of 2-means after the first cut. */
const MEANS_ITERATIONS = 4;

/** Rows of a list that stay together, and their mean. */
export interface ListPart {
  /** Rising numbers of rows. */
  readonly rows: Uint32Array;
  /** Shape (D). */
  readonly center: Float32Array;
}

/**
 * Cut rows in two along their first principal direction, and the halves again, until no part has more than `mostRows`.
 * Rows that are all the same cannot be told apart, and stay one part.
 *
 * @param values  shape (k, D)
 */
export function splitRows(values: Float32Array, D: number, mostRows: number): ListPart[] {
  const waiting: Uint32Array[] = [Uint32Array.from({ length: values.length / D }, (_, row) => row)];
  const parts: ListPart[] = [];
  for (let rows = waiting.pop(); rows !== undefined; rows = waiting.pop()) {
    const center = meanOf(values, D, rows);
    const halves = rows.length > mostRows ? cut(values, D, rows, center) : undefined;
    if (halves === undefined) parts.push({ rows, center });
    else waiting.push(halves[1], halves[0]);
  }
  return parts;
}

function cut(
  values: Float32Array,
  D: number,
  rows: Uint32Array,
  center: Float32Array,
): [Uint32Array, Uint32Array] | undefined {
  const direction = principalDirection(values, D, rows, center);
  if (direction === undefined) return undefined;
  const along = Float64Array.from(rows, (row) => dot(values, row * D, direction));
  // In the middle, so that neither half is empty, however far off a few rows are.
  const middle = along.toSorted()[rows.length >> 1] ?? 0;
  let isSecond = Uint8Array.from(along, (value) => (value >= middle ? 1 : 0));
  for (let i = 0; i < MEANS_ITERATIONS; i++) {
    const [first, second] = halvesOf(rows, isSecond).map((half) => meanOf(values, D, half)) as [
      Float32Array,
      Float32Array,
    ];
    const next = Uint8Array.from(rows, (row) => {
      return squaredDistance(values, row * D, second, 0, D) < squaredDistance(values, row * D, first, 0, D) ? 1 : 0;
    });
    if (next.every((half) => half === next[0])) break;
    isSecond = next;
  }
  const halves = halvesOf(rows, isSecond);
  return halves[0].length === 0 || halves[1].length === 0 ? undefined : halves;
}

function halvesOf(rows: Uint32Array, isSecond: Uint8Array): [Uint32Array, Uint32Array] {
  return [rows.filter((_, i) => isSecond[i] === 0), rows.filter((_, i) => isSecond[i] === 1)];
}

/** @returns of length 1; undefined where rows do not differ */
function principalDirection(
  values: Float32Array,
  D: number,
  rows: Uint32Array,
  center: Float32Array,
): Float64Array | undefined {
  // From the row that is farthest off: it cannot be at a right angle to all the others.
  let [start, farthest] = [0, 0];
  for (const row of rows) {
    const distance = squaredDistance(values, row * D, center, 0, D);
    if (distance > farthest) [start, farthest] = [row, distance];
  }
  if (farthest === 0) return undefined;
  let direction = Float64Array.from(center, (mean, j) => ((values[start * D + j] ?? 0) - mean) / Math.sqrt(farthest));
  for (let i = 0; i < POWER_ITERATIONS; i++) {
    const next = new Float64Array(D);
    const offset = dot(center, 0, direction);
    for (const row of rows) {
      const along = dot(values, row * D, direction) - offset;
      for (let j = 0; j < D; j++) next[j] = (next[j] ?? 0) + along * ((values[row * D + j] ?? 0) - (center[j] ?? 0));
    }
    const length = Math.hypot(...next);
    if (length === 0) break;
    direction = next.map((value) => value / length);
  }
  return direction;
}

function meanOf(values: Float32Array, D: number, rows: Uint32Array): Float32Array {
  const sum = new Float64Array(D);
  for (const row of rows) for (let j = 0; j < D; j++) sum[j] = (sum[j] ?? 0) + (values[row * D + j] ?? 0);
  return Float32Array.from(sum, (value) => value / rows.length);
}

function dot(values: Float32Array, at: number, direction: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < direction.length; j++) sum += (values[at + j] ?? 0) * (direction[j] ?? 0);
  return sum;
}
