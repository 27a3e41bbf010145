import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { TypedGuide } from "./typed-guide.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** From the folder of guides. */
const TUTORIAL = "../TUTORIAL";
/** Trainings on a machine that does other things, too. */
const PATIENCE_MS = 300_000;

/** What is typed at once, and what stands below it; undefined: nothing does. */
interface Step {
  readonly commands: string;
  readonly shown: string | undefined;
}

const [, ...SECTIONS] = readFileSync(join(ROOT, "docs/TUTORIAL.md"), "utf8").split(/^## /m);

function stepsOf(section: string): Step[] {
  const blocks = section.matchAll(/^```sh\n(.*?)^```\n(?:```\n(.*?)^```\n)?/gms);
  return [...blocks].map(([, commands = "", shown]) => ({ commands, shown: shown && alike(shown) }));
}

/** What a command takes is another machine's; a guide's test has plain spaces. */
function alike(text: string): string {
  return text.replaceAll("\u202f", " ").replaceAll(/\bin \d+\.\d s$/gm, "in – s");
}

/** Numbers of the line of a table that begins with the words. */
function rowOf(printed: readonly string[], words: string): number[] {
  const lines = printed.join("").split("\n");
  const line = lines.find((text) => text.startsWith(`${words} `));
  return (line?.slice(words.length).trim().split(/ +/) ?? []).map(Number);
}

/** What the prose says of what is printed, section by section. */
const CLAIMS: readonly ((printed: readonly string[]) => void)[] = [
  (printed) => {
    for (const channel of ["gx", "gy", "gz", "ax", "ay", "az"]) {
      const [, signal = 0, hold = 0, line = 0, residual = 0, coded = 0] = rowOf(printed, channel);
      expect(residual, channel).toBeLessThan(Math.min(signal, hold, line));
      expect(signal - residual, channel).toBeGreaterThan(0.85);
      expect(coded, channel).toBeLessThan(residual);
    }
    for (const strength of [1, 2, 4, 8, 16]) {
      const [miss = 0, law = 0, residual = 0, coded = 0] = rowOf(printed, `noise ${strength}`);
      expect(miss).toBeGreaterThan(strength);
      expect(Math.abs(law - residual)).toBeLessThan(0.05);
      expect(Math.abs(coded - residual)).toBeLessThan(0.06);
    }
  },
  (printed) => {
    const largest = [...printed.join("").matchAll(/in eps: largest ([\d.]+)/g)].map(([, error]) => Number(error));
    expect(largest).toHaveLength(2);
    expect(Math.max(...largest)).toBeLessThanOrEqual(1);
    expect(printed.at(-1)).toContain("root mean square 0.577");
  },
  (printed) => {
    const [alone, plain, sync, local] = ["alone", "plain", "sync", "local"].map((name) => rowOf(printed, name));
    expect(plain).toEqual(alone);
    const end = plain?.at(-1) ?? 0;
    for (const losses of [plain, sync, local]) {
      expect(losses?.at(-1)).toBeGreaterThan(1.75);
      expect(Math.abs((losses?.at(-1) ?? 0) - end)).toBeLessThan(0.005 * end);
    }
  },
];

test("the tutorial has three sections, each with commands and what they print", () => {
  expect(SECTIONS.map((section) => section.split(":")[0])).toEqual([
    "1. Entropy",
    "2. The error bound",
    "3. Convergence",
  ]);
  for (const section of SECTIONS)
    expect(stepsOf(section).filter(({ shown }) => shown !== undefined).length).toBeGreaterThan(1);
});

test.each([1, 2, 3])("section %i prints what stands in it", { timeout: PATIENCE_MS }, async (number) => {
  const [section = "", claim] = [SECTIONS[number - 1], CLAIMS[number - 1]];
  const guide = new TypedGuide(TUTORIAL);
  try {
    symlinkSync(join(ROOT, "sim"), join(guide.folder, "sim"));
    const printed: string[] = [];
    for (const { commands, shown } of stepsOf(section)) {
      // As on a terminal: what went wrong ends it, and both streams are seen in their order.
      const said = alike(await guide.type(`set -e; exec 2>&1\n${commands}`));
      if (shown === undefined) continue;
      expect(said).toBe(shown);
      printed.push(said);
    }
    claim?.(printed);
  } finally {
    await guide.close();
  }
});
