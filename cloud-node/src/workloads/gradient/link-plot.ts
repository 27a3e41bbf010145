import { logAxis } from "../../figure-axis.ts";
import { figureSvg } from "../../svg-figure.ts";
import { LINK_SPEEDS, linkedSeconds, type StepCost, speedText } from "./link-time.ts";

/** So that a curve has no corners. */
const POINTS_PER_DECADE = 8;

/** Seconds of a step by the speed of the lines, of several trainings, as an SVG picture. */
export function linkPlot(runs: readonly { readonly name: string; readonly cost: StepCost }[], title: string): string {
  const [slowest, fastest] = [Math.min(...LINK_SPEEDS), Math.max(...LINK_SPEEDS)];
  const count = Math.round(Math.log10(fastest / slowest)) * POINTS_PER_DECADE;
  const speeds = Array.from({ length: count + 1 }, (_, at) => slowest * 10 ** (at / POINTS_PER_DECADE));
  const curves = runs.map(({ name, cost }) => ({ name, seconds: speeds.map((speed) => linkedSeconds(cost, speed)) }));
  const x = logAxis(speeds, speedText);
  const y = logAxis(
    curves.flatMap(({ seconds }) => seconds),
    (seconds) => `${Number(seconds.toPrecision(1))} s`,
  );
  const ends = curves.map(
    ({ name, seconds }) => `${name} ${seconds[0]?.toFixed(2)} to ${seconds.at(-1)?.toFixed(3)} s`,
  );
  return figureSvg({
    title,
    description: `Seconds of a step from ${speedText(slowest)} to ${speedText(fastest)}: ${ends.join("; ")}.`,
    ...{ x: "each worker's line, each way, log", y: "seconds of a step, log" },
    ...{ xTicks: x.ticks, yTicks: y.ticks, form: "lines" },
    series: curves.map(({ name, seconds }) => ({
      name,
      points: seconds.map((value, at) => [x.at(speeds[at] ?? slowest), y.at(value)] as const),
    })),
  });
}
