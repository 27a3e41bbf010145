/** Figures that a document states: numbers with a unit behind them, or a decimal point in them, outside of code. */

/** What makes a number a figure: a unit, or a count of something that is measured. */
const UNITS = [
  ...["%", "×", "x", "times", "points", "nats", "of a core"],
  ...["B", "[kKMG]i?B", "bytes?", "bits?", "MB/s", "GB/s", "values/s", "frames/s", "/s"],
  ...["ms", "µs", "us", "ns", "s", "seconds?", "minutes?", "hours?", "Hz"],
  ...["instructions", "cycles", "frames", "steps", "devices", "kills", "queries", "updates"],
];
const NUMBER = String.raw`(?<![\w.\-/#:])[-−]?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?`;
const FIGURE = new RegExp(`${NUMBER}(?:\\s(?:to|and)\\s${NUMBER})?\\s?(?:${UNITS.join("|")})(?![\\w/])`, "g");

/** A cell of a table that is a number alone: its column says of what. */
const CELL = /(?<=\| )\**[-+−]?\d[\d,]*(?:\.\d+)?\**(?= \|)/g;

/** A number with a decimal point, whatever is behind it. What has two points is a version, or an address. */
const DECIMAL = /(?<![\w.]|[A-Za-z]-)[-+−]?\d[\d,]*\.\d+(?:e[-−]?\d+)?(?!\d|\.\w)/g;

/** What has versions or numbered parts: what another name is followed by is taken for a figure. */
const NUMBERED = [
  ...["Apache License", "CC BY", "ODC-BY", "CycloneDX", "HDF5", "MQTT", "Node", "Prometheus", "TLS", "`nats-server`"],
  ...["[Ss]ections?"],
];
const VERSION = String.raw`(?<!\w)(?:${NUMBERED.join("|")}) \d+(?:\.\d+)+(?: and \d+(?:\.\d+)+)?`;

/** Code, between fences and in lines; targets of links; comments; versions. */
const NOT_PROSE = new RegExp(`\`\`\`.*?\`\`\`|${VERSION}|\`[^\`]*\`|\\]\\([^)]*\\)|<!--.*?-->`, "gs");

/** A piece of a document, by its place in the document as one line. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A document as one line: where lines are broken makes no difference to what is said. */
export function asOneLine(markdown: string): string {
  return markdown.replace(/\s+/g, " ");
}

/**
 * Every number with a unit, every cell of a table that is one, and every other number with a decimal point, outside of
 * code.
 *
 * @param line  a document as `asOneLine` gives it
 */
export function figuresIn(line: string): (Span & { readonly text: string })[] {
  const prose = line.replace(NOT_PROSE, (code) => " ".repeat(code.length));
  const named = [...spansOf(prose, FIGURE), ...spansOf(prose, CELL)];
  const bare = spansOf(prose, DECIMAL).filter(
    ({ from, to }) => !named.some((figure) => figure.from < to && from < figure.to),
  );
  return [...named, ...bare].toSorted((a, b) => a.from - b.from);
}

function spansOf(prose: string, pattern: RegExp): (Span & { readonly text: string })[] {
  return [...prose.matchAll(pattern)].map(({ 0: text, index }) => ({ text, from: index, to: index + text.length }));
}

/**
 * Where the figures of an entry stand: one list for each time its words are found.
 *
 * @param line  a document as `asOneLine` gives it
 * @param text  words of it with figures in braces
 */
export function placesOf(line: string, text: string): (Span & { readonly text: string })[][] {
  const words = asOneLine(text);
  const plain = words.replace(/[{}]/g, "");
  const marks = [...words.matchAll(/\{([^{}]+)\}/g)].map(({ 1: figure = "", index }, nth) => ({
    figure,
    offset: index - 2 * nth,
  }));
  const found: (Span & { readonly text: string })[][] = [];
  for (let at = line.indexOf(plain); at >= 0; at = line.indexOf(plain, at + plain.length)) {
    found.push(
      marks.map(({ figure, offset }) => ({ text: figure, from: at + offset, to: at + offset + figure.length })),
    );
  }
  return found;
}
