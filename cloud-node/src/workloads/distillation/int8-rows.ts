/** A matrix in one byte a number, and one scale for each row: row = scale · codes. */
export interface QuantizedRows {
  /** −127 … 127, in the order of the matrix. */
  readonly codes: Int8Array<ArrayBuffer>;
  /** One for each row; 0 for a row of zeros. */
  readonly scales: Float32Array<ArrayBuffer>;
}

/** Symmetric: −128 is not used. */
const LARGEST_CODE = 127;

/**
 * Round each row to multiples of its largest number's 127th part: an error of half of that at most.
 *
 * @param values  finite, shape (rows, columns)
 * @param roundScale  to what scales are kept in
 */
export function quantizeRows(
  values: Float32Array,
  rows: number,
  columns: number,
  roundScale: (scale: number) => number = Math.fround,
): QuantizedRows {
  const codes = new Int8Array(rows * columns);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row += 1) {
    let largest = 0;
    for (let at = row * columns; at < (row + 1) * columns; at += 1) {
      largest = Math.max(largest, Math.abs(values[at] as number));
    }
    scales[row] = roundScale(largest / LARGEST_CODE);
    const scale = scales[row] as number;
    for (let at = row * columns; scale > 0 && at < (row + 1) * columns; at += 1) {
      // A scale that was rounded down to float32 may take the largest number one code too far.
      codes[at] = Math.max(-LARGEST_CODE, Math.min(LARGEST_CODE, Math.round((values[at] as number) / scale)));
    }
  }
  return { codes, scales };
}

/** Mirror of `quantizeRows`, to within half a scale. */
export function dequantizeRows({ codes, scales }: QuantizedRows): Float32Array<ArrayBuffer> {
  const columns = codes.length / Math.max(1, scales.length);
  return Float32Array.from(codes, (code, at) => code * (scales[Math.floor(at / columns)] as number));
}
