import { svgText } from "../../svg-text.ts";
import { replaceWhole } from "../partial-file.ts";

/** A place along an axis, and what stands there. */
export interface Tick {
  /** 0 … 1 of the axis. */
  readonly at: number;
  readonly text: string;
}

/** A picture of one series. */
export interface Figure {
  readonly title: string;
  /** All of it in words, for who cannot see it. */
  readonly description: string;
  readonly x: string;
  readonly y: string;
  readonly xTicks: readonly Tick[];
  readonly yTicks: readonly Tick[];
  /** Both 0 … 1 of their axes; x does not fall. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** `bars` stand on the axis side by side, each as wide as its part of it. */
  readonly form: "line" | "bars";
}

const [WIDTH, HEIGHT] = [720, 360];
const [LEFT, RIGHT, TOP, BOTTOM] = [70, 20, 44, 48];
const [PLOT_WIDTH, PLOT_HEIGHT] = [WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM];

/** The page's own colours, light and dark. */
const STYLE = `
  svg { background: #f5f7fa; font: 13px system-ui, sans-serif; fill: #17202b }
  .rule { stroke: #d8dee6 } .edge { stroke: #7b8796 } .bar { fill: #3259e0 } .dot { fill: #3259e0 }
  .line { fill: none; stroke: #3259e0; stroke-width: 2 } .title { font-size: 15px } .label { fill: #4a5666 }
  @media (prefers-color-scheme: dark) {
    svg { background: #0e1217; fill: #e8edf3 } .rule { stroke: #2a323d } .edge { stroke: #6b7888 }
    .bar { fill: #5a90fa } .dot { fill: #5a90fa } .line { stroke: #5a90fa } .label { fill: #a3b0c0 }
  }
`;

/** Write a figure as SVG; the file is there once it is whole. */
export async function writeFigure(path: string, figure: Figure): Promise<void> {
  await replaceWhole(path, figureSvg(figure));
}

/** The same figure gives the same text. */
export function figureSvg({ title, description, x, y, xTicks, yTicks, points, form }: Figure): string {
  const [px, py] = [
    (share: number) => round(LEFT + share * PLOT_WIDTH),
    (share: number) => round(TOP + (1 - share) * PLOT_HEIGHT),
  ];
  const bottom = TOP + PLOT_HEIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    `<title>${svgText(title)}</title><desc>${svgText(description)}</desc><style>${STYLE}</style>`,
    `<text class="title" x="${LEFT}" y="26">${svgText(title)}</text>`,
    ...yTicks.map(({ at, text }) => {
      const line = `<line class="rule" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${py(at)}" y2="${py(at)}"/>`;
      return `${line}<text class="label" x="${LEFT - 8}" y="${py(at) + 4}" text-anchor="end">${svgText(text)}</text>`;
    }),
    ...xTicks.map(
      ({ at, text }) =>
        `<text class="label" x="${px(at)}" y="${bottom + 18}" text-anchor="middle">${svgText(text)}</text>`,
    ),
    `<line class="edge" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${bottom}" y2="${bottom}"/>`,
    ...(form === "bars" ? [bars(points, px, py, bottom)] : line(points, px, py)),
    `<text class="label" x="${LEFT + PLOT_WIDTH / 2}" y="${HEIGHT - 10}" text-anchor="middle">${svgText(x)}</text>`,
    `<text class="label" transform="translate(16 ${TOP + PLOT_HEIGHT / 2}) rotate(-90)" text-anchor="middle">${svgText(y)}</text>`,
    "</svg>",
    "",
  ].join("\n");
}

type Place = (share: number) => number;

/** One outline for all of them: a thousand bars are one shape. */
function bars(points: Figure["points"], px: Place, py: Place, bottom: number): string {
  const steps = points.map(([x], i) =>
    `V${py(points[i]?.[1] ?? 0)}H${px(points[i + 1]?.[0] ?? 1)}`.replace(/^/, i === 0 ? `M${px(x)} ${bottom}` : ""),
  );
  return `<path class="bar" d="${steps.join("")}V${bottom}Z"/>`;
}

function line(points: Figure["points"], px: Place, py: Place): string[] {
  const places = points.map(([x, y]) => [px(x), py(y)] as const);
  return [
    `<polyline class="line" points="${places.map((place) => place.join(",")).join(" ")}"/>`,
    ...places.map(([x, y]) => `<circle class="dot" cx="${x}" cy="${y}" r="3.5"/>`),
  ];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
