import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { packagesName, UpdateFiles } from "./update-files.ts";
import { queuedRecord, type RolloutRecord } from "./update-record.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-updates-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

const files = () => new UpdateFiles(join(folder, "store.db"));
const BYTES = new TextEncoder().encode("a package");

function rollout(n: number, state: RolloutRecord["state"], packages = packagesName(BYTES)): RolloutRecord {
  const id = n.toString(16).padStart(16, "0");
  const about = { version: "1.0.0", model: "m", form: "module", target: "module", keyId: "k" } as const;
  const devices = [queuedRecord("pump"), { ...queuedRecord("rotor"), step: "reverted", verdict: "trapped" } as const];
  return {
    format: 1,
    id,
    createdUs: n,
    endedUs: null,
    state,
    ...about,
    packages,
    stages: [10, 100],
    maxFailures: 1,
    devices,
  };
}

test("roll-outs and packages are read back as they were written, by another node too", async () => {
  expect(await files().load()).toEqual({ rollouts: [], damaged: [] });
  const [newer, older] = [rollout(2, "running"), rollout(1, "done")];
  await files().saveRollout(newer);
  await files().saveRollout(older);
  await files().saveRollout({ ...older, endedUs: 7 });
  await files().savePackages(packagesName(BYTES), BYTES);
  expect(await files().load()).toEqual({ rollouts: [{ ...older, endedUs: 7 }, newer], damaged: [] });
  expect(await files().packages(packagesName(BYTES))).toEqual(BYTES);
});

test("what a kill left half-written is taken away, and what is damaged is named and left alone", async () => {
  const own = files();
  mkdirSync(own.folder);
  await own.saveRollout(rollout(1, "done"));
  const name = packagesName(BYTES);
  for (const [file, text] of [
    ["0000000000000002.json", '{"format":1'],
    ["0000000000000003.json", JSON.stringify(rollout(4, "done"))],
    ["0000000000000005.json.12345678.part", "{"],
    ["notes.txt", "mine"],
    [`${name}.lsup`, "another package"],
  ] as const) {
    writeFileSync(join(own.folder, file), text);
  }
  const { rollouts, damaged } = await own.load();
  expect(rollouts.map(({ id }) => id)).toEqual(["0000000000000001"]);
  expect(damaged.map((path) => path.slice(own.folder.length + 1)).sort()).toEqual([
    "0000000000000002.json",
    "0000000000000003.json",
  ]);
  expect(await own.packages(name)).toBeUndefined();
  expect(await own.packages("0".repeat(64))).toBeUndefined();
  expect(readdirSync(own.folder)).not.toContain("0000000000000005.json.12345678.part");
  expect(existsSync(join(own.folder, "notes.txt"))).toBe(true);
});

test("the newest hundred that are over are remembered, all that run, and packages that those need", async () => {
  const all = Array.from({ length: 130 }, (_, n) => rollout(n, n % 13 === 0 ? "running" : "stopped"));
  for (const one of all) await files().saveRollout(one);
  const [needed, soon, unneeded] = [BYTES, new Uint8Array(1), new Uint8Array(2)];
  for (const bytes of [needed, soon, unneeded]) await files().savePackages(packagesName(bytes), bytes);
  const left = await files().prune(all, (name) => name === packagesName(soon));
  expect(left.filter(({ state }) => state === "running")).toHaveLength(10);
  expect(left.filter(({ state }) => state === "stopped")).toEqual(
    all.filter(({ state }) => state === "stopped").slice(20),
  );
  expect((await files().load()).rollouts).toEqual(left);
  expect(await files().packages(packagesName(needed))).toEqual(needed);
  expect(await files().packages(packagesName(soon))).toEqual(soon);
  expect(await files().packages(packagesName(unneeded))).toBeUndefined();
});
