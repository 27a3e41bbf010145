import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { TypedGuide } from "./typed-guide.ts";

/** Reached only when something is broken: a dozen commands, one after the other, on a busy machine too. */
const LIMIT_MS = 400_000;
const LISTENING = /"mqtt":"mqtt:\/\/[\d.]+:(\d+)".*"http":"http:\/\/localhost:(\d+)"/;

/** Do something with a guide, and leave nothing of it behind. */
async function typed(name: string, work: (guide: TypedGuide) => Promise<void>): Promise<void> {
  const guide = new TypedGuide(name);
  try {
    await work(guide);
  } finally {
    await guide.close();
  }
}

/** A node at free ports, and a guide's lines with these ports in them. */
async function served(guide: TypedGuide) {
  const node = guide.open("npx lockstep serve --mqtt-port 0 --http 0");
  const [, mqtt = "", http = ""] = await node.said(LISTENING);
  const at = (line: string) => line.replaceAll("localhost:1883", `localhost:${mqtt}`).replaceAll(":8080", `:${http}`);
  return { node, at, again: `npx lockstep serve --mqtt-port ${mqtt} --http ${http}` };
}

describe("pages of use cases do what they say, line by line", { timeout: LIMIT_MS }, () => {
  test("sync a twin: the node goes away, comes back, and nothing is lost", async () => {
    await typed("twins", async (guide) => {
      const [serve, sim = "", twin = "", again, take = "", gaps = ""] = guide.lines;
      expect([serve, again, guide.lines.length]).toEqual(["npx lockstep serve", "npx lockstep serve", 6]);
      const first = await served(guide);
      const rotor = guide.open(first.at(sim).replace("--duration 60", "--duration 8"));
      await first.node.said(/"msg":"born"/);
      const twinNow = await vi.waitUntil(async () => {
        const answer = JSON.parse(await guide.type(first.at(twin))) as { channels: readonly { state: string }[] };
        return answer.channels.some(({ state }) => state === "extrapolated") && answer;
      }, 20_000);
      expect(twinNow.channels).toHaveLength(6);
      await first.node.interrupt();
      await rotor.said(/trying again/);
      const second = guide.open(first.again);
      const said = await rotor.ended();
      const [, taken, confirmed] = /^(\d+) samples taken, (\d+) confirmed;/m.exec(said) ?? [];
      expect(confirmed, said).toBe(taken);
      expect(said).toContain(`stored of 1 devices: ${taken} samples, 0 confirmed and lost, 0 invented; largest error `);
      expect(JSON.parse(await guide.type(first.at(gaps)))).toMatchObject({ lostSamples: 0, pendingGaps: 0 });
      await second.interrupt();
      await guide.type(take);
      const rows = readFileSync(join(guide.folder, "rotor.csv"), "utf8").trimEnd().split("\n");
      expect(rows.length).toBe(Number(taken) + 1);
      // What the page shows is what is printed, but for the numbers.
      const pattern = (text: string) => text.replace(/[\d.]+/g, "N");
      const [shown = ""] = guide.blocks("").slice(-1);
      expect(shown.trimEnd().split("\n").map(pattern)).toEqual(
        said
          .split("\n")
          .filter((line) => /^\d+ samples|^stored of/.test(line))
          .map(pattern),
      );
    });
  });

  test("run a simulation: devices at a node, and a scenario of one's own whose promises hold", async () => {
    await typed("simulation", async (guide) => {
      const { at } = await served(guide);
      const devices = guide.lines.filter((line) => line.includes("--to"));
      expect(devices.length).toBe(3);
      for (const line of devices) {
        expect(await guide.type(at(line).replace("--duration 5", "--duration 2"))).toMatch(
          /^\d+ samples taken, \d+ confirmed;/m,
        );
      }
      const [run = ""] = guide.lines.filter((line) => line.includes("pump.yaml"));
      const checks = (text: string) =>
        [...text.matchAll(/^(held|BROKEN) +([^:]+):/gm)].map(([, is, name]) => [is, name]);
      const shown = guide.blocks("").find((block) => block.startsWith("held")) ?? "";
      expect(checks(shown).length).toBe(6);
      expect(checks(await guide.type(run))).toEqual(checks(shown));
    });
  });

  test("compress recordings: one file, files as jobs, and a device's past", async () => {
    await typed("batch-compression", async (guide) => {
      const worker = guide.open(guide.lines.find((line) => line.includes("lockstep worker")) ?? "");
      await worker.said(/"msg":"working"/);
      await recordPast(guide);
      const told = new Map<string, string>();
      for (const line of guide.lines) if (!line.includes("lockstep worker")) told.set(line, await guide.type(line));
      const of = (words: string) => [...told].find(([line]) => line.includes(words))?.[1] ?? "";
      const [shown = ""] = guide.blocks("");
      const withoutTime = (text: string) => text.replace(/in [\d.]+ s\n$/, "");
      expect(withoutTime(of("encode pump-1"))).toBe(withoutTime(shown));
      const pressures = (file: string) =>
        readFileSync(join(guide.folder, file), "utf8")
          .trimEnd()
          .split("\n")
          .slice(1)
          .map((row) => Number(row.split(",")[1]));
      const decoded = pressures("back.csv");
      const largest = Math.max(...pressures("pump-1.csv").map((value, i) => Math.abs(value - (decoded[i] ?? NaN))));
      expect(largest).toBeLessThanOrEqual(0.01 + 1e-12);
      expect(JSON.parse(of("decode pump-1.lst --json"))).toMatchObject({ samples: 20_000 });
      for (const words of ["submit telemetry pump-1", "submit telemetry pump-2", "submit telemetry plant.db"]) {
        expect(of(words)).toMatch(/^state +done/m);
      }
      expect(JSON.parse(of("results/pump-2.csv.lst --json"))).toMatchObject({ samples: 20_000 });
      expect(existsSync(join(guide.folder, "results/pump-1.csv.lst"))).toBe(true);
      await worker.interrupt();
    });
  });
});

/** What the guide takes for granted: the store of a node at which a device was. */
async function recordPast(guide: TypedGuide): Promise<void> {
  const node = guide.open("npx lockstep serve --mqtt-port 0 --http 0 --no-jobs --store plant.db");
  const [, mqtt] = await node.said(LISTENING);
  await guide.type(`npx lockstep sim recorded imu --rel 0.01 --id press-1 --duration 1 --to mqtt://localhost:${mqtt}`);
  await node.interrupt();
}
