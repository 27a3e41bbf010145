import type { BenchGoal } from "./bench.ts";
import type { MethodFigures } from "./gradient-report.ts";

/** Loss at a ratio that was promised, and what was aimed at. */
const PROMISES = [
  { mode: "synchronous", ratio: 15, must: 2 },
  { mode: "synchronous", ratio: 45, must: 5, aim: 1 },
  { mode: "synchronous", ratio: 95, aim: 2 },
  { mode: "local steps", ratio: 100, must: 3 },
  { mode: "local steps", ratio: 950, aim: 1 },
] as const;

/** What was promised, beside what was measured: of methods with at least a ratio the one that loses least. */
export function goalsOf(methods: readonly MethodFigures[], seeds: number): BenchGoal[] {
  const promised = PROMISES.map(({ mode, ratio, ...limits }): BenchGoal => {
    const able = methods.filter((method) => method.mode === mode && method.ratio >= ratio);
    const best = able.toSorted((a, b) => a.degradation - b.degradation)[0];
    return {
      what: `loss above float32's, ${mode}, at ${ratio}x or more`,
      measured: best?.degradation ?? Number.NaN,
      unit: "%",
      ...("must" in limits ? { must: { below: limits.must } } : { aimedAt: { below: limits.aim } }),
      ...("aim" in limits && "must" in limits ? { aim: limits.aim } : {}),
      cells: { measured: best?.degradations.length ?? 0, of: seeds },
    };
  });
  return [...promised, ...methods.filter(({ mode }) => mode === "peer").map((peer) => besidePeer(peer, methods))];
}

/** Ours at no more bytes than the peer's, and what its loss is above the peer's. */
function besidePeer(peer: MethodFigures, methods: readonly MethodFigures[]): BenchGoal {
  const able = methods.filter(({ mode, ratio }) => mode === "synchronous" && ratio >= peer.ratio);
  const best = able.toSorted((a, b) => a.degradation - b.degradation)[0];
  return {
    what: `loss beside ${peer.name} at ${peer.ratio.toFixed(0)}x: ours at ${best?.ratio.toFixed(0) ?? "no"}x`,
    measured: 100 * ((best?.valLoss ?? Number.NaN) / peer.valLoss - 1),
    unit: "%",
    must: { atMost: 0 },
  };
}
