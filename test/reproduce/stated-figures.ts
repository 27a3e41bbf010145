import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findCell, statedNumber } from "./figure-cell.ts";
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
 * @param names  of the pages in it that count
 * @returns those whose cell is there: a page that was measured in a short form may lack it
 */
export function statedFigures(
  pages: string,
  names: ReadonlySet<string>,
  entries: readonly FigureEntry[] = readFigures().entries,
): StatedFigure[] {
  const read = new Map<string, ResultPage>();
  for (const name of names) {
    const file = join(pages, `${name}.md`);
    if (existsSync(file)) read.set(name, readResultPage(name, readFileSync(file, "utf8")));
  }
  return entries.flatMap(({ document, text, sources }) => {
    const figures = [...text.matchAll(/\{([^{}]+)\}/g)].map(([, figure = ""]) => figure);
    return sources.flatMap((source, at): StatedFigure[] => {
      if (source.kind !== "cell") return [];
      const page = read.get(source.page);
      const cell = page === undefined ? undefined : cellOrNone(source.page, page, source.steps);
      if (cell === undefined) return [];
      const { stated, half } = statedNumber(figures[at] ?? "");
      const measured = numberIn(cell.text) * source.times;
      const steadiness = steadinessOf(source.page, cell.place, cell.text);
      return [
        {
          ...{ document, text, place: `${source.page} › ${cell.place}`, stated, measured, steadiness },
          isHeld: isHeld(steadiness, stated, measured, half),
          distance: (measured - stated) / Math.abs(stated),
        },
      ];
    });
  });
}

function cellOrNone(name: string, page: ResultPage, steps: readonly string[]) {
  try {
    return findCell(name, page, steps);
  } catch (error) {
    if (error instanceof ReproduceError && error.code === "no-cell") return undefined;
    throw error;
  }
}
