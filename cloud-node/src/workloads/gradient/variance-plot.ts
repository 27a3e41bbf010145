import { linearAxis, logAxis } from "../../figure-axis.ts";
import { figureSvg, type Series } from "../../svg-figure.ts";
import type { MaskedTensor, TopologyMask } from "./topology-mask.ts";

/** Below what a gradient's variance can be told from none; 0 has no place on a logarithmic axis. */
const LEAST_VARIANCE = 1e-30;

/** The variance of a model's matrices by layer, as an SVG picture: what lies below the threshold is a passenger. */
export function variancePlot({ tensors, options, compressionFactor }: TopologyMask, title: string): string {
  const placed = tensors.flatMap((tensor) => placedOf(tensor) ?? []);
  const layers = [...new Set(placed.map(({ layer }) => layer))].sort((a, b) => a - b);
  const { threshold, staleness } = options;
  const hasLimit = threshold > 0 && Number.isFinite(threshold) && placed.length > 0;
  const x = linearAxis(layers);
  const y = logAxis([...placed.map(({ variance }) => variance), ...(hasLimit ? [threshold] : [])], (value) =>
    value.toExponential(0),
  );
  const kinds = Map.groupBy(placed, ({ kind }) => kind);
  const series: Series[] = [...kinds].map(([name, of]) => ({
    name,
    points: of.map(({ layer, variance }) => [x.at(layer), y.at(variance)] as const),
  }));
  const limit: Series = {
    name: "threshold",
    points: [0, 1].map((at) => [at, y.at(threshold)] as const),
    isDashed: true,
  };
  const passengers = tensors.filter(({ role }) => role === "passenger").map(({ name }) => name);
  return figureSvg({
    title,
    description:
      `Passengers, sent in one of ${staleness} rounds: ${passengers.join(", ") || "none"}. ` +
      `A round has ${(100 / compressionFactor).toFixed(1)} % of all numbers on average.`,
    ...{ x: "layer", y: "variance of a worker's own gradient, log", form: "dots" },
    xTicks: layers.map((layer) => ({ at: x.at(layer), text: String(layer) })),
    yTicks: y.ticks,
    series: hasLimit ? [...series, limit] : series,
  });
}

interface PlacedVariance {
  readonly layer: number;
  readonly kind: string;
  readonly variance: number;
}

/** A matrix of a layer; undefined for what is guarded. */
function placedOf({ name, role, variance }: MaskedTensor): PlacedVariance | undefined {
  const [, layer, kind] = /\.h\.(\d+)\.(.+)\.weight$/.exec(name) ?? [];
  if (layer === undefined || kind === undefined || role === "guarded") return undefined;
  return { layer: Number(layer), kind, variance: Math.max(LEAST_VARIANCE, variance) };
}
