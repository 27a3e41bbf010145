import { BIT_DEPTHS, type BitDepth, type BitGroup, GROUP_DIMS } from "./model.ts";
import { VectorIndexError } from "./vector-index-error.ts";

/** Squared error that is left of a dimension of variance 1 when it is coded with so many bits. */
export type DistortionTable = Readonly<Record<BitDepth, number>>;

/**
 * Spend a budget of bits on groups of dimensions so that the least squared error is left.
 *
 * @param variances  shape (D), falling
 * @param codeBytes  budget of one vector
 * @returns neighbouring groups of the same depth as one, by falling depth
 * @throws {VectorIndexError} `bad-option` for a budget that does not buy one bit for one group
 * @see Shoham and Gersho 1988, "Efficient bit allocation for an arbitrary set of quantizers"; by dynamic programming,
 *      as there are few groups
 */
export function allocateBits(variances: ArrayLike<number>, codeBytes: number, distortion: DistortionTable): BitGroup[] {
  const groups = variances.length / GROUP_DIMS;
  const bits = Math.floor((8 * codeBytes) / GROUP_DIMS);
  if (!Number.isInteger(codeBytes) || bits < 1) {
    const problem = `${codeBytes} bytes for the code of a vector`;
    throw new VectorIndexError("bad-option", problem, `give a whole number, ${GROUP_DIMS / 8} at least`);
  }
  const energies = Array.from({ length: groups }, (_, g) => sumOf(variances, g));
  // More than the largest depth everywhere cannot be spent.
  const depths = leastError(energies, Math.min(bits, groups * Math.max(...BIT_DEPTHS)), distortion);
  // Energies fall, so that an order in which depths do too is as good as any.
  return mergeEqual(depths.sort((a, b) => b - a));
}

function sumOf(variances: ArrayLike<number>, group: number): number {
  let sum = 0;
  for (let j = group * GROUP_DIMS; j < (group + 1) * GROUP_DIMS; j++) sum += variances[j] ?? 0;
  return sum;
}

/** The depth of each group: the best of every budget for the groups so far leads to that for one more. */
function leastError(energies: readonly number[], budget: number, distortion: DistortionTable): BitDepth[] {
  let errors = new Float64Array(budget + 1);
  const chosen = energies.map((energy) => {
    const next = new Float64Array(budget + 1).fill(Number.POSITIVE_INFINITY);
    const depths = new Uint8Array(budget + 1);
    for (const depth of BIT_DEPTHS) {
      const own = distortion[depth] === Number.POSITIVE_INFINITY ? distortion[depth] : energy * distortion[depth];
      for (let spent = depth; spent <= budget; spent++) {
        const error = (errors[spent - depth] ?? 0) + own;
        if (error >= (next[spent] ?? 0)) continue;
        next[spent] = error;
        depths[spent] = depth;
      }
    }
    errors = next;
    return depths;
  });
  let left = budget;
  return chosen.toReversed().map((depths) => {
    const depth = (depths[left] ?? 0) as BitDepth;
    left -= depth;
    return depth;
  });
}

function mergeEqual(depths: readonly BitDepth[]): BitGroup[] {
  const groups: BitGroup[] = [];
  for (const [index, bits] of depths.entries()) {
    const to = (index + 1) * GROUP_DIMS;
    const last = groups.at(-1);
    if (last?.bits === bits) groups[groups.length - 1] = { ...last, to };
    else groups.push({ bits, from: index * GROUP_DIMS, to });
  }
  return groups;
}
