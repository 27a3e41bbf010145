import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GuideSection, guideSections } from "./guide-steps.ts";
import { LAUNCHER } from "./lockstep-process.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SECTIONS = guideSections(readFileSync(join(ROOT, "docs/TUTORIAL.md"), "utf8"));
/** Trainings on a machine that does other things, too. */
const PATIENCE_MS = 300_000;
/** What a reader's shell finds on its path: both run here under the Node of this test. */
const SHELL = `npx() { shift; '${process.execPath}' '${LAUNCHER}' "$@"; }; node() { '${process.execPath}' "$@"; }`;
const run = promisify(execFile);

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-tutorial-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What a command takes is another machine's. */
const withoutSeconds = (text: string) => text.replaceAll(/\bin \d+\.\d s$/gm, "in – s");

/** Do a section in a folder of its own, as in a fresh clone. @returns what was shown, and what was printed */
async function type({ title, steps }: GuideSection): Promise<{ shown: string[]; printed: string[] }> {
  const clone = join(folder, title.slice(0, 1));
  mkdirSync(clone);
  symlinkSync(join(ROOT, "sim"), join(clone, "sim"));
  const [shown, printed]: [string[], string[]] = [[], []];
  for (const step of steps) {
    if (step.kind === "file") {
      writeFileSync(join(clone, step.name), step.text);
      continue;
    }
    const { stdout } = await run("sh", ["-ec", `${SHELL}; ${step.commands}`], { cwd: clone, encoding: "utf8" });
    if (step.shown === undefined) continue;
    shown.push(withoutSeconds(step.shown));
    printed.push(withoutSeconds(stdout));
  }
  return { shown, printed };
}

/** Cells of a line of a table that begins with the word. */
function rowOf(tables: readonly string[], word: string): number[] {
  const line = tables
    .join("")
    .split("\n")
    .find((text) => text.startsWith(`${word} `));
  return (line?.slice(word.length).trim().split(/ +/) ?? []).map(Number);
}

test("the tutorial has three sections, each with commands and what they print", () => {
  expect(SECTIONS.map(({ title }) => title.split(":")[0])).toEqual([
    "1. Entropy",
    "2. The error bound",
    "3. Convergence",
  ]);
  for (const { steps } of SECTIONS)
    expect(steps.filter((step) => step.kind === "commands" && step.shown !== undefined).length).toBeGreaterThan(1);
});

test.each(SECTIONS)(
  "$title: typed as it is written, it prints what stands there",
  { timeout: PATIENCE_MS },
  async (section) => {
    const { shown, printed } = await type(section);
    expect(printed).toEqual(shown);
    CLAIMS[SECTIONS.indexOf(section)]?.(printed);
  },
);

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
    const largest = printed
      .flatMap((text) => [...(/largest ([\d.]+)/.exec(text)?.[1] ?? [])].join("") || [])
      .map(Number);
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
