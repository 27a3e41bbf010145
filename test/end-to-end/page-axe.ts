import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { expect } from "vitest";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface AxeResult {
  readonly passes: readonly unknown[];
  readonly violations: readonly { id: string; impact: string; nodes: readonly { html: string }[] }[];
}

/** What axe finds that is wrong with a page as it is now, in a few words each. */
async function axeFaults(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(options: { resultTypes: string[] }): Promise<AxeResult> } };
    const { violations, passes } = await axe.run({ resultTypes: ["violations"] });
    if (passes.length < 10) return ["axe looked at almost nothing"];
    return violations.map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes[0]?.html}`);
  });
}

/** Axe finds nothing, and nothing is wider than the page. @param state  of the page, for whoever reads the failure */
export async function expectAccessible(page: Page, state: string): Promise<void> {
  expect(await axeFaults(page), state).toEqual([]);
  const isWithin = await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
  expect(isWithin, `${state}: no sideways scroll`).toBe(true);
}
