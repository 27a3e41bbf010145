import { performance } from "node:perf_hooks";
import { calibrate, checkRunConfig, maskText, TopologyMask } from "@lockstep/cloud-node/lab";
import type { BenchGoal } from "./bench.ts";
import { lossBeside } from "./gradient-goals.ts";
import type { MethodFigures } from "./gradient-report.ts";
import { cpuSeconds, WORKERS } from "./gradient-runs.ts";

/** nanoGPT's CPU recipe, a little wider: 1.0 M parameters. */
const MODEL = { layers: 4, heads: 4, width: 144, context: 64 };
const STEPS = 20;
const SHARE = 0.3;
const REPEATS = 5;
/** Loss that a mask may cost beside the same bytes without one, %. */
const MOST_FURTHER = 1;

/** What a mask takes before a training: measured gradients, and the choice among them. */
export async function maskTimes(text: string): Promise<BenchGoal[]> {
  const config = checkRunConfig({ model: MODEL, data: { rows: 12 } });
  const begun = cpuSeconds();
  const variances = (await calibrate({ config, text, workers: WORKERS, steps: STEPS })) ?? [];
  const calibrated = cpuSeconds() - begun;
  let chosenMs = Number.POSITIVE_INFINITY;
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    const from = performance.now();
    maskText(TopologyMask.ofShare(variances, SHARE));
    chosenMs = Math.min(chosenMs, performance.now() - from);
  }
  const numbers = variances.reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
  return [
    {
      what: `calibration over ${STEPS} steps, ${(numbers / 1e6).toFixed(2)} M parameters, CPU time`,
      ...{ measured: calibrated, unit: "s", must: { below: 5 } },
    },
    { what: "mask from a calibration", measured: chosenMs, unit: "ms", must: { below: 100 } },
  ];
}

/** What a mask costs beside the same method with the same bytes and none. */
export function maskEffect(methods: readonly MethodFigures[], seeds: number): BenchGoal[] {
  return methods.flatMap((masked): BenchGoal[] => {
    const plain = methods.find(({ name }) => masked.mode === "masked" && masked.name.startsWith(`${name} mask`));
    if (plain === undefined) return [];
    return [
      {
        what: `further loss of ${masked.name}, ${masked.ratio.toFixed(1)}x, beside ${plain.name}, ${plain.ratio.toFixed(1)}x`,
        ...{ ...lossBeside(masked, plain, seeds), unit: "%", aimedAt: { below: MOST_FURTHER } },
      },
    ];
  });
}
