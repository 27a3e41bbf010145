import { cosine, exponential, logarithm, sine } from "./exact-functions.ts";

/**
 * Cosines and sines of rotary positions, computed from exactly rounded operations alone, so that they are the same on
 * every machine.
 *
 * @returns (T, 2, headDim/2): cosines and sines of position · theta^(−2i/headDim)
 */
export function rotationTable(T: number, headDim: number, theta: number): Float64Array {
  const pairs = headDim / 2;
  const table = new Float64Array(T * pairs * 2);
  for (let i = 0; i < pairs; i++) {
    const frequency = exponential((-2 * i * logarithm(theta)) / headDim);
    for (let position = 0; position < T; position++) {
      const at = 2 * position * pairs + i;
      table[at] = cosine(position * frequency);
      table[at + pairs] = sine(position * frequency);
    }
  }
  return table;
}
