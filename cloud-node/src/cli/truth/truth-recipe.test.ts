import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deviceSignal, seededRandom } from "@lockstep/sim";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SILENT_LOGGER } from "../../logger.ts";
import { ToldTruths } from "./told-truths.ts";
import { readTruthRecipe, writeTruthRecipe } from "./truth-recipe.ts";

const RECIPE = {
  device: "pump",
  seed: 7,
  startUs: 1_700_000_000_000_000,
  eps: [0.1],
  signal: { name: "walk", channels: 1 },
};
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-truth-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = () => join(folder, "pump.truth.json");

test("what a device says it is made of gives the signal that it measures", () => {
  writeTruthRecipe(folder, RECIPE);
  const told = readTruthRecipe(folder, "pump");
  const own = deviceSignal(RECIPE.signal, "pump", seededRandom(7));
  const [a, b] = [new Float64Array(1), new Float64Array(1)];
  const readers = [told?.signal.read(), own.read()];
  for (let n = 0; n < 100; n++) {
    readers[0]?.next(a);
    readers[1]?.next(b);
    expect(a).toEqual(b);
  }
  expect(a[0]).not.toBe(0);
  expect(told).toMatchObject({ eps: [0.1], startUs: RECIPE.startUs });
  expect(readTruthRecipe(folder, "other")).toBeUndefined();
});

test("what is no recipe of the device is refused with the reason, and the node goes on without its truth", () => {
  writeTruthRecipe(folder, RECIPE);
  const good = JSON.parse(readFileSync(file(), "utf8"));
  const bad = [
    "",
    "{",
    "null",
    "[]",
    JSON.stringify({ ...good, format: "else" }),
    JSON.stringify({ ...good, device: "valve" }),
    JSON.stringify({ ...good, seed: 0.5 }),
    JSON.stringify({ ...good, startUs: null }),
    JSON.stringify({ ...good, eps: [] }),
    JSON.stringify({ ...good, eps: [0.1, 0.1] }),
    JSON.stringify({ ...good, eps: [-1] }),
    JSON.stringify({ ...good, signal: { name: "nonsense" } }),
    JSON.stringify({ ...good, signal: { name: "recorded", file: join(folder, "none.csv") } }),
    " ".repeat(70_000),
  ];
  for (const text of bad) {
    writeFileSync(file(), text);
    expect(() => readTruthRecipe(folder, "pump"), text.slice(0, 90)).toThrow(
      expect.objectContaining({ name: "CommandError", code: "file", message: expect.stringContaining(file()) }),
    );
  }
  const warned: string[] = [];
  const logger = { ...SILENT_LOGGER, warn: (_: object, message: string) => void warned.push(message) };
  const truths = new ToldTruths({ folder, logger, device: () => undefined });
  const confirmed = { kind: "confirmed", device: "pump", epoch: 1, seq: 1, samples: 1 } as const;
  truths.observe(confirmed);
  truths.observe(confirmed);
  expect(truths.truthOf("pump")).toBeUndefined();
  expect(warned).toHaveLength(1);
  // The next boot is looked up again.
  writeTruthRecipe(folder, RECIPE);
  truths.observe({ kind: "born", device: "pump", epoch: 2, isNewEpoch: true });
  truths.observe(confirmed);
  expect(truths.truthOf("pump")).toBeDefined();
});
