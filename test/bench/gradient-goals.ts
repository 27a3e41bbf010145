import type { BenchGoal } from "./bench.ts";
import type { MethodFigures } from "./gradient-report.ts";

/** Loss at a ratio that was promised, %: what it must be below, or what is aimed at. */
const PROMISES = [
  { mode: "synchronous", ratio: 15, must: 2 },
  { mode: "synchronous", ratio: 45, must: 5 },
  { mode: "synchronous", ratio: 50, aim: 1 },
  { mode: "synchronous", ratio: 100, aim: 2 },
  { mode: "local steps", ratio: 100, must: 3 },
  { mode: "local steps", ratio: 1000, aim: 1 },
] as const;

/**
 * What was promised, beside what was measured: of methods with at least a ratio, rounded to a whole number, the one that
 * loses least. What is promised beside float32 is aimed at beside its best row.
 *
 * @param best  name of the best row of float32
 */
export function goalsOf(methods: readonly MethodFigures[], best: string, seeds: number): BenchGoal[] {
  const promised = PROMISES.flatMap(({ mode, ratio, ...limits }): BenchGoal[] => {
    const least = leastLoss(methods.filter((method) => method.mode === mode && Math.round(method.ratio) >= ratio));
    const about = { unit: "%", cells: { measured: least?.seeds.length ?? 0, of: seeds } };
    const limit = { below: "must" in limits ? limits.must : limits.aim };
    return [
      {
        what: `loss above float32's, ${mode}, at ${ratio}x or more`,
        ...{ measured: least?.degradation ?? Number.NaN, ...about },
        ...("must" in limits ? { must: limit } : { aimedAt: limit }),
      },
      {
        what: `loss above that of ${best}, ${mode}, at ${ratio}x or more`,
        ...{ measured: least?.aboveBest ?? Number.NaN, ...about, aimedAt: limit },
      },
    ];
  });
  return [...promised, ...peersByRank(methods).map((rows) => besidePeer(rows, methods, seeds))];
}

/** Rows of a peer that differ in their momentum alone. */
function peersByRank(methods: readonly MethodFigures[]): MethodFigures[][] {
  const peers = methods.filter(({ mode }) => mode === "peer");
  return [...Map.groupBy(peers, ({ name }) => name.replace(/ beta1 .*$/, "")).values()];
}

/** Ours at no more bytes than the peer's better row, and what its loss is above that, over the seeds that both have. */
function besidePeer(rows: readonly MethodFigures[], methods: readonly MethodFigures[], seeds: number): BenchGoal {
  // Its better row counts even where only some seeds were measured: the goal then says so, and is missed.
  const peer = rows.toSorted((a, b) => a.degradation - b.degradation)[0];
  const able = methods.filter(({ mode, ratio }) => mode === "synchronous" && ratio >= (peer?.ratio ?? Number.NaN));
  const own = leastLoss(able);
  return {
    what: `loss beside ${peer?.name} at ${peer?.ratio.toFixed(0)}x: ours at ${own?.ratio.toFixed(0) ?? "no"}x`,
    ...{ ...lossBeside(own, peer, seeds), unit: "%", must: { atMost: 0 } },
  };
}

/** What the loss of a row is above another's, %, over the seeds that both have. */
export function lossBeside(
  own: MethodFigures | undefined,
  other: MethodFigures | undefined,
  seeds: number,
): Pick<BenchGoal, "measured" | "cells"> {
  const losses = (own?.seeds ?? []).flatMap(({ seed, valLoss }) => {
    const theirs = other?.seeds.find((each) => each.seed === seed);
    return theirs === undefined ? [] : [{ ours: valLoss, theirs: theirs.valLoss }];
  });
  const sum = (side: "ours" | "theirs") => losses.reduce((total, each) => total + each[side], 0);
  return {
    measured: 100 * (sum("ours") / sum("theirs") - 1),
    cells: { measured: losses.length, of: seeds },
  };
}

/** Of rows with the most seeds the one that loses least, beside float32 with the same seeds. */
function leastLoss(rows: readonly MethodFigures[]): MethodFigures | undefined {
  const most = Math.max(...rows.map(({ seeds }) => seeds.length));
  const whole = rows.filter(({ seeds }) => seeds.length === most);
  return whole.toSorted((a, b) => a.degradation - b.degradation)[0];
}
