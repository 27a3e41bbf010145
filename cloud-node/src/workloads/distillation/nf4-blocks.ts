/** Numbers that share a scale. @see Dettmers et al. 2023, "QLoRA", section 3: a block of 64 */
export const NF4_BLOCK = 64;

/**
 * The sixteen levels of NormalFloat4: quantiles of a normal distribution, scaled to ±1, with an exact zero.
 *
 * @see Dettmers et al. 2023, "QLoRA: Efficient finetuning of quantized LLMs", appendix E
 */
export const NF4_LEVELS: readonly number[] = [
  ...[-1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453],
  ...[-0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0],
  ...[0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224],
  ...[0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1],
];
/** Halfway between levels: what lies below belongs to the lower one. */
const BORDERS = NF4_LEVELS.slice(1).map((level, at) => (level + (NF4_LEVELS[at] as number)) / 2);

/** Numbers in four bits each, and one scale for each block of 64. */
export interface Nf4Blocks {
  /** Two in a byte, the first in the low half. */
  readonly codes: Uint8Array;
  /** The largest magnitude of each block. */
  readonly scales: Float32Array;
  readonly count: number;
}

/** Round numbers to the nearest level of their block. @param values  finite */
export function quantizeNf4(values: Float32Array): Nf4Blocks {
  const count = values.length;
  const codes = new Uint8Array(Math.ceil(count / 2));
  const scales = new Float32Array(Math.ceil(count / NF4_BLOCK));
  for (let block = 0; block < scales.length; block += 1) {
    const end = Math.min(count, (block + 1) * NF4_BLOCK);
    let largest = 0;
    for (let at = block * NF4_BLOCK; at < end; at += 1) largest = Math.max(largest, Math.abs(values[at] as number));
    scales[block] = largest;
    for (let at = block * NF4_BLOCK; at < end; at += 1) {
      const share = largest === 0 ? 0 : (values[at] as number) / largest;
      const above = BORDERS.findIndex((border) => share < border);
      const code = above < 0 ? BORDERS.length : above;
      codes[at >> 1] = (codes[at >> 1] as number) | (code << ((at & 1) * 4));
    }
  }
  return { codes, scales, count };
}

/** Mirror of `quantizeNf4`. */
export function dequantizeNf4({ codes, scales, count }: Nf4Blocks): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, at) => {
    const code = ((codes[at >> 1] as number) >> ((at & 1) * 4)) & 15;
    return (NF4_LEVELS[code] as number) * (scales[Math.floor(at / NF4_BLOCK)] as number);
  });
}
