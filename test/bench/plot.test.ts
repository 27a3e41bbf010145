import { expect, test } from "vitest";
import { drawPlot } from "./plot.ts";

const SPEC = {
  data: {
    values: [
      { a: "x", b: 1 },
      { a: "y", b: 2 },
    ],
  },
  facet: { field: "a", type: "nominal" },
  spec: { mark: { type: "line", clip: true }, encoding: { x: { field: "b", type: "quantitative" } } },
} as const;

test("the same plot is the same bytes, whatever was drawn before", async () => {
  const first = await drawPlot(SPEC);
  await drawPlot({ ...SPEC, data: { values: [{ a: "z", b: 3 }] } });
  expect(await drawPlot(SPEC)).toBe(first);
});

test("a plot is dark on white, so that a dark page does not swallow it", async () => {
  const svg = await drawPlot(SPEC);
  expect(svg).toMatch(/^<svg [^>]*viewBox/);
  expect(svg).toMatch(/^<svg [^>]*><rect width="\d+" height="\d+" fill="#ffffff"\/>/);
  expect(svg).toContain('fill="#1f2430"');
});
