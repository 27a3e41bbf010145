import { expect, test } from "vitest";
import { TopologyMask } from "./topology-mask.ts";
import { variancePlot } from "./variance-plot.ts";

const VARIANCES = [
  { name: "transformer.wte.weight", shape: [8, 4], variance: 9 },
  ...[0, 1, 2].flatMap((layer) => [
    { name: `transformer.h.${layer}.ln_1.weight`, shape: [4], variance: 9 },
    { name: `transformer.h.${layer}.attn.c_q.weight`, shape: [4, 4], variance: 10 ** -layer },
    { name: `transformer.h.${layer}.mlp.c_fc.weight`, shape: [16, 4], variance: 0.5 },
  ]),
];

const curvesOf = (svg: string) =>
  [...svg.matchAll(/class="(line[^"]*)" points="([^"]*)"/g)].map(([, classes = "", points = ""]) => ({
    isLimit: classes.includes("limit"),
    places: points.split(" ").map((point) => point.split(",").map(Number)),
  }));

test("each kind of matrix has a line with a point for each layer, and passengers lie below the threshold", () => {
  const mask = new TopologyMask(VARIANCES, { threshold: 0.2, staleness: 4 });
  const svg = variancePlot(mask, "a < b");
  expect(svg).toContain("<title>a &lt; b</title>");
  const curves = curvesOf(svg);
  const [limit] = curves.filter(({ isLimit }) => isLimit);
  const [queries, hidden] = curves.filter(({ isLimit }) => !isLimit);
  const level = limit?.places[0]?.[1] ?? Number.NaN;
  // Upwards is less in SVG.
  const isBelow = (places: number[][] = []) => places.map(([, y = Number.NaN]) => y > level);
  expect(isBelow(queries?.places)).toEqual([false, true, true]);
  expect(isBelow(hidden?.places)).toEqual([false, false, false]);
  for (const name of ["attn.c_q", "mlp.c_fc", "threshold"]) expect(svg).toContain(`>${name}</text>`);
  expect(svg).toContain("transformer.h.1.attn.c_q.weight, transformer.h.2.attn.c_q.weight");
});

test.each([0, Number.POSITIVE_INFINITY])(
  "a threshold of %s is no line, and a variance of 0 has a place",
  (threshold) => {
    const still = VARIANCES.map((tensor) => ({ ...tensor, variance: 0 }));
    for (const variances of [VARIANCES, still, []]) {
      const svg = variancePlot(new TopologyMask(variances, { threshold, staleness: 4 }), "t");
      expect(curvesOf(svg).some(({ isLimit }) => isLimit)).toBe(false);
      expect(svg).not.toMatch(/NaN|Infinity/);
    }
  },
);
