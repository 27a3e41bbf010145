import type { BenchTable } from "./bench.ts";
import type { Cell } from "./codec-cell.ts";
import { HELD_OUT_SETS, oursOf, TUNED_SETS } from "./codec-comparison.ts";
import { FIRST_RELEASE, FIRST_RELEASE_AT } from "./codec-first-release.ts";
import { type FrameLength, VARIANTS } from "./codec-ours.ts";
import { ratioCell, round, tellFrames } from "./codec-tables.ts";
import { geometricMean } from "./statistics.ts";

/** More than this part of its bits more than before is worse. */
const NOISE = 0.005;

/** The first release's bits in a cell, with frames of this length; not a number where it was not measured. */
function firstOf({ set, rel }: Cell, frames: FrameLength): number {
  const rates = FIRST_RELEASE[set]?.[rel];
  return (frames === "file" ? rates?.file : frames === 1000 ? rates?.thousand : undefined) ?? Number.NaN;
}

/** The first release beside now, for each frame length that it was measured at, and what got worse since. */
export function beforeTables(cells: readonly Cell[], frames: readonly FrameLength[]): BenchTable[] {
  const tables = frames.flatMap((length) => {
    const known = cells.filter((cell) => !Number.isNaN(firstOf(cell, length)));
    return known.length === 0 ? [] : [beforeTable(known, length)];
  });
  return tables.length === 0 ? [] : [...tables, worseTable(cells, frames)];
}

function beforeTable(known: readonly Cell[], length: FrameLength): BenchTable {
  const choices = VARIANTS.map(({ name }) => ({ variant: name, frames: length }));
  const groups = [
    ["tuned on", known.filter((cell) => TUNED_SETS.includes(cell.set))],
    ["held out", known.filter((cell) => HELD_OUT_SETS.includes(cell.set))],
    ["all", known],
  ] as const;
  const halfOf = ({ set }: Cell) =>
    TUNED_SETS.includes(set) ? "tuned on" : HELD_OUT_SETS.includes(set) ? "held out" : "";
  return {
    title: `Before and after, ${tellFrames(length)}: the first release (${FIRST_RELEASE_AT}) and now`,
    columns: [
      "set",
      "rel",
      "half",
      "first release",
      ...choices.flatMap(({ variant }) => [`now ${variant}`, "before / now"]),
    ],
    rows: [
      ...[...known]
        .sort((a, b) => halfOf(b).localeCompare(halfOf(a)))
        .map((cell) => [
          ...[cell.set, cell.rel, halfOf(cell), firstOf(cell, length)],
          ...choices.flatMap((choice) => {
            return [round(oursOf(cell, choice)), ratioCell(firstOf(cell, length) / oursOf(cell, choice))];
          }),
        ]),
      ...groups.flatMap(([half, some]) => {
        if (some.length === 0) return [];
        const ratios = choices.map((choice) => some.map((cell) => firstOf(cell, length) / oursOf(cell, choice)));
        return [["geometric mean", "", half, "", ...ratios.flatMap((each) => ["", geometricMean(each).toFixed(3)])]];
      }),
    ],
  };
}

function worseTable(cells: readonly Cell[], frames: readonly FrameLength[]): BenchTable {
  const rows = frames.flatMap((length) =>
    VARIANTS.flatMap(({ name }) =>
      cells.flatMap((cell) => {
        const [before, now] = [firstOf(cell, length), oursOf(cell, { variant: name, frames: length })];
        if (!(now / before > 1 + NOISE)) return [];
        const percent = Number((100 * (now / before - 1)).toFixed(1));
        return [[cell.set, cell.rel, name, tellFrames(length), before, round(now), percent]];
      }),
    ),
  );
  return {
    title: `Worse than the first release by more than ${100 * NOISE} %`,
    columns: ["set", "rel", "variant", "frames", "first release", "now", "more, %"],
    rows: rows.length === 0 ? [["none", "", "", "", "", "", ""]] : rows,
  };
}
