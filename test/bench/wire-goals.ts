import type { BenchGoal } from "./bench.ts";
import { HALF_SECONDS, RATE_HZ } from "./rotor-session.ts";
import { choose, type WireCell } from "./wire-cells.ts";
import { BATCHED, EACH } from "./wire-plans.ts";
import type { WireRun } from "./wire-run.ts";

/** The rotor's parts, by name. */
export const COLD = `first ${HALF_SECONDS} s`;
export const STEADY = `next ${HALF_SECONDS} s`;

/** Frames of 1 s, from a run without a network: the median over six seeds. */
export function payloadGoals(cold: number, steady: number): BenchGoal[] {
  return [
    { what: `payload, frames of 1 s, ${COLD}`, measured: cold, unit: "x", must: { atLeast: 292 }, aim: 500 },
    { what: `payload, frames of 1 s, ${STEADY}`, measured: steady, unit: "x", must: { atLeast: 533 }, aim: 900 },
  ];
}

const IP_GOALS = [
  { seconds: 5, acks: EACH.name, must: { atLeast: 60 }, aim: 73 },
  { seconds: 5, acks: BATCHED.name, must: { atLeast: 95 }, aim: 107 },
  { seconds: 10, acks: BATCHED.name, must: { atLeast: 150 }, aim: 190 },
] as const;

/** Captured at true real time. */
export function ipGoals(cells: readonly WireCell[]): BenchGoal[] {
  return IP_GOALS.flatMap(({ seconds, acks, must, aim }) =>
    [COLD, STEADY].map((part) => {
      const choice = { signal: "rotor", link: "MQTT", frameSamples: seconds * RATE_HZ, acks, part, speed: 1 } as const;
      const [cell] = choose(cells, choice);
      return {
        what: `IP up-link, frames of ${seconds} s, acknowledgements ${acks}, ${part}`,
        measured: cell === undefined ? Number.NaN : cell.rawBytes / cell.ipBytesUp,
        unit: "x",
        must,
        aim,
      };
    }),
  );
}

/** What the stores of all runs hold, read back. */
export function storeGoals(runs: readonly { readonly run: WireRun; readonly seconds: number }[]): BenchGoal[] {
  const errors = runs.flatMap(({ run }) => run.errors);
  const rotor = errors.filter(({ plan }) => plan.source === "rotor");
  const shares = runs.flatMap(({ run, seconds }) => run.errors.map(({ samples }) => samples / (seconds * RATE_HZ)));
  return [
    {
      what: "RMS error of the rotor, pooled, worst device",
      measured: 100 * Math.max(...rotor.map(({ rmsErrorPooled }) => rmsErrorPooled)),
      unit: "%",
      must: { below: 5 },
    },
    {
      what: "largest error / eps, worst device",
      measured: Math.max(...errors.map(({ maxErrorOverEps }) => maxErrorOverEps)),
      unit: "",
      must: { atMost: 1 },
    },
    {
      what: `samples in the reopened store, least of ${errors.length} devices`,
      measured: 100 * Math.min(...shares),
      unit: "%",
      must: { atLeast: 100 },
    },
  ];
}
