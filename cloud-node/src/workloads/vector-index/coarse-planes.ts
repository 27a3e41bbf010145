import { GROUP_DIMS, type IndexModel } from "./model.ts";

/** Share of a Gaussian's variance that 0, 1 … planes leave. */
const LEFT = [1, 0.3634, 0.1175, 0.0374, 0.0115];
const MOST_OF_BLOCK = LEFT.length - 1;
/** Planes for each block that has bits, on average: with more of them fewer rows are compared, and bounds cost more. */
const PLANES_OF_BLOCK = 1.25;
/** Sums of the tables of all planes, 6 bits each, are added up in 16 bits. */
const MOST_PLANES = 256;

/** How many planes the coarse code has in each block of dimensions: each where it leaves the least variance. */
export function choosePlanes(model: IndexModel): Uint8Array {
  const blocks = model.paddedD / GROUP_DIMS;
  const counts = new Uint8Array(blocks);
  const gain = (block: number) => {
    const count = counts[block] ?? 0;
    if (count === MOST_OF_BLOCK) return -1;
    if (!isCoded(model, block)) return 0;
    const sigmas = model.sigma.subarray(block * GROUP_DIMS, (block + 1) * GROUP_DIMS);
    const energy = sigmas.reduce((sum, sigma) => sum + sigma * sigma, 0);
    return energy * ((LEFT[count] ?? 0) - (LEFT[count + 1] ?? 0));
  };
  const coded = Array.from(counts, (_, block) => isCoded(model, block)).filter(Boolean).length;
  const planes = Math.min(Math.ceil(coded * PLANES_OF_BLOCK), MOST_PLANES);
  for (let plane = 0; plane < planes; plane++) {
    const gains = Array.from(counts, (_, block) => gain(block));
    const best = gains.indexOf(Math.max(...gains));
    counts[best] = (counts[best] ?? 0) + 1;
  }
  return counts;
}

/**
 * Over how many dimensions a difference from an anchor counts as spread when it is multiplied by what the coarse code
 * misses: the mean of the products in single dimensions is the product of the means divided by it. Where all dimensions
 * are alike these are all; where few have most of both, few.
 */
export function effectiveDimensions(model: IndexModel, counts: Uint8Array): number {
  let [energy, missed, both] = [0, 0, 0];
  model.sigma.forEach((sigma, j) => {
    const block = Math.floor(j / GROUP_DIMS);
    energy += sigma ** 2;
    if (!isCoded(model, block)) return;
    const left = sigma ** 2 * (LEFT[counts[block] ?? 0] ?? 1);
    missed += left;
    both += sigma ** 2 * left;
  });
  return both > 0 ? (energy * missed) / both : 1;
}

/** Whether a block of dimensions has bits. */
function isCoded({ groups }: IndexModel, block: number): boolean {
  return groups.some(({ bits, to }) => bits > 0 && block * GROUP_DIMS < to);
}
