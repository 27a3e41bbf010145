import type { BenchGoal } from "./bench.ts";
import { heatshrinkGoals, type MeasuredHeatshrink } from "./firmware-heatshrink.ts";
import type { MeasuredFirmware } from "./firmware-tables.ts";

/** What the firmware is held to on the Cortex-M4; a budget test holds what is reached (`test/budgets/firmware.test.ts`). */
const FIRMWARE_LIMITS = {
  codecFlashBytes: { below: 10 * 1024, aim: 6 * 1024 },
  linkFlashBytes: { below: 14 * 1024, aim: 9 * 1024 },
  stateBytes: { below: 2048, aim: 1804 },
  ramBytes: { below: 3072, aim: 2560 },
  cycles: { below: 100_000, aim: 25_000 },
  worstOverMean: { atMost: 2, aim: 1.3 },
} as const;

/** The goals, all of them of the same build: `goalPlan` of the codec, and with the link. */
export function firmwareGoals(
  codec: MeasuredFirmware,
  link: MeasuredFirmware,
  heatshrinks: readonly MeasuredHeatshrink[],
): BenchGoal[] {
  const limits = FIRMWARE_LIMITS;
  const worstOverMean = ({ figures }: MeasuredFirmware) => figures.instructionsMax / figures.instructionsMean;
  const goal = (
    what: string,
    measured: number,
    unit: string,
    { aim, ...must }: { aim: number } & BenchGoal["must"],
  ): BenchGoal => ({ what: `Cortex-M4: ${what}`, measured, unit, must, aim });
  return [
    goal("flash of the codec", codec.figures.flashBytes, "B", limits.codecFlashBytes),
    goal("flash of codec, link and serial framing", link.figures.flashBytes, "B", limits.linkFlashBytes),
    goal("codec state, 6 channels", codec.figures.ram.state, "B", limits.stateBytes),
    goal("RAM of codec and stack", codec.figures.ramBytes, "B", limits.ramBytes),
    goal("RAM of everything but the ring", link.figures.ramBytes, "B", limits.ramBytes),
    goal("worst sample, codec, cycle bound", codec.worst.cycles, "cycles", limits.cycles),
    goal("worst sample, with link, cycle bound", link.worst.cycles, "cycles", limits.cycles),
    goal("worst / mean instructions, codec", worstOverMean(codec), "x", limits.worstOverMean),
    goal("worst / mean instructions, with link", worstOverMean(link), "x", limits.worstOverMean),
    ...heatshrinkGoals(codec.figures, heatshrinks),
  ];
}
