import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { POWER_FAILS_EACH, POWER_FAILS_ONCE } from "../end-to-end/updatable-made.ts";
import { type PowerRun, updateThroughCuts } from "../faults/firmware-power.ts";
import { FACTORY_VERSION, type PowerCase, powerCases } from "../faults/power-packages.ts";
import type { BenchOptions, BenchReport } from "./bench.ts";

/** What became of the runs of one kind. */
interface PowerTally {
  readonly what: string;
  runs: number;
  cuts: number;
  boots: number;
  violations: number;
  updated: number;
}

/** No cut comes so late: it never does. */
const NOT_AT_ALL = 0x7fff_ffff;

/**
 * Power cut at every operation of whole updates of an emulated board: in one run each place once, one boot after the other; and
 * then, in a run for each operation, once.
 *
 * @param cases  operations that are cut alone, of each form, evenly spread; all of them if not given
 */
export async function benchUpdatePower({ cases }: BenchOptions): Promise<BenchReport> {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-update-power-"));
  const tallies: PowerTally[] = [];
  try {
    for (const [form, of] of Object.entries(await powerCases(folder))) {
      tallies.push(await cutAtEach(form, of, folder), await cutAlone(form, of, folder, cases));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return report(tallies);
}

async function cutAtEach(form: string, { rig, update }: PowerCase, folder: string): Promise<PowerTally> {
  const tally = emptyTally(`${form}: each place once, one after the other`);
  add(
    tally,
    await updateThroughCuts(rig, join(folder, "each.bin"), update, { mode: POWER_FAILS_EACH, cutAt: 1, chance: 1 }),
  );
  return tally;
}

async function cutAlone(form: string, of: PowerCase, folder: string, cases?: number): Promise<PowerTally> {
  const tally = emptyTally(`${form}: one operation in each run`);
  const flash = join(folder, "once.bin");
  const plan = { mode: POWER_FAILS_ONCE, chance: 1 };
  const whole = await updateThroughCuts(of.rig, flash, of.update, { ...plan, cutAt: NOT_AT_ALL });
  const operations = NOT_AT_ALL - whole.control.cutAt;
  const step = Math.max(1, Math.floor(operations / (cases ?? operations)));
  for (let cutAt = 0; cutAt < operations; cutAt += step) {
    add(tally, await updateThroughCuts(of.rig, flash, of.update, { ...plan, cutAt, chance: 1 + cutAt }));
    if (tally.runs % 20 === 0) process.stderr.write(`update-power: ${form}, ${cutAt + 1} of ${operations}\n`);
  }
  return tally;
}

function emptyTally(what: string): PowerTally {
  return { what, runs: 0, cuts: 0, boots: 0, violations: 0, updated: 0 };
}

function add(tally: PowerTally, { control, boots, runningVersion }: PowerRun): void {
  tally.runs += 1;
  tally.cuts += control.cuts;
  tally.boots += boots;
  tally.violations += control.violations;
  if (runningVersion === FACTORY_VERSION + 1) tally.updated += 1;
}

function report(tallies: readonly PowerTally[]): BenchReport {
  return {
    title: "Power that fails while an emulated board is updated",
    goals: tallies.flatMap(({ what, runs, updated, violations }) => [
      {
        what: `${what}: updates that came to their end`,
        measured: (100 * updated) / runs,
        unit: "%",
        must: { atLeast: 100 },
      },
      { what: `${what}: rules of flash broken`, measured: violations, unit: "times", must: { atMost: 0 } },
    ]),
    columns: ["what is cut", "runs", "cuts", "boots that spoke", "updates at their end", "rules of flash broken"],
    rows: tallies.map(({ what, runs, cuts, boots, updated, violations }) => [
      what,
      runs,
      cuts,
      boots,
      updated,
      violations,
    ]),
    notes: [
      "firmware-examples/rotor-updatable on mps2-an386 under QEMU: its flash is a model (`board-support/boards/model-flash.c`) that leaves a unit half programmed or a sector half erased, forgets what a restart would have kept, and resets the board. An operation is a call that erases a sector or programs up to 256 bytes.",
      "A run ends when the new module or image runs and is confirmed. Where three boots of what is tried were cut before it was heard, it went back as it should, and was sent again.",
    ],
    json: { tallies },
  };
}
