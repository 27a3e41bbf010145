import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";
import { expect } from "vitest";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** One of each set of styles that `styles.css` has for widths: the narrowest of a telephone, a tablet, a window. */
const WIDTHS = [320, 768, 1280] as const;
const SCHEMES = ["light", "dark"] as const;

/** How a page is opened whose states are looked at: narrow, so that its steps are tried where room is least. */
export const NARROW: Parameters<Browser["newPage"]>[0] = { viewport: { width: WIDTHS[0], height: 800 } };

interface AxeResult {
  readonly passes: readonly unknown[];
  readonly violations: readonly { id: string; impact: string; nodes: readonly { html: string }[] }[];
}

/** What axe finds that is wrong with a page as it is now, in a few words each. */
async function axeFaults(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(AXE);
  return await page.evaluate(async () => {
    // What is still on its way from the state before arrives first.
    for (const motion of document.getAnimations()) if (motion instanceof CSSTransition) motion.finish();
    const { axe } = globalThis as unknown as { axe: { run(options: { resultTypes: string[] }): Promise<AxeResult> } };
    const { violations, passes } = await axe.run({ resultTypes: ["violations"] });
    if (passes.length < 10) return ["axe looked at almost nothing"];
    return violations.map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes[0]?.html}`);
  });
}

/**
 * In light and dark and at every width, axe finds nothing, and nothing is wider than the page. One page is looked at in all
 * of them: its looks are its style sheet's alone, and to bring a page into a state takes longer than to look at it.
 *
 * @param state  of the page, for whoever reads the failure
 */
export async function expectAccessible(page: Page, state: string): Promise<void> {
  const before = page.viewportSize() ?? { width: 1280, height: 800 };
  for (const width of WIDTHS) {
    await page.setViewportSize({ ...before, width });
    for (const colorScheme of SCHEMES) {
      // Without motion a colour is the new one at once.
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      expect(await axeFaults(page), `${state}: ${colorScheme}, ${width} px`).toEqual([]);
    }
    const isWithin = await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
    expect(isWithin, `${state}: no sideways scroll at ${width} px`).toBe(true);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  await page.setViewportSize(before);
}
