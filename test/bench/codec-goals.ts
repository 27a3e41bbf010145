import type { BenchGoal } from "./bench.ts";
import type { Cell } from "./codec-cell.ts";
import {
  BEST,
  bestPeer,
  countedOf,
  HELD_OUT_SETS,
  type OursChoice,
  oursOf,
  ratiosTo,
  TUNED_SETS,
} from "./codec-comparison.ts";
import { bestElsewhere, designBits, MIX_PIECE_OVER_PROTOTYPE, PROTOTYPE } from "./codec-elsewhere.ts";
import { VARIANTS } from "./codec-ours.ts";
import { geometricMean } from "./statistics.ts";

/** What the codec is held to: its bound always, the rest on the six recordings at the three bounds that it is set for. */
export function codecGoals(cells: readonly Cell[], stateBytes: (channels: number) => number): BenchGoal[] {
  return [...boundGoals(cells), ...stateGoals(stateBytes), ...keyframeGoals(cells), ...rateGoals(cells)];
}

const GOAL_RELS = [0.1, 0.01, 0.001];
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
const BEST_GOAL = { geomean: 1.07, geomeanAim: 1.2, worst: 0.93, worstAim: 1 };
/** Likewise: set against the peers measured elsewhere, before a coded deadband and brotli were there. */
const CAUSAL_GOAL = { geomean: 1.28, geomeanAim: 1.35, worst: 0.9, worstAim: 1 };
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
  const all = [...TUNED_SETS, ...HELD_OUT_SETS].flatMap((set) =>
    GOAL_RELS.flatMap((rel) => cells.filter((cell) => cell.set === set && cell.rel === rel)),
  );
  const hasFrames = (length: number) => all.every((cell) => cell.ours.some((run) => run.frames === length));
  if (all.length < (TUNED_SETS.length + HELD_OUT_SETS.length) * GOAL_RELS.length) return [];
  const [plain] = VARIANTS;
  const headline = VARIANTS.at(-1) ?? plain;
  return [
    ...(hasFrames(LONG_FRAME)
      ? longFrameGoals(all, { variant: headline.name, frames: LONG_FRAME }, { variant: plain.name, frames: LONG_FRAME })
      : []),
    ...(hasFrames(SHORT_FRAME) ? shortFrameGoals(all, { variant: headline.name, frames: SHORT_FRAME }) : []),
  ];
}

function longFrameGoals(cells: readonly Cell[], ours: OursChoice, plain: OursChoice): BenchGoal[] {
  const best = ratiosTo(cells, BEST.all, ours);
  const causal = ratiosTo(cells, BEST["without lookahead"], plain);
  const elsewhere = cells.map((cell) => bestElsewhere(cell) / oursOf(cell, plain));
  const model = cells.map((cell) => designBits(cell, "sprintz model") / oursOf(cell, ours));
  const mixPiece = cells.map((cell) => (PROTOTYPE[cell.set]?.[cell.rel] ?? Number.NaN) / oursOf(cell, ours));
  return [
    ...PEER_GOALS.map(([peer, must, aim]) =>
      ratioGoal(peer, ours, geometricMean(ratiosTo(cells, peer, ours)), must, aim),
    ),
    ratioGoal(
      "Sprintz cost model, measured elsewhere,",
      ours,
      geometricMean(model),
      SPRINTZ_GOAL.must,
      SPRINTZ_GOAL.aim,
    ),
    strongerGoal("sprintz", ours, geometricMean(ratiosTo(cells, "sprintz", ours)), SPRINTZ_GOAL.must),
    ratioGoal(
      `Mix-Piece + zstd (${MIX_PIECE_OVER_PROTOTYPE} x the prototype's bits, measured elsewhere)`,
      ours,
      MIX_PIECE_OVER_PROTOTYPE * geometricMean(mixPiece),
      MIX_PIECE_GOAL.must,
      MIX_PIECE_GOAL.aim,
    ),
    ratioGoal(BEST.all, ours, geometricMean(best), BEST_GOAL.geomean, BEST_GOAL.geomeanAim),
    ratioGoal(`${BEST.all}, worst cell`, ours, Math.min(...best), BEST_GOAL.worst, BEST_GOAL.worstAim),
    ratioGoal(
      `${BEST["without lookahead"]} of those measured elsewhere`,
      plain,
      geometricMean(elsewhere),
      CAUSAL_GOAL.geomean,
      CAUSAL_GOAL.geomeanAim,
    ),
    strongerGoal(BEST["without lookahead"], plain, geometricMean(causal), CAUSAL_GOAL.geomean),
    ratioGoal(
      `${BEST["without lookahead"]} of those measured elsewhere, worst cell`,
      plain,
      Math.min(...elsewhere),
      CAUSAL_GOAL.worst,
      CAUSAL_GOAL.worstAim,
    ),
    strongerGoal(`${BEST["without lookahead"]}, worst cell`, plain, Math.min(...causal), CAUSAL_GOAL.worst),
  ];
}

/** Quiet frames are not sent and have no bytes; with a byte for each of them the same must hold. */
function shortFrameGoals(cells: readonly Cell[], ours: OursChoice): BenchGoal[] {
  const sent = geometricMean(ratiosTo(cells, BEST.all, ours));
  const counted = geometricMean(cells.map((cell) => bestPeer(cell, "all").bits / countedOf(cell, ours)));
  return [
    ratioGoal(BEST.all, ours, sent, SHORT_GOAL.must, SHORT_GOAL.aim, ", as sent"),
    ratioGoal(BEST.all, ours, counted, SHORT_GOAL.must, SHORT_GOAL.aim, ", a byte for every quiet frame"),
  ];
}

function ratioGoal(peer: string, ours: OursChoice, measured: number, must: number, aim: number, how = ""): BenchGoal {
  return { what: `${tellRatio(peer, ours)}${how}`, measured, unit: "x", must: { atLeast: must }, aim };
}

/** A peer that is stronger than the one that the limit was set against. */
function strongerGoal(peer: string, ours: OursChoice, measured: number, limit: number): BenchGoal {
  const what = `${tellRatio(`${peer}`, ours)} (the limit was set against the row above)`;
  return { what, measured, unit: "x", aimedAt: { atLeast: limit } };
}

function tellRatio(peer: string, ours: OursChoice): string {
  return `${peer} / ours ${ours.variant}, frames of ${ours.frames}`;
}
