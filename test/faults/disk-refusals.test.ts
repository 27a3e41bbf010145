import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { ScriptProcess } from "./child-process.ts";
import { expectNothingLost, expectTwinsInStep } from "./kill-expectations.ts";
import { describeSeries, runSeries } from "./kill-series.ts";
import type { NodeHostOrder, NodeHostReply, NodeHostRequest } from "./messages.ts";
import { buildDiskJournal } from "./power/disk-journal.ts";
import { SEED, seededFor } from "./seed.ts";

/** How long the disk is out of order each time: several tries of a commit. */
const TROUBLE_MS = 700;
const ROUNDS = 2;

interface Trouble {
  readonly what: string;
  /** Operations that fail, as disk-journal.c names them, and the number of their error. */
  readonly order: string;
}

const TROUBLES: readonly Trouble[] = [
  { what: "has no room", order: "WT 28" },
  { what: "can only be read", order: "WTCUR 30" },
  { what: "fails when it is told to keep what it was given", order: "S 5" },
];

requires("c-compiler", "mosquitto")("a disk that is out of order for a while", () => {
  let folder: string;
  let library: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "lockstep-refusals-"));
    library = buildDiskJournal(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const refusing = (store: string, refuses: string): NodeJS.ProcessEnv => ({
    ...process.env,
    LD_PRELOAD: library,
    DISK_FOLDER: store,
    DISK_JOURNAL: "/dev/null",
    DISK_REFUSES: refuses,
  });

  test.for(TROUBLES)("because it $what loses nothing that was confirmed, and no twin its place", async (trouble) => {
    const random = seededFor(trouble.what);
    const refuses = join(folder, "refuses");
    const counted: number[] = [];
    const nodeEnvironment = (store: string) => refusing(store, refuses);
    const series = await runSeries("node", { seed: SEED, random, nodeEnvironment }, async (rig) => {
      for (let round = 0; round < ROUNDS; round += 1) {
        if (round === 1) await rig.restartNode();
        writeFileSync(refuses, trouble.order);
        await new Promise((resolve) => setTimeout(resolve, TROUBLE_MS * (0.5 + random.uniform())));
        counted.push(failedCommits(await rig.counters()));
        rmSync(refuses);
      }
      return [];
    });
    process.stdout.write(`${trouble.what}: ${describeSeries(series)}; failed commits ${counted}\n`);
    expect(counted.every((count) => count > 0)).toBe(true);
    expectNothingLost(series);
    expectTwinsInStep(series);
  });

  test("keeps a node from starting, which says why and leaves the store as it is", async () => {
    const place = mkdtempSync(join(tmpdir(), "lockstep-read-only-"));
    const refuses = join(folder, "refuses at the start");
    const order: NodeHostOrder = {
      storeFile: join(place, "store.db"),
      broker: { kind: "embedded", port: 0, host: "127.0.0.1" },
      tcpPort: 0,
      lateCommitMs: 0,
    };
    const start = () =>
      new ScriptProcess<NodeHostRequest, NodeHostReply>("node-host.ts", order, refusing(place, refuses));
    const first = start();
    await first.reply("ready");
    await first.kill();
    const before = readFileSync(order.storeFile);
    writeFileSync(refuses, "WTCUR 30");
    await expect(start().reply("ready")).rejects.toThrow(/store: .*store\.db/);
    rmSync(refuses);
    expect(readFileSync(order.storeFile).equals(before)).toBe(true);
    const last = start();
    await last.reply("ready");
    await last.kill();
    rmSync(place, { recursive: true });
  });
});

function failedCommits(counters: Readonly<Record<string, number>>): number {
  return Object.entries(counters).reduce((sum, [name, count]) => sum + (name.startsWith("store.") ? count : 0), 0);
}
