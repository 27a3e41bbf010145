import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

const INK = "#1f2430";
const FAINT = "#d9dde3";

/** White behind everything and dark ink: readable on light and dark pages alike. */
const LOOK: TopLevelSpec["config"] = {
  background: "#ffffff",
  font: "sans-serif",
  padding: 12,
  axis: { labelColor: INK, titleColor: INK, tickColor: INK, domainColor: INK, gridColor: FAINT },
  legend: { labelColor: INK, titleColor: INK, labelLimit: 0 },
  header: { labelColor: INK, titleColor: INK },
  title: { color: INK },
  view: { stroke: FAINT },
};

/**
 * A plot as SVG text. The same specification gives the same bytes.
 *
 * @param spec  Vega-Lite, with its data inside; nothing is loaded
 */
export async function drawPlot(spec: TopLevelSpec): Promise<string> {
  const { spec: compiled } = compile({ ...spec, config: { ...LOOK, ...spec.config } });
  const svg = await new View(parse(compiled), { renderer: "none" }).toSVG();
  return numberClips(svg);
}

/** Vega counts clip paths over all plots of a process; here they begin at 0 in each. */
function numberClips(svg: string): string {
  const names = [...new Set([...svg.matchAll(/\bid="(clip\d+)"/g)].map(([, name]) => name ?? ""))];
  return svg.replace(/\bclip\d+\b/g, (name) => (names.includes(name) ? `clip-${names.indexOf(name)}` : name));
}
