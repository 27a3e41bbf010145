import { GROUP_DIMS, type IndexModel } from "./model.ts";

/** Share of a Gaussian's variance that 0, 1 … planes leave. */
const LEFT = [1, 0.3634, 0.1175, 0.0374, 0.0115];
const MOST_OF_BLOCK = LEFT.length - 1;
/** Planes for each block of dimensions, on average: with more of them fewer rows are compared, and each bound costs more. */
const PLANES_OF_BLOCK = 1.25;
/** Sums of the tables of all planes, 6 bits each, are added up in 16 bits. */
const MOST_PLANES = 256;

/** How many planes the coarse code has in each block of dimensions: each where it leaves the least variance. */
export function choosePlanes(model: IndexModel): Uint8Array {
  const blocks = model.paddedD / GROUP_DIMS;
  const counts = new Uint8Array(blocks);
  const isCoded = (block: number) => model.groups.some(({ bits, to }) => bits > 0 && block * GROUP_DIMS < to);
  const gain = (block: number) => {
    const count = counts[block] ?? 0;
    if (count === MOST_OF_BLOCK) return -1;
    if (!isCoded(block)) return 0;
    const sigmas = model.sigma.subarray(block * GROUP_DIMS, (block + 1) * GROUP_DIMS);
    const energy = sigmas.reduce((sum, sigma) => sum + sigma * sigma, 0);
    return energy * ((LEFT[count] ?? 0) - (LEFT[count + 1] ?? 0));
  };
  const planes = Math.min(Math.ceil(blocks * PLANES_OF_BLOCK), MOST_PLANES);
  for (let plane = 0; plane < planes; plane++) {
    const gains = Array.from(counts, (_, block) => gain(block));
    const best = gains.indexOf(Math.max(...gains));
    counts[best] = (counts[best] ?? 0) + 1;
  }
  return counts;
}
