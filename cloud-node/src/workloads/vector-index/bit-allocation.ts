import { BIT_DEPTHS, type BitDepth, type BitGroup, GROUP_DIMS } from "./model.ts";
import { VectorIndexError } from "./vector-index-error.ts";

/** Squared error that is left of a dimension of variance 1 when it is coded with so many bits. */
export type DistortionTable = Readonly<Record<BitDepth, number>>;

/**
 * Spend a budget of bits on groups of dimensions, each time where a bit saves the most squared error.
 *
 * A group may go up by several depths in one step, so that a depth that is poor for its price does not hide a better
 * one above it.
 *
 * @param variances  shape (D), falling
 * @param codeBytes  budget of one vector
 * @returns neighbouring groups of the same depth as one, by falling depth
 * @throws {VectorIndexError} `bad-option` for a budget that does not buy one bit for one group
 * @see Gersho and Gray 1992, "Vector Quantization and Signal Compression", section 8.3
 */
export function allocateBits(variances: ArrayLike<number>, codeBytes: number, distortion: DistortionTable): BitGroup[] {
  const groups = variances.length / GROUP_DIMS;
  const bitsEach = (8 * codeBytes) / GROUP_DIMS;
  if (!Number.isInteger(codeBytes) || bitsEach < 1) {
    const problem = `${codeBytes} bytes for the code of a vector`;
    throw new VectorIndexError("bad-option", problem, `give a whole number, ${GROUP_DIMS / 8} at least`);
  }
  const energies = Array.from({ length: groups }, (_, g) => sumOf(variances, g));
  const depths: BitDepth[] = energies.map(() => 0);
  let left = Math.floor(bitsEach);
  for (;;) {
    const step = bestStep(energies, depths, left, distortion);
    if (step === undefined) break;
    left -= step.depth - (depths[step.group] ?? 0);
    depths[step.group] = step.depth;
  }
  // Energies fall, so that depths do too, but for what the last bits of a budget were just enough for.
  depths.sort((a, b) => b - a);
  return mergeEqual(depths);
}

function sumOf(variances: ArrayLike<number>, group: number): number {
  let sum = 0;
  for (let j = group * GROUP_DIMS; j < (group + 1) * GROUP_DIMS; j++) sum += variances[j] ?? 0;
  return sum;
}

function bestStep(
  energies: readonly number[],
  depths: readonly BitDepth[],
  left: number,
  distortion: DistortionTable,
): { group: number; depth: BitDepth } | undefined {
  let best: { group: number; depth: BitDepth } | undefined;
  let bestSaving = 0;
  for (const [group, energy] of energies.entries()) {
    const now = depths[group] ?? 0;
    for (const depth of BIT_DEPTHS) {
      if (depth <= now || depth - now > left) continue;
      const saving = (energy * (distortion[now] - distortion[depth])) / (depth - now);
      if (saving > bestSaving) {
        bestSaving = saving;
        best = { group, depth };
      }
    }
  }
  return best;
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
