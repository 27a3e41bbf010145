import type { GradientTensor } from "@lockstep/cloud-node/lab";

/** Codes as their decoder sees them, and how few bytes they could take if each were coded by its frequency alone. */
export interface CodeEntropy {
  readonly codes: Int8Array;
  /** Bytes; frequencies of all codes. */
  readonly orderZero: number;
  /** Bytes; in each tensor by its own frequencies, which are taken to be known. */
  readonly orderZeroByTensor: number;
}

/** @param sent  decoded values, (N) @param weights  their units, (N) */
export function codeEntropy(layout: readonly GradientTensor[], sent: Float32Array, weights: Float32Array): CodeEntropy {
  const codes = new Int8Array(sent.length);
  const all = new Map<number, number>();
  let byTensor = 0;
  let from = 0;
  for (const { shape } of layout) {
    const to = from + shape.reduce((product, length) => product * length, 1);
    const sizes = [...new Set([0, ...Array.from({ length: to - from }, (_, i) => sizeAt(sent, weights, from + i))])];
    const order = new Map(sizes.sort((a, b) => a - b).map((size, code) => [size, code]));
    const own = new Map<number, number>();
    for (let i = from; i < to; i++) {
      const code = (order.get(sizeAt(sent, weights, i)) ?? 0) * Math.sign(sent[i] ?? 0);
      codes[i] = code;
      own.set(code, (own.get(code) ?? 0) + 1);
      all.set(code, (all.get(code) ?? 0) + 1);
    }
    byTensor += entropyBytes(own);
    from = to;
  }
  return { codes, orderZero: entropyBytes(all), orderZeroByTensor: byTensor };
}

/** In units of the weight, to as many digits as all of one code have alike. */
function sizeAt(sent: Float32Array, weights: Float32Array, i: number): number {
  return Number((Math.abs(sent[i] ?? 0) / (weights[i] ?? 1)).toPrecision(5));
}

function entropyBytes(counts: ReadonlyMap<number, number>): number {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return [...counts.values()].reduce((sum, count) => sum - count * Math.log2(count / total), 0) / 8;
}
