/** Two columns are orthogonal when their product is below this share of their lengths' product. */
const ORTHOGONAL = 1e-14;
/** Jacobi's method ends in about ten; more mean that numbers are not finite. */
const MOST_SWEEPS = 60;

/**
 * Turn the columns of A until they are orthogonal: A V = U Σ. One-sided Jacobi, in float64.
 *
 * @param columns  of A, each of the same length; overwritten by those of U Σ
 * @returns columns of V; the lengths of `columns` are then the singular values, in no order
 * @see Hestenes 1958, "Inversion of matrices by biorthogonalization and related results"
 */
export function orthogonalizeColumns(columns: readonly Float64Array[]): Float64Array[] {
  const count = columns.length;
  const turns = Array.from({ length: count }, (_, at) => {
    const unit = new Float64Array(count);
    unit[at] = 1;
    return unit;
  });
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep += 1) {
    let isTurned = false;
    for (let i = 0; i < count - 1; i += 1) {
      for (let j = i + 1; j < count; j += 1) {
        const pair = [columns[i], columns[j]] as [Float64Array, Float64Array];
        const turn = turnOf(...pair);
        if (turn === undefined) continue;
        isTurned = true;
        rotate(...pair, turn);
        rotate(turns[i] as Float64Array, turns[j] as Float64Array, turn);
      }
    }
    if (!isTurned) break;
  }
  return turns;
}

interface Turn {
  readonly cosine: number;
  readonly sine: number;
}

/** The rotation that makes two columns orthogonal; undefined where they are. @see Golub and Van Loan 2013, section 8.6.3 */
function turnOf(a: Float64Array, b: Float64Array): Turn | undefined {
  let [aa, bb, ab] = [0, 0, 0];
  for (let row = 0; row < a.length; row += 1) {
    const [x, y] = [a[row] as number, b[row] as number];
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  if (Math.abs(ab) <= ORTHOGONAL * Math.sqrt(aa * bb) || ab === 0) return undefined;
  const zeta = (bb - aa) / (2 * ab);
  const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  return { cosine, sine: cosine * tangent };
}

function rotate(a: Float64Array, b: Float64Array, { cosine, sine }: Turn): void {
  for (let row = 0; row < a.length; row += 1) {
    const [x, y] = [a[row] as number, b[row] as number];
    a[row] = cosine * x - sine * y;
    b[row] = sine * x + cosine * y;
  }
}

/** Σ a · b. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) sum += (a[at] as number) * (b[at] as number);
  return sum;
}

/** a += factor · b. */
export function addScaled(a: Float64Array, factor: number, b: Float64Array): void {
  for (let at = 0; at < a.length; at += 1) a[at] = (a[at] as number) + factor * (b[at] as number);
}
