import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openVectors } from "./open-vectors.ts";
import { VectorIndexError } from "./vector-index-error.ts";

const SEED = Number(process.env.SEED ?? 20_261_122);
const RUNS = 400;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lockstep-vectors-fuzz-"));
});
afterAll(() => rm(folder, { recursive: true }));

const header = fc
  .record({
    descr: fc.constantFrom("<f4", "<f2", "|u1", "|i1", "<i4", "<f8", "'"),
    shape: fc.constantFrom("2, 3", "3, 2", "1e9, 2", "99999999999999999999, 1", "4294967295, 65536", "-1, 2", "6"),
    data: fc.oneof(
      fc.constantFrom(6, 12, 24).map((length) => new Uint8Array(length)),
      fc.uint8Array({ maxLength: 40 }),
    ),
    start: fc.oneof(fc.constant(118), fc.nat(65_535)),
  })
  .map(({ descr, shape, data, start }) => {
    const words = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`.padEnd(117);
    const head = Buffer.from(`\x93NUMPY\x01\x00__${words}\n`, "latin1");
    head.writeUInt16LE(start, 8);
    return Buffer.concat([head, data]);
  });
/** Rows of small numbers, each with its length, of which one byte may be wrong. */
const rows = fc
  .record({
    d: fc.integer({ min: 1, max: 4 }),
    n: fc.nat(4),
    numberBytes: fc.constantFrom(1, 4),
    damage: fc.option(fc.tuple(fc.nat(80), fc.nat(255))),
  })
  .map(({ d, n, numberBytes, damage }) => {
    const row = Buffer.concat([Buffer.from(Int32Array.of(d).buffer), Buffer.alloc(d * numberBytes, 1)]);
    const all = Buffer.concat(Array<Buffer>(n).fill(row));
    if (damage !== null && damage[0] < all.length) all[damage[0]] = damage[1];
    return all;
  });
const anyBytes = fc.uint8Array({ maxLength: 200 }).map(Buffer.from);
const anyEnding = fc.constantFrom("fvecs", "bvecs", "ivecs", "npy", "2x3.f32", "f16", "u8", "i32", "bin");
const files = fc.oneof(
  fc.tuple(fc.constant("npy"), header),
  fc.tuple(fc.constantFrom("fvecs", "bvecs", "ivecs"), rows),
  fc.tuple(anyEnding, fc.oneof(header, rows, anyBytes)),
);
const options = fc.record({ d: fc.option(fc.integer({ min: -2, max: 6 }), { nil: undefined, freq: 1 }) });

test("whatever the bytes of a file are, it is refused by name or gives finite rows of its shape", async () => {
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(files, options, async ([name, content], asked) => {
      const path = join(folder, `a.${name}`);
      await writeFile(path, content);
      try {
        const source = await openVectors(path, asked);
        try {
          // Bounded by the file, whatever its header says.
          expect(source.n * source.d).toBeLessThanOrEqual(content.length);
          const out = new Float32Array(source.n * source.d);
          expect(await source.read(0, out)).toBe(source.n);
          expect(out.every(Number.isFinite)).toBe(true);
          taken += 1;
        } finally {
          await source.close();
        }
      } catch (error) {
        if (!(error instanceof VectorIndexError)) throw error;
        expect(error.message).toContain(path);
      }
    }),
    { seed: SEED, numRuns: RUNS },
  );
  expect(taken).toBeGreaterThan(RUNS / 20);
});
