import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readRequest } from "../bench/bench-request.ts";
import { asOneLine, figuresIn, placesOf } from "./document-figures.ts";
import { findCells, statedNumber } from "./figure-cell.ts";
import { type FigureEntry, type FigureSource, readFigures } from "./figures.ts";
import { numberIn, type ResultPage, readResultPage } from "./result-page.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const RESULTS = join(ROOT, "docs/results");
/** Summaries of `npm run reproduce`: lists of what departs, in which nothing is stated. */
const SUMMARIES = /^reproduce/;
const SOURCE_FILE = /\.(?:ts|js|c|h|py|json|wgsl|md)$/;

const { entries, whole } = readFigures();
const documents = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "README.md", "docs"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .split("\n")
  .filter((path) => path.endsWith(".md") && !path.startsWith("docs/results/") && existsSync(join(ROOT, path)));
const pages = new Map<string, ResultPage>(
  readdirSync(RESULTS)
    .filter((file) => file.endsWith(".md") && !SUMMARIES.test(file))
    .map((file) => [file.slice(0, -3), readResultPage(file, readFileSync(join(RESULTS, file), "utf8"))]),
);

function lineOf(document: string): string {
  return asOneLine(readFileSync(join(ROOT, document), "utf8"));
}

/** What is wrong with a figure's source; nothing when it says what the figure says. */
function faultOf(document: string, figure: string, source: FigureSource): string | undefined {
  const { stated, half } = statedNumber(figure);
  if (source.kind === "file") {
    if (!SOURCE_FILE.test(source.path) || !existsSync(join(ROOT, source.path))) return `there is no ${source.path}`;
    const text = readFileSync(join(ROOT, source.path), "utf8").replace(/(?<=\d)[_,](?=\d)/g, "");
    const isThere = new RegExp(`(?<![\\d.])${String(stated).replace(".", "\\.")}(?![\\d.]*\\d)`).test(text);
    return isThere ? undefined : `${source.path} has no ${stated}`;
  }
  if (source.kind === "bytes") {
    const { size } = statSync(join(ROOT, source.path));
    return size === stated ? undefined : `${source.path} has ${size} bytes`;
  }
  if (source.kind === "command") {
    return readFileSync(join(ROOT, document), "utf8").includes(source.typed) ? undefined : `it has no ${source.typed}`;
  }
  if (source.kind !== "cell") return undefined;
  const page = pages.get(source.page);
  if (page === undefined) return `there is no docs/results/${source.page}.md`;
  const cells = findCells(source.page, page, source.steps).map(({ text }) => text);
  const measured = source.times * cells.reduce((sum, text) => sum + numberIn(text), 0);
  return Math.abs(measured - stated) <= half * (1 + 1e-9)
    ? undefined
    : `docs/results/${source.page}.md has ${cells.join(" + ")}`;
}

function faultsOf({ document, text, sources }: FigureEntry): string[] {
  const figures = [...text.matchAll(/\{([^{}]+)\}/g)].map(([, figure = ""]) => figure);
  const faults = sources.map((source, at) => faultOf(document, figures[at] ?? "", source));
  return faults.flatMap((fault, at) =>
    fault === undefined ? [] : [`${document}: ${figures[at]} in "${text}": ${fault}`],
  );
}

test("every words of docs/figures.json stand in their document", () => {
  expect(entries.length).toBeGreaterThan(0);
  const gone = entries.filter(({ document, text }) => placesOf(lineOf(document), text).length === 0);
  expect(gone.map(({ document, text }) => `${document}: ${text}`)).toEqual([]);
});

test("every figure is what its source says, rounded to the digits that it has", () => {
  expect(entries.flatMap(faultsOf)).toEqual([]);
});

test("every number with a unit, or a decimal point, in README and docs has a source, or says why it needs none", () => {
  expect(documents.length).toBeGreaterThan(20);
  const unsupported = documents.flatMap((document) => {
    if (whole.has(document)) return [];
    const line = lineOf(document);
    const spans = entries
      .filter((entry) => entry.document === document)
      .flatMap(({ text }) => placesOf(line, text).flat());
    return figuresIn(line)
      .filter(({ from, to }) => !spans.some((span) => span.from < to && from < span.to))
      .map(({ text, from }) => `${document}: "${text}" in "${line.slice(Math.max(0, from - 40), from + 40)}"`);
  });
  expect(unsupported).toEqual([]);
});

test("every number of the first page's guarantees has a source", () => {
  const line = lineOf("README.md");
  const [from, to] = [line.indexOf("- **Every value"), line.indexOf("```sh")];
  const spans = entries
    .filter(({ document }) => document === "README.md")
    .flatMap(({ text }) => placesOf(line, text).flat());
  const prose = line.slice(from, to).replace(/`[^`]*`|\]\([^)]*\)/g, (code) => " ".repeat(code.length));
  const numbers = [...prose.matchAll(/(?<![\w.,-])\d[\d.,]*\d|(?<![\w.,-])\d(?![\w.,]*\d)/g)];
  expect(numbers.length).toBeGreaterThan(15);
  const free = numbers.filter(
    ({ index }) => !spans.some((span) => span.from <= from + index && from + index < span.to),
  );
  expect(free.map(({ 0: text }) => text)).toEqual([]);
});

test("every page of results says its input, and the command that makes it, which is one that is taken", () => {
  expect(pages.size).toBeGreaterThan(20);
  for (const [name, { command, date }] of pages) {
    const [, typed = ""] = /^npm run bench -- (.+)$/.exec(command) ?? [];
    expect(readRequest(typed.split(" "))).toMatchObject({ request: { name, isKept: true } });
    expect(new Date(date).getTime()).not.toBeNaN();
    expect(readFileSync(join(RESULTS, `${name}.md`), "utf8")).toMatch(/^- .{20}/m);
  }
});
