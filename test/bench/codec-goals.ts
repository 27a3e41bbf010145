import type { BenchGoal } from "./bench.ts";
import type { Cell } from "./codec-cell.ts";
import {
  BEST,
  bestPeer,
  countedOf,
  HELD_OUT_SETS,
  hasEveryPeer,
  keepKnown,
  type OursChoice,
  oursOf,
  type PeerClass,
  type Ratios,
  ratiosTo,
  TUNED_SETS,
} from "./codec-comparison.ts";
import { bestElsewhere, designBits, MIX_PIECE_OVER_PROTOTYPE, prototypeBits } from "./codec-elsewhere.ts";
import { VARIANTS } from "./codec-ours.ts";
import { geometricMean } from "./statistics.ts";

/** What the codec is held to: its bound always, the rest on the six recordings at the three bounds that it is set for. */
export function codecGoals(cells: readonly Cell[], stateBytes: (channels: number) => number): BenchGoal[] {
  return [...boundGoals(cells), ...stateGoals(stateBytes), ...keyframeGoals(cells), ...rateGoals(cells)];
}

const GOAL_SETS = [...TUNED_SETS, ...HELD_OUT_SETS];
const GOAL_RELS = [0.1, 0.01, 0.001];
/** What the goals of rates are set for, all of it together. */
const GOAL_CELLS = GOAL_SETS.flatMap((set) => GOAL_RELS.map((rel) => ({ set, rel })));
/** Frames that the goals are set for. */
const LONG_FRAME = 1000;
const SHORT_FRAME = 100;

/** Peer over ours, geometric mean: name, must, aim. */
const PEER_GOALS = [
  ["SZ3", 1.8, 2],
  ["zstd", 1.75, 1.9],
] as const;
/**
 * Set against a cost model that wrote more than this bench's own implementation does. The row of the peer that it was set
 * against carries it, and that of the stronger peer shows it met or missed.
 */
const SPRINTZ_GOAL = { must: 2, aim: 2.2 };
const MIX_PIECE_GOAL = { must: 2.7, aim: 3 };
const BEST_GOAL = { geomean: { must: 1.07, aim: 1.2 }, worst: { must: 0.93, aim: 1 } };
/** Likewise: set against the peers measured elsewhere, before a coded deadband and brotli were there. */
const CAUSAL_GOAL = { geomean: { must: 1.28, aim: 1.35 }, worst: { must: 0.9, aim: 1 } };
const SHORT_GOAL = { must: 0.96, aim: 1.05 };
const KEYFRAME_GOAL_PERCENT = { must: 83, aim: 40 };
const STATE_GOAL_BYTES = { channels: 6, limit: 2048, aim: 1792, aimChannels: 8 };

function boundGoals(cells: readonly Cell[]): BenchGoal[] {
  const ours = cells.flatMap((cell) => [...cell.ours, ...cell.keyed].map((run) => run.maxErrorOverEps));
  const peers = cells.flatMap((cell) => Object.values(cell.peers).map((peer) => peer.maxErrorOverEps));
  return [
    { what: "largest error, over eps", measured: Math.max(...ours), unit: "eps", must: { atMost: 1 } },
    {
      what: "largest error of a peer (above 1: this bench is wrong)",
      measured: Math.max(...peers),
      unit: "eps",
      must: { atMost: 1 },
    },
  ];
}

function stateGoals(stateBytes: (channels: number) => number): BenchGoal[] {
  const { channels, limit, aim, aimChannels } = STATE_GOAL_BYTES;
  return [
    { what: `state, ${channels} channels`, measured: stateBytes(channels), unit: "B", must: { below: limit }, aim },
    { what: `state, ${aimChannels} channels`, measured: stateBytes(aimChannels), unit: "B", aim: limit },
  ];
}

/** A small device's price of a keyframe every second. */
function keyframeGoals(cells: readonly Cell[]): BenchGoal[] {
  return cells.flatMap((cell) => {
    const [uncut, keyed] = cell.keyed;
    if (uncut === undefined || keyed === undefined) return [];
    const what = `keyframe every second, ${cell.set} ${cell.rel}, ${uncut.variant}: more bits`;
    const measured = 100 * (keyed.bitsPerSample / uncut.bitsPerSample - 1);
    const { must, aim } = KEYFRAME_GOAL_PERCENT;
    return [{ what, measured, unit: "%", must: { atMost: must }, aim }];
  });
}

/** None where a recording, a bound or a frame length is missing: they hold for all of them together. */
function rateGoals(cells: readonly Cell[]): BenchGoal[] {
  const all = goalCells(cells);
  const hasFrames = (length: number) => all.every((cell) => cell.ours.some((run) => run.frames === length));
  if (all.length < GOAL_CELLS.length) return [];
  const [plain] = VARIANTS;
  const headline = VARIANTS.at(-1) ?? plain;
  return [
    ...(hasFrames(LONG_FRAME)
      ? longFrameGoals(all, { variant: headline.name, frames: LONG_FRAME }, { variant: plain.name, frames: LONG_FRAME })
      : []),
    ...(hasFrames(SHORT_FRAME) ? shortFrameGoals(all, { variant: headline.name, frames: SHORT_FRAME }) : []),
  ];
}

/** Those of `GOAL_CELLS` that were measured. */
function goalCells(cells: readonly Cell[]): Cell[] {
  return GOAL_CELLS.flatMap((goal) => cells.find(({ set, rel }) => set === goal.set && rel === goal.rel) ?? []);
}

/** Why a report has no goals of rates, or fewer; nothing where it has all of them. */
export function goalNotes(cells: readonly Cell[]): string[] {
  const measured = goalCells(cells);
  const missing = [LONG_FRAME, SHORT_FRAME].filter(
    (length) => !measured.every((cell) => cell.ours.some((run) => run.frames === length)),
  );
  if (measured.length < GOAL_CELLS.length) {
    const why = `this run has ${measured.length} of their ${GOAL_CELLS.length} cells`;
    return [`The goals of rates are not judged: ${why} (${GOAL_SETS.join(", ")}; rel ${GOAL_RELS.join(", ")}).`];
  }
  return missing.map((length) => `The goals for frames of ${length} are not judged: this run has no such frames.`);
}

function longFrameGoals(cells: readonly Cell[], ours: OursChoice, plain: OursChoice): BenchGoal[] {
  const best = ratiosToBest(cells, "all", ours);
  const causal = ratiosToBest(cells, "without lookahead", plain);
  const elsewhere = keepKnown(cells.map((cell) => bestElsewhere(cell) / oursOf(cell, plain)));
  const model = keepKnown(cells.map((cell) => designBits(cell, "sprintz model") / oursOf(cell, ours)));
  const mixPiece = keepKnown(
    cells.map((cell) => (MIX_PIECE_OVER_PROTOTYPE * prototypeBits(cell)) / oursOf(cell, ours)),
  );
  const elsewhereName = `${BEST["without lookahead"]} of those measured elsewhere`;
  return [
    ...PEER_GOALS.map(([peer, must, aim]) => meanGoal(peer, ours, ratiosTo(cells, peer, ours), { must, aim })),
    meanGoal("Sprintz cost model, measured elsewhere,", ours, model, SPRINTZ_GOAL),
    strongerGoal("sprintz", ours, meanOf(ratiosTo(cells, "sprintz", ours)), SPRINTZ_GOAL.must),
    meanGoal(
      `Mix-Piece + zstd (${MIX_PIECE_OVER_PROTOTYPE} x the prototype's bits, measured elsewhere)`,
      ours,
      mixPiece,
      MIX_PIECE_GOAL,
    ),
    meanGoal(BEST.all, ours, best, BEST_GOAL.geomean),
    worstGoal(BEST.all, ours, best, BEST_GOAL.worst),
    meanGoal(elsewhereName, plain, elsewhere, CAUSAL_GOAL.geomean),
    strongerGoal(BEST["without lookahead"], plain, meanOf(causal), CAUSAL_GOAL.geomean.must),
    worstGoal(elsewhereName, plain, elsewhere, CAUSAL_GOAL.worst),
    strongerGoal(`${BEST["without lookahead"]}, worst cell`, plain, worstOf(causal), CAUSAL_GOAL.worst.must),
  ];
}

/** The best of a class over ours; a cell that lacks a peer does not count, for that one might have been the best. */
function ratiosToBest(cells: readonly Cell[], peers: PeerClass, ours: OursChoice): Ratios {
  const whole = cells.filter((cell) => hasEveryPeer(cell, cells));
  return { values: ratiosTo(whole, BEST[peers], ours).values, of: cells.length };
}

/** Quiet frames are not sent and have no bytes; with a byte for each of them the same must hold. */
function shortFrameGoals(cells: readonly Cell[], ours: OursChoice): BenchGoal[] {
  const sent = ratiosToBest(cells, "all", ours);
  const whole = cells.filter((cell) => hasEveryPeer(cell, cells));
  const counted = {
    values: keepKnown(whole.map((cell) => bestPeer(cell, "all").bits / countedOf(cell, ours))).values,
    of: cells.length,
  };
  return [
    meanGoal(BEST.all, ours, sent, SHORT_GOAL, ", as sent"),
    meanGoal(BEST.all, ours, counted, SHORT_GOAL, ", a byte for every quiet frame"),
  ];
}

/** A limit, and what is aimed at beyond it. */
interface RatioGoal {
  readonly must: number;
  readonly aim: number;
}

/** One figure of several cells. */
type OverCells = Pick<BenchGoal, "measured" | "cells">;

function meanOf({ values, of }: Ratios): OverCells {
  return { measured: geometricMean(values), cells: { measured: values.length, of } };
}

function worstOf({ values, of }: Ratios): OverCells {
  return { measured: values.length === 0 ? Number.NaN : Math.min(...values), cells: { measured: values.length, of } };
}

function meanGoal(peer: string, ours: OursChoice, ratios: Ratios, { must, aim }: RatioGoal, how = ""): BenchGoal {
  return { what: `${tellRatio(peer, ours)}${how}`, ...meanOf(ratios), unit: "x", must: { atLeast: must }, aim };
}

function worstGoal(peer: string, ours: OursChoice, ratios: Ratios, { must, aim }: RatioGoal): BenchGoal {
  const what = tellRatio(`${peer}, worst cell`, ours);
  return { what, ...worstOf(ratios), unit: "x", must: { atLeast: must }, aim };
}

/** A peer that is stronger than the one that the limit was set against. */
function strongerGoal(peer: string, ours: OursChoice, figure: OverCells, limit: number): BenchGoal {
  const what = `${tellRatio(peer, ours)} (the limit was set against the row above)`;
  return { what, ...figure, unit: "x", aimedAt: { atLeast: limit } };
}

function tellRatio(peer: string, ours: OursChoice): string {
  return `${peer} / ours ${ours.variant}, frames of ${ours.frames}`;
}
