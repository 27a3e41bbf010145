import { svgText } from "../../svg-text.ts";

const WIDTH = 640;
const ROW_HEIGHT = 44;
const BAR_HEIGHT = 14;
/** Left, right, above and below the bars. */
const MARGIN = { left: 130, right: 60, top: 44, bottom: 30 };
const BEFORE_COLOUR = "#9aa7b8";
const AFTER_COLOUR = "#c2571a";
const INK = "#1f2430";
const QUARTERS = [0, 0.25, 0.5, 0.75, 1];

/** A pair of bars: shares of 1. */
export interface AccuracyRow {
  readonly name: string;
  readonly before: number;
  readonly after: number;
}

/** How often answers were exact before and after, by category, as an SVG picture. */
export function accuracyPlot(title: string, labels: readonly [string, string], rows: readonly AccuracyRow[]): string {
  const height = MARGIN.top + rows.length * ROW_HEIGHT + MARGIN.bottom;
  const x = (share: number) => Number((MARGIN.left + share * (WIDTH - MARGIN.left - MARGIN.right)).toFixed(1));
  const bar = (share: number, y: number, colour: string) => [
    `<rect x="${x(0)}" y="${y}" width="${(x(share) - x(0)).toFixed(1)}" height="${BAR_HEIGHT}" fill="${colour}"/>`,
    `<text x="${x(share) + 5}" y="${y + BAR_HEIGHT - 3}" fill="${INK}">${percent(share)}</text>`,
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${svgText(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="8" y="18" fill="${INK}">${svgText(title)}</text>`,
    `<text x="${x(0)}" y="36" fill="${BEFORE_COLOUR}">${svgText(labels[0])}</text>`,
    `<text x="${x(0.5)}" y="36" fill="${AFTER_COLOUR}">${svgText(labels[1])}</text>`,
    ...QUARTERS.flatMap((share) => [
      `<line x1="${x(share)}" x2="${x(share)}" y1="${MARGIN.top}" y2="${height - MARGIN.bottom}" stroke="#d9dde3"/>`,
      `<text x="${x(share)}" y="${height - 10}" text-anchor="middle" fill="${INK}">${percent(share)}</text>`,
    ]),
    ...rows.flatMap(({ name, before, after }, at) => {
      const top = MARGIN.top + at * ROW_HEIGHT + 6;
      return [
        `<text x="${MARGIN.left - 8}" y="${top + BAR_HEIGHT + 5}" text-anchor="end" fill="${INK}">${svgText(name)}</text>`,
        ...bar(before, top, BEFORE_COLOUR),
        ...bar(after, top + BAR_HEIGHT + 2, AFTER_COLOUR),
      ];
    }),
    "</svg>",
    "",
  ].join("\n");
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
