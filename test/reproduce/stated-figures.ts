import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type FoundCell, findCells, statedNumber } from "./figure-cell.ts";
import { type FigureEntry, readFigures } from "./figures.ts";
import { ReproduceError } from "./reproduce-error.ts";
import { numberIn, type ResultPage, readResultPage } from "./result-page.ts";
import { isHeld, type Steadiness, steadinessOf } from "./steadiness.ts";

/** A figure of a document beside what was measured now. */
export interface StatedFigure {
  readonly document: string;
  readonly text: string;
  /** `page › table › row › column`. */
  readonly place: string;
  readonly stated: number;
  /** Not a number where the page no longer has the cell. */
  readonly measured: number;
  readonly steadiness: Steadiness;
  readonly isHeld: boolean;
  /** As a part of what is stated. */
  readonly distance: number;
}

/**
 * Every figure of the documents whose page was measured, beside the cell that it comes from.
 *
 * @param pages  folder of the pages that were measured
 * @param stated  folder of those that the documents speak of
 * @param held  the pages that were measured, and the places of each that this run says something of: all, where undefined
 * @returns those that were measured, and those whose cell should be there and is not
 */
export function statedFigures(
  pages: string,
  stated: string,
  held: ReadonlyMap<string, RegExp | undefined>,
  entries: readonly FigureEntry[] = readFigures().entries,
): StatedFigure[] {
  const measuredPages = readPages(pages, held.keys());
  const statedPages = readPages(stated, held.keys());
  return entries.flatMap(({ document, text, sources }) => {
    const figures = [...text.matchAll(/\{([^{}]+)\}/g)].map(([, figure = ""]) => figure);
    return sources.flatMap((source, at): StatedFigure[] => {
      if (source.kind !== "cell") return [];
      const { page: name, times } = source;
      const [page, kept] = [measuredPages.get(name), statedPages.get(name)];
      if (page === undefined || kept === undefined) return [];
      const [was, is] = [cellsOrNone(name, kept, source), cellsOrNone(name, page, source)];
      const [first] = is ?? was ?? [];
      if (first === undefined) return [];
      const only = held.get(name);
      if (only !== undefined && !only.test(first.place)) return [];
      const { stated: value, half } = statedNumber(figures[at] ?? "");
      const measured = is === undefined ? Number.NaN : times * is.reduce((sum, cell) => sum + numberIn(cell.text), 0);
      const steadiness = is === undefined ? "exact" : steadinessOf(name, first.place, first.text);
      return [
        {
          ...{ document, text, place: `${name} › ${first.place}`, stated: value, measured, steadiness },
          isHeld: isHeld(steadiness, value, measured, half),
          distance: (measured - value) / Math.abs(value),
        },
      ];
    });
  });
}

function readPages(folder: string, names: Iterable<string>): Map<string, ResultPage> {
  const files = [...names].map((name) => [name, join(folder, `${name}.md`)] as const);
  return new Map(
    files
      .filter(([, file]) => existsSync(file))
      .map(([name, file]) => [name, readResultPage(name, readFileSync(file, "utf8"))]),
  );
}

function cellsOrNone(
  name: string,
  page: ResultPage,
  { steps }: { readonly steps: readonly string[] },
): FoundCell[] | undefined {
  try {
    return findCells(name, page, steps);
  } catch (error) {
    if (error instanceof ReproduceError && error.code === "no-cell") return undefined;
    throw error;
  }
}
