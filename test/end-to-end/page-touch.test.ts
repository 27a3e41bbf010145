import type { Browser, BrowserContext, CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { ShownDemo } from "./shown-demo.ts";

const LIMIT_MS = 120_000;

requires("chromium")("the page under a finger", () => {
  let demo: ShownDemo;
  let browser: Browser;
  let context: BrowserContext;
  let url = "";

  beforeAll(async () => {
    demo = await ShownDemo.open();
    ({ browser, url } = demo);
    context = await browser.newContext({ viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true });
  }, LIMIT_MS);

  afterAll(() => demo.close(), LIMIT_MS);

  interface Finger {
    readonly x: number;
    readonly y: number;
    readonly id: number;
  }

  interface Touched {
    readonly page: Page;
    readonly cdp: CDPSession;
    /** Page x of a share of the plots' width, and the y of the first lane's middle. */
    at(share: number, id: number): Finger;
  }

  async function open(): Promise<Touched> {
    const page = await context.newPage();
    page.setDefaultTimeout(LIMIT_MS);
    await page.goto(`${url}/?device=rotor-1`);
    await page.locator('[data-channel="x"]').filter({ hasText: "±" }).waitFor();
    const box = (await page.locator(".lane").nth(1).boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const at = (share: number, id: number) => {
      return { x: box.x + 56 + share * (box.width - 56 - 28), y: box.y + box.height / 2, id };
    };
    return { page, cdp: await context.newCDPSession(page), at };
  }

  /** Put fingers down, move them along, lift them. */
  async function touch(cdp: CDPSession, ...steps: readonly (readonly Finger[])[]): Promise<void> {
    const [down = [], ...moves] = steps;
    await cdp.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [...down] });
    for (const move of moves) await cdp.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: [...move] });
    await cdp.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  }

  const cursorOf = async (page: Page): Promise<number> =>
    Number(await page.getByRole("slider", { name: "Time cursor" }).getAttribute("aria-valuenow"));

  test(
    "one finger sideways moves the cursor, and leaves time running",
    async () => {
      const { page, cdp, at } = await open();
      await touch(cdp, [at(0.2, 0)], [at(0.25, 0)], [at(0.3, 0)]);
      await page.locator(".cursor-line:not(.is-idle)").waitFor();
      const first = await cursorOf(page);
      await touch(cdp, [at(0.3, 0)], [at(0.5, 0)], [at(0.7, 0)]);
      await expect.poll(() => cursorOf(page), { timeout: LIMIT_MS }).toBeGreaterThan(first + 3_000);
      expect(await cursorOf(page)).toBeLessThan(first + 9_000);
      expect(new URL(page.url()).searchParams.has("from")).toBe(false);
      await page.getByRole("button", { name: "Live", exact: true, pressed: true }).waitFor();
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "two fingers that part zoom in about what lies between them, and stop time",
    async () => {
      const { page, cdp, at } = await open();
      await touch(
        cdp,
        [at(0.45, 0), at(0.55, 1)],
        [at(0.4, 0), at(0.6, 1)],
        [at(0.35, 0), at(0.65, 1)],
        [at(0.25, 0), at(0.75, 1)],
      );
      await page.waitForURL(/from=\d+&to=\d+/);
      const { searchParams } = new URL(page.url());
      const lengthUs = Number(searchParams.get("to")) - Number(searchParams.get("from"));
      // Five times as far apart: a fifth of ten seconds.
      expect(lengthUs).toBeGreaterThan(1_800_000);
      expect(lengthUs).toBeLessThan(2_200_000);
      await page.getByRole("button", { name: /^paused/ }).waitFor();
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "up and down is the page's: it scrolls, and the lanes stay as they are",
    async () => {
      const { page, cdp, at } = await open();
      const { x, y } = at(0.5, 0);
      const steps = Array.from({ length: 12 }, (_, i) => [{ x, y: y - 25 * i, id: 0 }]);
      await touch(cdp, ...steps);
      await expect.poll(() => page.evaluate(() => scrollY), { timeout: LIMIT_MS }).toBeGreaterThan(200);
      expect(new URL(page.url()).searchParams.has("from")).toBe(false);
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "whatever is pressed is as large as a finger",
    async () => {
      const { page } = await open();
      const small = await page.locator("a, button, summary, select, .choice[open] label").evaluateAll((elements) =>
        elements.flatMap((element) => {
          const { width, height } = element.getBoundingClientRect();
          const isShown = width > 0 && height > 0;
          return isShown && (height < 44 || (element.tagName === "BUTTON" && width < 44)) ? [element.outerHTML] : [];
        }),
      );
      expect(small).toEqual([]);
      expect(await page.locator("button").count()).toBeGreaterThan(10);
      await page.close();
    },
    LIMIT_MS,
  );
});
