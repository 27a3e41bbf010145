import { addScaled, dot, orthogonalizeColumns } from "./singular-values.ts";

/**
 * The largest principal angle between two subspaces, radians: 0 where they are the same. Its sine is the largest singular value
 * of what is left of the second basis beside the first, which tells small angles apart where a cosine does not.
 *
 * @param first, second  orthonormal vectors, as many of each
 * @see Björck and Golub 1973, "Numerical methods for computing angles between linear subspaces"
 */
export function subspaceAngle(first: readonly Float64Array[], second: readonly Float64Array[]): number {
  const beside = second.map((vector) => {
    const rest = Float64Array.from(vector);
    for (const direction of first) addScaled(rest, -dot(rest, direction), direction);
    return rest;
  });
  orthogonalizeColumns(beside);
  const sines = beside.map((rest) => Math.sqrt(dot(rest, rest)));
  return Math.asin(Math.min(1, Math.max(...sines)));
}
