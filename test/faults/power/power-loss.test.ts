import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requires } from "../../os-package.ts";
import { SEED, seededFor } from "../seed.ts";
import { Disk, POWER_LOSSES } from "./disk-image.ts";
import { checkCut, type FrameDigests, readDigests } from "./power-check.ts";
import { allCuts, cutDisks, type PowerRun, recordRun, someCuts } from "./power-run.ts";

/** Rounds of samples in each part of the run. */
const ROUNDS = 4;
/** Cuts that are looked at; `npm run bench -- power-loss` looks at every one. */
const CUTS = 100;
/** Of these, so many are followed by a boot of the devices. */
const GOING_ON = 4;
const LYING_CUTS = 12;

requires("c-compiler")("a power cut at any operation of the disk", () => {
  const random = seededFor("power loss");
  let folder: string;
  let run: PowerRun;
  let uncut: FrameDigests;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lockstep-power-run-"));
    run = await recordRun(folder, { seed: SEED, rounds: ROUNDS });
    // Whoever reads a store makes files beside it.
    const copy = join(folder, "copy.db");
    copyFileSync(join(run.folder, "store.db"), copy);
    uncut = readDigests(copy);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("is one of many: all that the node did to its files is known, down to the byte", () => {
    const disk = new Disk();
    for (const operation of run.operations) disk.apply(operation);
    const replayed = disk.lose("all", random);
    const real = readdirSync(run.folder).filter((name) => name !== "journal" && !name.endsWith("-shm"));
    expect([...replayed.keys()].sort()).toEqual(real.sort());
    for (const [path, bytes] of replayed) expect(bytes.equals(readFileSync(join(run.folder, path)))).toBe(true);
    expect(run.operations.length).toBeGreaterThan(300);
    const synced = run.operations.filter(({ kind }) => kind === "synced").map(({ path }) => path);
    expect(new Set(synced)).toEqual(
      new Set(["", "store.db", "store.db-journal", "store.db-wal", "unit.ring", "other.ring"]),
    );
  });

  test("loses nothing that was confirmed, alters nothing, and leaves twins as a reference has them", async () => {
    const cuts = someCuts(allCuts(run, [SEED]), CUTS, random);
    expect(new Set(cuts.map(({ loss }) => loss))).toEqual(new Set(POWER_LOSSES));
    let [confirmed, at] = [0, 0];
    const problems: string[] = [];
    for (const cut of cutDisks(run, cuts)) {
      at += 1;
      const verdict = await checkCut(cut, { seed: SEED, uncut, goesOn: at % GOING_ON === 0 });
      confirmed += verdict.confirmedFrames;
      problems.push(...verdict.problems.map((what) => `after ${cut.after}, ${cut.loss}: ${what}`));
    }
    expect(problems).toEqual([]);
    expect(at).toBe(CUTS);
    expect(confirmed).toBeGreaterThan(CUTS);
    process.stdout.write(`${at} power cuts of ${run.operations.length} operations, ${confirmed} confirmed frames\n`);
  });

  test("loses confirmed frames where a disk only says that it keeps them, which this suite notices", async () => {
    const late = allCuts(run, [SEED]).filter(({ after, loss }) => after > run.operations.length / 2 && loss !== "all");
    let lost = 0;
    for (const cut of cutDisks(run, someCuts(late, LYING_CUTS, random), false)) {
      const verdict = await checkCut(cut, { seed: SEED, uncut, goesOn: false });
      lost += verdict.lostFrames;
      expect(verdict.problems).not.toEqual([]);
    }
    expect(lost).toBeGreaterThan(0);
  });
});
