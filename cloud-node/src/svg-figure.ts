import type { Tick } from "./figure-axis.ts";
import { svgText } from "./svg-text.ts";

/** One line of a picture, or its bars. */
export interface Series {
  /** Written at its end; "" for the only one. */
  readonly name: string;
  /** Both 0 … 1 of their axes; x does not fall. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** A limit or a mean, and nothing that was measured point by point. */
  readonly isDashed?: boolean;
}

/** A picture of some series. */
export interface Figure {
  readonly title: string;
  /** All of it in words, for who cannot see it. */
  readonly description: string;
  readonly x: string;
  readonly y: string;
  readonly xTicks: readonly Tick[];
  readonly yTicks: readonly Tick[];
  readonly series: readonly Series[];
  /** `bars` stand on the axis side by side, each as wide as its part of it; `dots` are lines whose points are marked. */
  readonly form: "lines" | "dots" | "bars";
}

const [WIDTH, HEIGHT] = [720, 360];
const [LEFT, RIGHT, TOP, BOTTOM] = [70, 20, 44, 48];
/** Of a letter in a series' name, about. */
const LETTER_WIDTH = 8;
const LABEL_HEIGHT = 14;
const PLOT_HEIGHT = HEIGHT - TOP - BOTTOM;

/** Colours of series, light and dark; after the last one the first comes again. */
const COLOURS = [
  ["#3259e0", "#5a90fa"],
  ["#c2571a", "#f0924e"],
  ["#1d8a5b", "#4cc38a"],
  ["#8a3fc2", "#b982e8"],
  ["#a8790f", "#dcb14a"],
  ["#6b7888", "#a3b0c0"],
] as const;

const colours = (theme: 0 | 1) => COLOURS.map((pair, at) => `.s${at} { color: ${pair[theme]} }`).join(" ");

/** The page's own colours, light and dark. */
const STYLE = `
  svg { background: #f5f7fa; font: 13px system-ui, sans-serif; fill: #17202b }
  .rule { stroke: #d8dee6 } .edge { stroke: #7b8796 } .title { font-size: 15px } .label { fill: #4a5666 }
  .bar, .dot, .end { fill: currentcolor } .line { fill: none; stroke: currentcolor; stroke-width: 2 }
  .limit { color: #7b8796; stroke-dasharray: 5 4 } ${colours(0)}
  @media (prefers-color-scheme: dark) {
    svg { background: #0e1217; fill: #e8edf3 } .rule { stroke: #2a323d } .edge { stroke: #6b7888 }
    .label { fill: #a3b0c0 } ${colours(1)}
  }
`;

/** A figure as SVG. The same figure gives the same text. */
export function figureSvg({ title, description, x, y, xTicks, yTicks, series, form }: Figure): string {
  const right = Math.max(RIGHT, ...series.map(({ name }) => (name === "" ? 0 : 16 + LETTER_WIDTH * name.length)));
  const width = WIDTH - LEFT - right;
  const px = (share: number) => round(LEFT + share * width);
  const py = (share: number) => round(TOP + (1 - share) * PLOT_HEIGHT);
  const bottom = TOP + PLOT_HEIGHT;
  const edge = LEFT + width;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    `<title>${svgText(title)}</title><desc>${svgText(description)}</desc><style>${STYLE}</style>`,
    `<text class="title" x="${LEFT}" y="26">${svgText(title)}</text>`,
    ...yTicks.map(({ at, text }) => {
      const line = `<line class="rule" x1="${LEFT}" x2="${edge}" y1="${py(at)}" y2="${py(at)}"/>`;
      return `${line}<text class="label" x="${LEFT - 8}" y="${py(at) + 4}" text-anchor="end">${svgText(text)}</text>`;
    }),
    ...xTicks.map(
      ({ at, text }) =>
        `<text class="label" x="${px(at)}" y="${bottom + 18}" text-anchor="middle">${svgText(text)}</text>`,
    ),
    `<line class="edge" x1="${LEFT}" x2="${edge}" y1="${bottom}" y2="${bottom}"/>`,
    ...series.flatMap((one, at) => {
      const colour = colourOf(one, at);
      return form === "bars" ? [bars(one, colour, px, py, bottom)] : line(one, colour, px, py, form === "dots");
    }),
    ...names(series, px, py),
    `<text class="label" x="${LEFT + width / 2}" y="${HEIGHT - 10}" text-anchor="middle">${svgText(x)}</text>`,
    `<text class="label" transform="translate(16 ${TOP + PLOT_HEIGHT / 2}) rotate(-90)" text-anchor="middle">${svgText(y)}</text>`,
    "</svg>",
    "",
  ].join("\n");
}

type Place = (share: number) => number;

/** One outline for all of them: a thousand bars are one shape. */
function bars({ points }: Series, colour: string, px: Place, py: Place, bottom: number): string {
  const steps = points.map(([x], i) =>
    `V${py(points[i]?.[1] ?? 0)}H${px(points[i + 1]?.[0] ?? 1)}`.replace(/^/, i === 0 ? `M${px(x)} ${bottom}` : ""),
  );
  return `<path class="bar ${colour}" d="${steps.join("")}V${bottom}Z"/>`;
}

function line({ points, isDashed }: Series, colour: string, px: Place, py: Place, hasDots: boolean): string[] {
  const places = points.map(([x, y]) => [px(x), py(y)] as const);
  return [
    `<polyline class="line ${colour}" points="${places.map((place) => place.join(",")).join(" ")}"/>`,
    ...(hasDots && isDashed !== true
      ? places.map(([x, y]) => `<circle class="dot ${colour}" cx="${x}" cy="${y}" r="3.5"/>`)
      : []),
  ];
}

/** The name of each series at its end, further down where another one has that place. */
function names(series: readonly Series[], px: Place, py: Place): string[] {
  const ends = series.flatMap((one, at) => {
    const [x, y] = one.points.at(-1) ?? [];
    if (x === undefined || y === undefined || one.name === "") return [];
    return [{ name: one.name, colour: colourOf(one, at), left: px(x) + 8, top: py(y) + 4 }];
  });
  let free = 0;
  return ends
    .sort((a, b) => a.top - b.top)
    .map(({ name, colour, left, top }) => {
      const place = Math.max(top, free);
      free = place + LABEL_HEIGHT;
      return `<text class="end ${colour}" x="${left}" y="${round(place)}">${svgText(name)}</text>`;
    });
}

function colourOf({ isDashed }: Series, at: number): string {
  return isDashed === true ? "limit" : `s${at % COLOURS.length}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
