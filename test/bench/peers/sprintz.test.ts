import { expect, test } from "vitest";
import { unzigzag, zigzag } from "./grid.ts";
import { pack, unpack } from "./sprintz.ts";
import { createForecast } from "./sprintz-forecast.ts";

test("zero blocks are counted, and one count stands for all of them", () => {
  const constant = new Int32Array(16).fill(5);
  const bytes = [0, /* base */ 0, 0, 0, 5, /* headers of a group */ 0, 0, 0, /* one more block */ 1];
  expect([...pack([constant], "delta")]).toEqual(bytes);
});

test("a block has a header of its width and as many bits a sample", () => {
  const ramp = Int32Array.from({ length: 8 }, (_, t) => t);
  // Errors 0, 1, 1 … are zigzag codes 0, 2, 2 …: two bits each
  expect([...pack([ramp], "delta")].slice(5)).toEqual([0b010_00000, 0, 0, 0b00_10_10_10, 0b10_10_10_10]);
});

test.for([
  ["delta", 1],
  ["delta", 300],
  ["delta", 1e9],
  ["fire", 1],
  ["fire", 300],
  ["fire", 1e9],
] as const)("integers come back: %s, up to %i", ([kind, reach]) => {
  for (const rows of [0, 1, 7, 8, 9, 64, 65, 1000]) {
    const columns = [3, 11].map((seed) =>
      Int32Array.from(
        { length: rows },
        (_, t) => (Math.imul(t + seed, 2654435761) / 2 ** 31) * (t % 40 < 20 ? reach : 0),
      ),
    );
    const shape = { rows, eps: [1, 1], origins: [0, 0], least: [0, 0] };
    expect(unpack(pack(columns, kind), shape, kind), `${rows} rows`).toEqual(columns);
  }
});

test("FIRE learns a ramp that delta pays for at every sample", () => {
  const delta = createForecast("delta", 8);
  const fire = createForecast("fire", 8);
  let deltaErrors = 0;
  let fireErrors = 0;
  for (let t = 0; t < 2000; t++) {
    const sample = (3 * t) % 256;
    deltaErrors += delta.encode(sample) === 0 ? 0 : 1;
    fireErrors += fire.encode(sample) === 0 ? 0 : 1;
  }
  expect(deltaErrors).toBeGreaterThan(1990);
  expect(fireErrors).toBeLessThan(deltaErrors);
});

test("zigzag codes count outwards from zero", () => {
  expect([0, -1, 1, -2, 2].map(zigzag)).toEqual([0, 1, 2, 3, 4]);
  for (const value of [2 ** 31 - 1, -(2 ** 31)]) expect(unzigzag(zigzag(value))).toBe(value);
});
