import { expect, test } from "vitest";
import { seededRandom } from "../../jobs/seeded-random.ts";
import { packRerank, rerankBytes, unpackRerank } from "./rerank-row.ts";

test.for([
  ["i8", 0.5 / 127],
  ["f16", 2 ** -11],
] as const)("a row kept as %s is off by %f of its largest number at most, whatever its order", ([kind, share]) => {
  const random = seededRandom(kind);
  for (const order of [0, 1e-38, 1e-30, 1e-3, 1, 300, 7e4, 1e38]) {
    const row = Float32Array.from({ length: 37 }, () => order * (random() / 2 ** 31 - 1));
    const bytes = new Uint8Array(rerankBytes(kind, 37));
    packRerank(kind, row, bytes);
    const back = new Float32Array(37);
    unpackRerank(kind, bytes, back);
    const largest = Math.max(...row.map(Math.abs));
    // Below 2^-126 float32 itself has less than 24 bits.
    const slack = largest * 1e-6 + 2 ** -126;
    for (const [j, value] of row.entries())
      expect(Math.abs(value - (back[j] ?? 0))).toBeLessThanOrEqual(share * largest + slack);
  }
});
