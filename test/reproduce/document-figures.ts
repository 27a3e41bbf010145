/** Figures that a document states: numbers with a unit behind them, outside of code. */

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

/** Code, between fences and in lines; targets of links; comments. */
const NOT_PROSE = /```.*?```|`[^`]*`|\]\([^)]*\)|<!--.*?-->/gs;

/** A piece of a document, by its place in the document as one line. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A document as one line: where lines are broken makes no difference to what is said. */
export function asOneLine(markdown: string): string {
  return markdown.replace(/\s+/g, " ");
}

/** Every number with a unit, and every cell of a table that is one, outside of code. @param line  a document as `asOneLine` gives it */
export function figuresIn(line: string): (Span & { readonly text: string })[] {
  const prose = line.replace(NOT_PROSE, (code) => " ".repeat(code.length));
  return [...prose.matchAll(FIGURE), ...prose.matchAll(CELL)]
    .map(({ 0: text, index }) => ({ text, from: index, to: index + text.length }))
    .toSorted((a, b) => a.from - b.from);
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
