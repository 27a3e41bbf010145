import { expect, test } from "vitest";
import { valueTicks } from "./value-ticks.ts";

test.each([
  [-1.08, 1.06, [-1, 0, 1]],
  [0.75, 0.85, [0.75, 0.8, 0.85]],
  [-132, 176, [-100, 0, 100]],
  [0, 7, [0, 2, 4, 6]],
  [1e-7, 4e-7, [1e-7, 2e-7, 3e-7, 4e-7]],
])("labels from %d to %d are whole steps of 1, 2 or 5", (low, high, at) => {
  expect(valueTicks(low, high, 4).at).toEqual(at);
});

test("there are two labels at least and five at most, all within what is drawn, whatever the range", () => {
  let looked = 0;
  for (let i = 0; i < 2_000; i++) {
    const low = ((i * 7919) % 1000) - 500;
    const high = low + 10 ** (((i * 104_729) % 900) / 100 - 4);
    const { step, at } = valueTicks(low, high, 4);
    expect(at.length).toBeGreaterThanOrEqual(2);
    expect(at.length).toBeLessThanOrEqual(5);
    for (const tick of at) {
      expect(tick).toBeGreaterThanOrEqual(low - 1e-6 * step);
      expect(tick).toBeLessThanOrEqual(high + 1e-6 * step);
      looked += 1;
    }
    expect(String(step / 10 ** Math.floor(Math.log10(step) + 1e-9))).toMatch(
      /^(1|2|5|0\.99999|1\.0000|1\.9999|2\.0000|4\.9999|5\.0000)/,
    );
  }
  expect(looked).toBeGreaterThan(4_000);
});
