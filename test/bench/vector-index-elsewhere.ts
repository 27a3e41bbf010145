/**
 * FAISS as its source builds it for AVX2, which the benchmark cannot install: from an earlier measurement on a quiet
 * machine, over all 59,379 text vectors of which the benchmark has 20,000. One thread; bytes with 8 of each id.
 */
export interface ElsewhereRow {
  readonly index: string;
  readonly bytesPerVector: number;
  readonly recallAt10: number;
  readonly qps: readonly [least: number, most: number];
}

export const FAISS_AVX2: readonly ElsewhereRow[] = [
  { index: "IVF256,SQ8, 8 probes", bytesPerVector: 138, recallAt10: 0.936, qps: [23_000, 23_000] },
  { index: "IVF256,SQ8, 16 probes", bytesPerVector: 138, recallAt10: 0.96, qps: [13_500, 13_500] },
  { index: "IVF256,RaBitQ4, 16 probes", bytesPerVector: 94, recallAt10: 0.909, qps: [14_800, 16_100] },
  { index: "IVF256,RaBitQ4, 32 probes", bytesPerVector: 94, recallAt10: 0.915, qps: [9500, 10_000] },
  { index: "IVF256,PQ64x4fs, 16 probes", bytesPerVector: 45, recallAt10: 0.702, qps: [50_000, 53_000] },
];
