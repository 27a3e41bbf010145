import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "@lockstep/sim";
import { POWER_LOSSES, type PowerLoss } from "../faults/power/disk-image.ts";
import { checkCut, readDigests } from "../faults/power/power-check.ts";
import { allCuts, cutDisks, recordRun, someCuts } from "../faults/power/power-run.ts";
import { SEED } from "../faults/seed.ts";
import type { Bench } from "./bench.ts";

const ROUNDS = 8;
/** What a cut leaves to chance is tried with each. */
const CHANCES = [SEED, SEED + 1];
/** Every third cut is followed by a boot of the devices, with the rings that they are left with. */
const GOING_ON = 3;
const TOLD_CUTS = 500;

const WORDS: Readonly<Record<PowerLoss, string>> = {
  all: "nothing, as with kill -9",
  none: "all of it",
  some: "each operation or not",
  torn: "each sector of 512 bytes or not",
};

interface Tally {
  cuts: number;
  boots: number;
  confirmed: number;
  lost: number;
  problems: number;
  readonly openMs: number[];
}

/** A node's store, and its devices' rings, after a power cut behind every operation that they had asked the disk for. */
export const benchPowerLoss: Bench = async ({ cases }) => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-power-run-"));
  const tallies = new Map<PowerLoss, Tally>(
    POWER_LOSSES.map((loss) => [loss, { cuts: 0, boots: 0, confirmed: 0, lost: 0, problems: 0, openMs: [] }]),
  );
  try {
    const run = await recordRun(folder, { seed: SEED, rounds: ROUNDS });
    const uncut = readDigests(join(run.folder, "store.db"));
    const all = allCuts(run, CHANCES);
    const cuts = someCuts(all, cases ?? all.length, seededRandom(SEED));
    let done = 0;
    for (const cut of cutDisks(run, cuts)) {
      const goesOn = done % GOING_ON === 0;
      done += 1;
      const verdict = await checkCut(cut, { seed: SEED, uncut, goesOn });
      const tally = tallies.get(cut.loss);
      if (tally === undefined) continue;
      tally.cuts += 1;
      tally.boots += goesOn ? 1 : 0;
      tally.confirmed += verdict.confirmedFrames;
      tally.lost += verdict.lostFrames;
      tally.problems += verdict.problems.length;
      tally.openMs.push(verdict.openMs);
      for (const problem of verdict.problems) {
        process.stderr.write(`after ${cut.after}, ${cut.loss}, seed ${cut.seed}: ${problem}\n`);
      }
      if (done % TOLD_CUTS === 0) process.stderr.write(`${done} of ${cuts.length}\n`);
    }
    const every = [...tallies.values()];
    const sum = (of: (tally: Tally) => number) => every.reduce((total, tally) => total + of(tally), 0);
    const syncs = run.operations.filter(({ kind }) => kind === "synced").length;
    return {
      title: "Power cuts",
      columns: [
        "lost of what was not synchronized",
        "cuts",
        "of these with devices booted",
        "frames confirmed before",
        "of these lost",
        "anything else wrong",
        "to open the store, median ms",
        "longest ms",
      ],
      rows: [...tallies].map(([loss, tally]) => {
        const sorted = tally.openMs.toSorted((a, b) => a - b);
        const [median = Number.NaN, longest = Number.NaN] = [sorted[sorted.length >> 1], sorted.at(-1)];
        const { boots, confirmed, lost, problems } = tally;
        return [WORDS[loss], tally.cuts, boots, confirmed, lost, problems, Math.round(median), Math.round(longest)];
      }),
      goals: [
        { what: "confirmed frames lost", measured: sum(({ lost }) => lost), unit: "frames", must: { atMost: 0 } },
        {
          what: "anything wrong after a cut",
          measured: sum(({ problems }) => problems),
          unit: "",
          must: { atMost: 0 },
        },
      ],
      notes: [
        `One run of a node with two devices: ${run.operations.length} operations of the disk, ${syncs} of them synchronizations; a device and the node start again in between, and the log is moved into the file again and again. ${cuts.length} of ${all.length} cuts were looked at.`,
        "A cut comes before the first operation and behind each; where the outcome is left to chance, with two seeds. The same image twice in a row is looked at once.",
        "After each, the node's own code opens the store; every frame that had been confirmed must be there, every stored frame as it was in the run that was not cut, every twin where an uninterrupted decoder of the stored frames is, and SQLite's integrity check must pass. Where the devices are booted, every sample that had been in a synchronized ring must arrive as well.",
        "The disk of this model promises what POSIX does: bytes and lengths once their file was synchronized, names once their folder was. Where a file had grown, sectors that were not written may hold anything.",
        "A disk that only says that it synchronizes loses confirmed frames in the same test, which notices (`npm test -- power-loss`).",
      ],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
