import { readFileSync } from "node:fs";
import { ReproduceError } from "./reproduce-error.ts";

const FILE = new URL("../../docs/figures.json", import.meta.url);

/** Why a number needs no measurement. */
export const NO_MEASUREMENT = {
  definition: "what something is: a format, a unit, a formula, an algorithm's own constant",
  limit: "a limit or a default that the code sets, and its tests hold",
  example: "made up, to show how something is typed or reads",
  elsewhere: "measured or claimed by others, who are named beside it",
  arithmetic: "follows from numbers beside it",
  tried: "of a variant that was tried and left; the words say what it was",
  earlier: "of an earlier state of the code, named beside it",
} as const;

/** What `docs/figures.json` holds. */
export interface Figures {
  readonly entries: readonly FigureEntry[];
  /** Documents whose numbers are all of one class, by path from the repository's root. */
  readonly whole: ReadonlyMap<string, keyof typeof NO_MEASUREMENT>;
}

/** Words of a document with figures in them, and where these come from. */
export interface FigureEntry {
  /** From the repository's root. */
  readonly document: string;
  /** A piece of the document with every figure in braces: `costs {538} times less`. */
  readonly text: string;
  /** One for each pair of braces. */
  readonly sources: readonly FigureSource[];
}

/** Where a figure comes from. */
export type FigureSource =
  | { readonly kind: "cell"; readonly page: string; readonly steps: readonly string[]; readonly times: number }
  /** A file of the repository in which the number stands, such as a test that holds it. */
  | { readonly kind: "file"; readonly path: string }
  /** A file that the set-up builds: its length. */
  | { readonly kind: "bytes"; readonly path: string }
  /** A command that stands in the same document and prints the figure. */
  | { readonly kind: "command"; readonly typed: string }
  | { readonly kind: keyof typeof NO_MEASUREMENT };

/** @throws {ReproduceError} `bad-figures`, with the entry and what is wrong with it */
export function readFigures(json: string = readFileSync(FILE, "utf8")): Figures {
  const { figures, whole } = JSON.parse(json) as {
    readonly figures: Record<string, readonly (readonly string[])[]>;
    readonly whole: Record<string, string>;
  };
  const entries = Object.entries(figures).flatMap(([document, list]) =>
    list.map(([text = "", ...named]): FigureEntry => {
      const marked = text.match(/\{[^{}]+\}/g)?.length ?? 0;
      if (marked === 0 || (named.length !== marked && named.length !== 1)) {
        throw new ReproduceError("bad-figures", { document, text, figures: marked, sources: named.length });
      }
      const sources = sameRow(named).map((source) => readSource(document, text, source));
      // One source that is no cell goes for all figures of the words
      const [only] = sources;
      const isForAll = named.length === 1 && marked > 1 && only !== undefined && only.kind !== "cell";
      if (named.length !== marked && !isForAll) {
        throw new ReproduceError("bad-figures", { document, text, figures: marked, sources: named.length });
      }
      return { document, text, sources: isForAll ? Array.from({ length: marked }, () => only) : sources };
    }),
  );
  return {
    entries,
    whole: new Map(Object.entries(whole).map(([document, name]) => [document, classNamed(document, "", name)])),
  };
}

/**
 * `codec › goals › state, 6 channels`, `wire › TABLE › CELL & CELL › COLUMN × 0.001`, `… › COLUMN` for the row before,
 * `file PATH`, `bytes PATH`, `command TYPED`, or a class.
 */
function readSource(document: string, text: string, source: string): FigureSource {
  const [, kind, rest = ""] = /^(file|bytes|command) (.+)$/.exec(source) ?? [];
  if (kind === "command") return { kind, typed: rest };
  if (kind === "file" || kind === "bytes") return { kind, path: rest };
  if (!source.includes("›")) return { kind: classNamed(document, text, source) };
  const [, path = "", factor] = /^(.*?)(?: × ([\d.e-]+))?$/.exec(source) ?? [];
  const [page = "", ...steps] = path.split("›").map((step) => step.trim());
  const times = factor === undefined ? 1 : Number(factor);
  if (steps.length < 2 || steps.length > 3 || !(times > 0)) {
    throw new ReproduceError("bad-figures", { document, text, source });
  }
  return { kind: "cell", page, steps, times };
}

/** `… › COLUMN` with the page, table and row of the source before it. */
function sameRow(sources: readonly string[]): string[] {
  let row = "";
  return sources.map((source) => {
    const full = source.replace(/^…(?= ›)/, row);
    if (full.split("›").length === 4) row = full.slice(0, full.lastIndexOf("›")).trim();
    return full;
  });
}

function classNamed(document: string, text: string, name: string): keyof typeof NO_MEASUREMENT {
  if (!Object.hasOwn(NO_MEASUREMENT, name)) {
    throw new ReproduceError("bad-figures", { document, text, class: name, known: Object.keys(NO_MEASUREMENT).join() });
  }
  return name as keyof typeof NO_MEASUREMENT;
}
