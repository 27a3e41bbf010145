import { expect, test } from "vitest";
import { lossPlot } from "./loss-plot.ts";
import type { MetricsRow } from "./metrics-row.ts";

const NOTHING = {
  ...{ tokens: 0, seconds: 0, loss: null, gradientNorm: null, tokensPerSecond: null },
  ...{ trainBitsPerByte: null, valBitsPerByte: null, memoryBytes: null },
};

function row(step: number, smoothedLoss: number | null, trainLoss: number | null, valLoss: number | null): MetricsRow {
  return { ...NOTHING, step, smoothedLoss, trainLoss, valLoss };
}

test("every curve has a point for each of its rows, lower losses further down, and a name that no other one covers", () => {
  const rows = [row(0, null, 4, 4.1), row(10, 3, null, null), row(20, 2, 1.995, 2.01)];
  const svg = lossPlot(rows, "a < b & c");
  expect(svg).toContain("<title>a &lt; b &amp; c</title>");
  const curves = [...svg.matchAll(/points="([^"]*)"/g)].map(([, points = ""]) =>
    points.split(" ").map((point) => point.split(",").map(Number)),
  );
  expect(curves.map((points) => points.length)).toEqual([2, 2, 2]);
  for (const points of curves) {
    const [[x0 = 0, y0 = 0] = [], [x1 = 0, y1 = 0] = []] = points;
    expect(x1).toBeGreaterThan(x0);
    expect(y1).toBeGreaterThan(y0);
  }
  const labels = [...svg.matchAll(/ y="([\d.]+)">(training|train|validation)</g)].map(([, y]) => Number(y));
  expect(labels).toHaveLength(3);
  const gaps = labels.toSorted((a, b) => a - b).map((y, at, all) => (at === 0 ? 99 : y - (all[at - 1] ?? 0)));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(12);
  expect(svg).toMatch(/>2\.0<|>2<|>3\.0<|>3</);
});

test("a run that was judged once, or never, still has a picture", () => {
  expect(lossPlot([row(0, null, 4, 4)], "t")).toContain("<polyline");
  expect(lossPlot([], "t")).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
  expect(lossPlot([], "t")).not.toMatch(/NaN|Infinity/);
  expect(lossPlot([row(0, null, 4, 4)], "t")).not.toMatch(/NaN|Infinity/);
});
