import { ApiProblem } from "./problem.ts";

/** Where a page of gaps begins. */
export interface GapPlace {
  /** The declared gap before it; undefined: the first page. */
  readonly after: { readonly epoch: number; readonly from: number } | undefined;
  /** Runs on the pages before. */
  readonly runs: number;
}

const CURSOR = /^(?:(\d{1,10})-(\d{1,10}))?\.(\d{1,12})$/;

/** @throws {ApiProblem} `bad-parameter` for what no page said */
export function parseGapCursor(cursor: string | undefined): GapPlace {
  if (cursor === undefined) return { after: undefined, runs: 0 };
  const [found, epoch, from, runs] = CURSOR.exec(cursor) ?? [];
  if (found === undefined) {
    const detail = `cursor=${cursor.slice(0, 40)} is none: give the \`next\` of the page before, or leave it out`;
    throw new ApiProblem("bad-parameter", detail, { parameter: "cursor", value: cursor.slice(0, 40) });
  }
  return { after: epoch === undefined ? undefined : { epoch: Number(epoch), from: Number(from) }, runs: Number(runs) };
}

/** The cursor of a page. */
export function formatGapCursor({ after, runs }: GapPlace): string {
  return `${after === undefined ? "" : `${after.epoch}-${after.from}`}.${runs}`;
}
