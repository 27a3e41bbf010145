import type { BenchTable } from "./bench.ts";
import { type Cell, KEYFRAME_ROWS } from "./codec-cell.ts";
import {
  BEST,
  bestPeer,
  choicesOf,
  countedOf,
  HELD_OUT_SETS,
  type OursChoice,
  oursOf,
  peerNames,
  type Ratios,
  ratiosTo,
  TUNED_SETS,
} from "./codec-comparison.ts";
import { ELSEWHERE_PEERS, elsewhereOf } from "./codec-elsewhere.ts";
import { type FrameLength, VARIANTS } from "./codec-ours.ts";
import { geometricMean } from "./statistics.ts";

/** The headline: ours beside the best of all peers, cell by cell. */
export function headlineTable(cells: readonly Cell[], ours: OursChoice): Omit<BenchTable, "title"> {
  const [plain] = VARIANTS;
  return {
    columns: [
      ...["set", "rel", `ours, ${tell(ours)}`],
      ...[BEST.all, "bits", "over ours", BEST["without lookahead"], "bits", `over ours ${plain.name}`],
      ...["max error", "state bytes"],
    ],
    rows: cells.map((cell) => {
      const all = bestPeer(cell, "all");
      const causal = bestPeer(cell, "without lookahead");
      const plainBits = oursOf(cell, { ...ours, variant: plain.name });
      return [
        ...[cell.set, cell.rel, round(oursOf(cell, ours))],
        ...[all.peer, round(all.bits), ratioCell(all.bits / oursOf(cell, ours))],
        ...[causal.peer, round(causal.bits), ratioCell(causal.bits / plainBits)],
        ...[Math.max(...cell.ours.map((run) => run.maxErrorOverEps)).toFixed(6), cell.stateBytes],
      ];
    }),
  };
}

/** Everything but the headline. */
export function moreTables(cells: readonly Cell[], frames: readonly FrameLength[], ours: OursChoice): BenchTable[] {
  return [
    oursTable(cells, frames),
    ...quietTables(cells, frames),
    peersTable(cells),
    ...(cells.some((cell) => Object.keys(elsewhereOf(cell)).length > 0) ? [elsewhereTable(cells)] : []),
    ratioTable(cells, ours),
    choiceTable(cells, choicesOf(frames)),
    ...(cells.some((cell) => cell.keyed.length > 0) ? [keyframeTable(cells)] : []),
  ];
}

function oursTable(cells: readonly Cell[], frames: readonly FrameLength[]): BenchTable {
  const choices = choicesOf(frames);
  return {
    title: "Ours, by variant and frame length, as sent",
    columns: ["set", "rel", ...choices.map(tell)],
    rows: cells.map((cell) => [cell.set, cell.rel, ...choices.map((choice) => round(oursOf(cell, choice)))]),
  };
}

/** What silence is worth where frames are shortest. */
function quietTables(cells: readonly Cell[], frames: readonly FrameLength[]): BenchTable[] {
  const shortest = frames.find((length) => length !== "file");
  if (shortest === undefined) return [];
  const choices = VARIANTS.map(({ name }) => ({ variant: name, frames: shortest }));
  return [
    {
      title: `Quiet frames, ${tellFrames(shortest)}: not sent, or counted with a byte each`,
      columns: [
        ...["set", "rel"],
        ...VARIANTS.flatMap(({ name }) => [`quiet, % ${name}`, `as sent, ${name}`, `a byte each, ${name}`]),
      ],
      rows: cells.map((cell) => [
        cell.set,
        cell.rel,
        ...choices.flatMap((choice) => {
          const run = cell.ours.find((each) => each.variant === choice.variant && each.frames === shortest);
          const percent = 100 * (run?.quietFrames ?? Number.NaN);
          return [Number(percent.toFixed(1)), round(oursOf(cell, choice)), round(countedOf(cell, choice))];
        }),
      ]),
    },
  ];
}

function peersTable(cells: readonly Cell[]): BenchTable {
  const names = [...new Set(cells.flatMap((cell) => Object.keys(cell.peers)))];
  return {
    title: "Peers, whole file, measured in this run",
    columns: ["set", "rel", ...names, "setting of pla"],
    rows: cells.map((cell) => {
      const best = bestPeer(cell, "all").peer;
      const bits = names.map((name) => markedCell(cell.peers[name]?.bitsPerSample ?? Number.NaN, name === best));
      return [cell.set, cell.rel, ...bits, cell.peers.pla?.setting ?? ""];
    }),
  };
}

function elsewhereTable(cells: readonly Cell[]): BenchTable {
  return {
    title: "Peers, whole file, measured elsewhere on the same data",
    columns: ["set", "rel", ...ELSEWHERE_PEERS],
    rows: cells.map((cell) => {
      const best = bestPeer(cell, "all").peer;
      const figures = elsewhereOf(cell);
      return [
        cell.set,
        cell.rel,
        ...ELSEWHERE_PEERS.map((peer) => {
          const bits = figures[peer];
          return bits === undefined ? "" : markedCell(bits, peer === best);
        }),
      ];
    }),
  };
}

/** Geometric means of peer over ours, by bound and by half. */
function ratioTable(cells: readonly Cell[], ours: OursChoice): BenchTable {
  const rels = [...new Set(cells.map((cell) => cell.rel))];
  const groups = [
    ["all", cells],
    ...rels.map((rel) => [`rel ${rel}`, cells.filter((cell) => cell.rel === rel)] as const),
    ["tuned on", cells.filter((cell) => TUNED_SETS.includes(cell.set))],
    ["held out", cells.filter((cell) => HELD_OUT_SETS.includes(cell.set))],
  ] as const;
  return {
    title: `Peer over ours, geometric means: ours ${tell(ours)}`,
    columns: ["peer", ...groups.map(([name]) => name), "cells", "lost", "worst", "worst cell"],
    rows: [...peerNames(cells), BEST["without lookahead"], BEST.all].map((peer) => {
      const { values: ratios } = ratiosTo(cells, peer, ours);
      const worst = Math.min(...ratios);
      const where = cells.find((cell) => ratiosTo([cell], peer, ours).values[0] === worst);
      return [
        peer,
        ...groups.map(([, some]) => meanCell(ratiosTo(some, peer, ours))),
        ratios.length,
        ratios.filter((ratio) => ratio < 1).length,
        worst.toFixed(3),
        where === undefined ? "" : `${where.set} ${where.rel}`,
      ];
    }),
  };
}

/** The same means for every variant and frame length of ours; of the best peers, how often and how far ours is larger. */
function choiceTable(cells: readonly Cell[], choices: readonly OursChoice[]): BenchTable {
  const bests = [BEST["without lookahead"], BEST.all];
  const row = (name: string, tellOf: (choice: OursChoice) => string) => [name, ...choices.map(tellOf)];
  return {
    title: "Peer over ours, geometric means, by our variant and frame length",
    columns: ["peer", ...choices.map(tell)],
    rows: [
      ...[...peerNames(cells), ...bests].map((peer) => row(peer, (ours) => meanCell(ratiosTo(cells, peer, ours)))),
      ...bests.flatMap((peer) => [
        row(
          `${peer}: cells lost`,
          (ours) => `${ratiosTo(cells, peer, ours).values.filter((ratio) => ratio < 1).length}`,
        ),
        row(`${peer}: worst cell`, (ours) => Math.min(...ratiosTo(cells, peer, ours).values).toFixed(3)),
      ]),
    ],
  };
}

function keyframeTable(cells: readonly Cell[]): BenchTable {
  return {
    title: `A keyframe every ${KEYFRAME_ROWS} rows (one second) against none`,
    columns: ["set", "rel", "variant", "without", "with", "more, %"],
    rows: cells.flatMap((cell) =>
      VARIANTS.flatMap(({ name }) => {
        const [uncut, keyed] = cell.keyed.filter((run) => run.variant === name);
        if (uncut === undefined || keyed === undefined) return [];
        const more = 100 * (keyed.bitsPerSample / uncut.bitsPerSample - 1);
        return [
          [cell.set, cell.rel, name, round(uncut.bitsPerSample), round(keyed.bitsPerSample), Number(more.toFixed(1))],
        ];
      }),
    ),
  };
}

/** A choice in words. */
export function tell({ variant, frames }: OursChoice): string {
  return `${variant}, ${tellFrames(frames)}`;
}

/** A frame length in words. */
export function tellFrames(frames: FrameLength): string {
  return frames === "file" ? "one frame" : `frames of ${frames}`;
}

/** Bold where ours is larger. */
export function ratioCell(ratio: number): string {
  const shown = ratio.toFixed(3);
  return Number(shown) < 1 ? `**${shown}**` : shown;
}

/** The mean, and over how many cells where not all have the peer. */
function meanCell({ values, of }: Ratios): string {
  if (values.length === 0) return "";
  const mean = geometricMean(values).toFixed(3);
  return values.length === of ? mean : `${mean} (${values.length} of ${of})`;
}

function markedCell(bits: number, isBest: boolean): string | number {
  return isBest ? `**${round(bits)}**` : round(bits);
}

/** To the digits of a table. */
export function round(value: number): number {
  return Number(value.toPrecision(4));
}
