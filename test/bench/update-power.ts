import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { POWER_FAILS_EACH, POWER_FAILS_ONCE } from "../end-to-end/updatable-made.ts";
import { type PowerRun, updateThroughCuts, updateThroughKill } from "../faults/firmware-power.ts";
import { FACTORY_VERSION, type PowerCase, powerCases } from "../faults/power-packages.ts";
import type { BenchOptions, BenchReport } from "./bench.ts";

/** What is cut: each place of one run, one operation in each run, or one message in each run. */
const KINDS = ["places", "operation", "message"] as const;
type Kind = (typeof KINDS)[number];

/** What became of the runs of one kind and form. */
interface PowerTally {
  readonly form: string;
  readonly kind: Kind;
  /** Runs that there are. */
  readonly of: number;
  /** Which of them were made. */
  readonly done: number[];
  cuts: number;
  boots: number;
  violations: number;
  updated: number;
  readonly faults: string[];
}

/** What was done so far, kept after each run: a bench that was stopped goes on there. */
interface PowerState {
  /** Of everything that runs: other firmware begins anew. */
  readonly made: string;
  readonly tallies: PowerTally[];
}

/** No cut comes so late: it never does. */
const NOT_AT_ALL = 0x7fff_ffff;
const STATE_FILE = fileURLToPath(new URL("../../.lockstep/update-power.json", import.meta.url));
/** Boards at once: most of the time each waits for its line. */
const LANES = 3;

/**
 * Power cut at every operation and at every message of whole updates of an emulated board: in one run each place once, one boot
 * after the other; and then, in a run for each operation and for each message, once.
 *
 * @param cases  runs of each form and kind, those of earlier benches among them; all of them if not given
 */
export async function benchUpdatePower({ cases }: BenchOptions): Promise<BenchReport> {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-update-power-"));
  try {
    const forms = await powerCases(folder);
    const state = await startState(forms, folder);
    const wanted = state.tallies.flatMap((tally) =>
      evenly(tally.of)
        .slice(0, cases ?? tally.of)
        .filter((at) => !tally.done.includes(at))
        .map((at) => ({ tally, at })),
    );
    let begun = 0;
    const lane = async (n: number) => {
      for (let next = wanted[begun++]; next !== undefined; next = wanted[begun++]) {
        const { tally, at } = next;
        await runOne(tally, at, forms[tally.form === "module" ? "module" : "image"], join(folder, `lane-${n}.bin`));
        keepState(state);
        if (begun % 10 === 0) process.stderr.write(`update-power: ${begun} of ${wanted.length}\n`);
      }
    };
    await Promise.all(Array.from({ length: LANES }, (_, n) => lane(n)));
    return report(state.tallies);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What was kept, or what there is to do, as an update without a cut says. */
async function startState(forms: Record<string, PowerCase>, folder: string): Promise<PowerState> {
  const hash = createHash("sha256");
  for (const { rig, update } of Object.values(forms)) hash.update(readFileSync(rig.elf)).update(update.body);
  const made = hash.digest("hex");
  const kept = existsSync(STATE_FILE) ? (JSON.parse(readFileSync(STATE_FILE, "utf8")) as PowerState) : undefined;
  if (kept?.made === made) return kept;
  const tallies: PowerTally[] = [];
  for (const [form, { rig, update }] of Object.entries(forms)) {
    const plan = { mode: POWER_FAILS_ONCE, cutAt: NOT_AT_ALL, chance: 1 };
    const { control, messages } = await updateThroughCuts(rig, join(folder, "whole.bin"), update, plan);
    const counts = { places: 1, operation: NOT_AT_ALL - control.cutAt, message: messages };
    for (const kind of KINDS) {
      tallies.push({
        form,
        kind,
        of: counts[kind],
        done: [],
        cuts: 0,
        boots: 0,
        violations: 0,
        updated: 0,
        faults: [],
      });
    }
  }
  return { made, tallies };
}

function keepState(state: PowerState): void {
  writeFileSync(`${STATE_FILE}.new`, JSON.stringify(state));
  renameSync(`${STATE_FILE}.new`, STATE_FILE);
}

/** The numbers below `count` in an order of which every beginning is spread evenly. */
function evenly(count: number): number[] {
  const bits = Math.ceil(Math.log2(Math.max(2, count)));
  const reversed = (i: number) => Number.parseInt([...i.toString(2).padStart(bits, "0")].reverse().join(""), 2);
  return Array.from({ length: 2 ** bits }, (_, i) => reversed(i)).filter((i) => i < count);
}

async function runOne(tally: PowerTally, at: number, of: PowerCase, flash: string): Promise<void> {
  const { form, kind } = tally;
  try {
    const { control, kills, boots, runningVersion } = await cutRun(kind, at, of, flash);
    tally.cuts += control.cuts + kills;
    tally.boots += boots;
    tally.violations += control.violations;
    if (runningVersion === FACTORY_VERSION + 1) tally.updated += 1;
  } catch (error) {
    tally.faults.push(`${form}, ${kind} ${at}: ${String(error)}`);
    process.stderr.write(`update-power: ${form}, ${kind} ${at}: ${String(error)}\n`);
  }
  tally.done.push(at);
}

async function cutRun(kind: Kind, at: number, { rig, update }: PowerCase, flash: string): Promise<PowerRun> {
  if (kind === "message") return await updateThroughKill(rig, flash, update, 1 + at);
  const plan =
    kind === "places"
      ? { mode: POWER_FAILS_EACH, cutAt: 1, chance: 1 }
      : { mode: POWER_FAILS_ONCE, cutAt: at, chance: 1 + at };
  return await updateThroughCuts(rig, flash, update, plan);
}

const WHAT: Readonly<Record<Kind, string>> = {
  places: "each place once, one after the other",
  operation: "one operation in each run",
  message: "one message in each run",
};

function report(tallies: readonly PowerTally[]): BenchReport {
  const named = tallies.map((tally) => ({
    ...tally,
    what: `${tally.form}: ${WHAT[tally.kind]}`,
    runs: tally.done.length,
  }));
  return {
    title: "Power that fails while an emulated board is updated",
    goals: named.flatMap(({ what, runs, updated, violations }) => [
      {
        what: `${what}: updates that came to their end`,
        measured: (100 * updated) / runs,
        unit: "%",
        must: { atLeast: 100 },
      },
      { what: `${what}: rules of flash broken`, measured: violations, unit: "times", must: { atMost: 0 } },
    ]),
    columns: [
      "what is cut",
      "runs",
      "that there are",
      "cuts",
      "boots that spoke",
      "at their end",
      "rules of flash broken",
    ],
    rows: named.map(({ what, runs, of, cuts, boots, updated, violations }) => [
      what,
      runs,
      of,
      cuts,
      boots,
      updated,
      violations,
    ]),
    notes: [
      "firmware-examples/rotor-updatable on mps2-an386 under QEMU: its flash is a model (`board-support/boards/model-flash.c`) that leaves a unit half programmed or a sector half erased, forgets what a restart would have kept, and resets the board. An operation is a call that erases a sector or programs up to 256 bytes. At a message, of either direction, QEMU is killed: what was on its way is lost.",
      "A run ends when the new module or image runs and is confirmed. Where three boots of what is tried were cut before it was heard, it went back as it should, and was sent again.",
      "Runs are spread evenly however many were made; a bench that was stopped goes on where it was (`.lockstep/update-power.json`, which other firmware begins anew). Exhaustively the same machine is cut on a simulated flash in `test/faults/update-power.test.ts`: at every operation in three ways, and at every message before and after it arrives.",
      ...named.flatMap(({ faults }) => faults),
    ],
    json: { tallies: named },
  };
}
