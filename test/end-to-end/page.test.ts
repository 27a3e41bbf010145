import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { ShownDemo } from "./shown-demo.ts";

const LIMIT_MS = 120_000;

requires("chromium")("the page in Chromium, while the demo runs", () => {
  let demo: ShownDemo;
  let browser: Browser;
  let url = "";

  beforeAll(async () => {
    demo = await ShownDemo.open();
    ({ browser, url } = demo);
  }, LIMIT_MS);

  afterAll(() => demo.close(), LIMIT_MS);

  /** Open the page, and collect whatever a console would show. */
  async function open(
    path: string,
    options: Parameters<Browser["newPage"]>[0],
  ): Promise<{ page: Page; problems: string[] }> {
    const page = await browser.newPage(options);
    const problems: string[] = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("requestfailed", (request) => {
      // The stream of one view ends when another is chosen, and so do questions about it.
      const isGivenUp = request.failure()?.errorText === "net::ERR_ABORTED";
      if (!isGivenUp || !request.url().includes("/api/v1/")) problems.push(`${request.url()} failed`);
    });
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== url) problems.push(`another origin: ${request.url()}`);
    });
    await page.goto(`${url}${path}`);
    return { page, problems };
  }

  test.each([
    { colorScheme: "light", viewport: { width: 1280, height: 900 } },
    { colorScheme: "dark", viewport: { width: 390, height: 800 } },
    { colorScheme: "dark", viewport: { width: 320, height: 640 } },
  ] as const)(
    "shows values that move and reports no problem: $colorScheme, $viewport.width px",
    async (look) => {
      const { page, problems } = await open("/?device=rotor-1", look);
      const value = page.locator('[data-channel="x"]');
      await value.filter({ hasText: "±" }).waitFor({ timeout: LIMIT_MS });
      const before = await value.textContent();
      await page.waitForFunction(
        ([selector, old]) => document.querySelector(selector ?? "")?.textContent !== old,
        ['[data-channel="x"]', before],
        { timeout: LIMIT_MS },
      );
      // Six channels, and what the demo knows of their error.
      expect(await page.locator(".lane canvas").count()).toBe(7);
      await expectNoSidewaysScroll(page);
      await page.getByRole("link", { name: "Lockstep" }).click();
      await page.getByText("2 devices").waitFor({ timeout: LIMIT_MS });
      expect(await page.getByRole("table", { name: "Devices" }).getByRole("row").count()).toBe(3);
      await expectNoSidewaysScroll(page);
      expect(problems).toEqual([]);
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "a device is opened by its link, is in the address, and the browser's back leads to the fleet",
    async () => {
      const { page, problems } = await open("/", {});
      await page.getByRole("link", { name: "imu-1" }).click({ timeout: LIMIT_MS });
      await page.locator('[data-channel="gx"]').filter({ hasText: "deg/s" }).waitFor({ timeout: LIMIT_MS });
      const { searchParams } = new URL(page.url());
      expect([searchParams.get("device"), searchParams.get("live")]).toEqual(["imu-1", "1"]);
      await page.goBack();
      await page.getByRole("table", { name: "Devices" }).waitFor({ timeout: LIMIT_MS });
      expect(problems).toEqual([]);
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "a drag over the lanes zooms into the past and stops time; a link to that opens the same; live is one press away",
    async () => {
      const { page, problems } = await open("/?device=rotor-1", { viewport: { width: 1280, height: 900 } });
      await page.locator('[data-channel="x"]').filter({ hasText: "±" }).waitFor({ timeout: LIMIT_MS });
      const box = (await page.locator(".lanes").boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
      await page.mouse.move(box.x + 0.5 * box.width, box.y + 60);
      await page.mouse.down();
      await page.mouse.move(box.x + 0.6 * box.width, box.y + 60, { steps: 5 });
      await page.mouse.up();
      await page.waitForURL(/from=\d+&to=\d+/, { timeout: LIMIT_MS });
      await page.getByRole("button", { name: /^paused/ }).waitFor({ timeout: LIMIT_MS });
      const query = new URL(page.url()).searchParams;
      const lengthUs = Number(query.get("to")) - Number(query.get("from"));
      // A tenth of the lanes' width, which is a little more of the ten seconds on their plots.
      expect(lengthUs).toBeGreaterThan(0.9e6);
      expect(lengthUs).toBeLessThan(1.2e6);
      const other = await open(new URL(page.url()).search.replace(/^/, "/"), {
        viewport: { width: 1280, height: 900 },
      });
      await other.page.getByRole("button", { name: /^paused/ }).waitFor({ timeout: LIMIT_MS });
      expect(new URL(other.page.url()).search).toBe(new URL(page.url()).search);
      await page.getByRole("button", { name: /^paused/ }).click();
      await page.waitForURL(/live=1/, { timeout: LIMIT_MS });
      expect([...problems, ...other.problems]).toEqual([]);
      await other.page.close();
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "one connection stays open, whatever is looked at, and who zooms on asks no more for what came before",
    async () => {
      const { page, problems } = await open("/?device=rotor-1", {});
      await page.locator('[data-channel="x"]').filter({ hasText: "±" }).waitFor({ timeout: LIMIT_MS });
      let aborted = 0;
      page.on("requestfailed", (request) => {
        if (request.url().includes("/history?")) aborted += 1;
      });
      // Nothing is answered, so that every question but the last one is given up for the next.
      await page.route("**/history?**", () => undefined);
      await page.getByRole("slider", { name: "Time cursor" }).focus();
      for (const key of ["+", "+", "-"]) {
        const asked = page.waitForRequest("**/history?**", { timeout: LIMIT_MS });
        await page.keyboard.press(key);
        await asked;
      }
      await expect.poll(() => aborted, { timeout: LIMIT_MS }).toBeGreaterThanOrEqual(2);
      const streams = await page.evaluate(
        () => performance.getEntriesByType("resource").filter(({ name }) => name.includes("/stream")).length,
      );
      expect(streams).toBeLessThanOrEqual(1);
      expect(problems.filter((problem) => !problem.includes("/history?"))).toEqual([]);
      await page.close();
    },
    LIMIT_MS,
  );

  test("takes nothing from another origin, and no frame around it", async () => {
    const { headers } = await fetch(url);
    const policy = headers.get("content-security-policy");
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; /);
    expect(policy).toContain("connect-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
  });

  async function expectNoSidewaysScroll(page: Page): Promise<void> {
    const isWithin = await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
    expect(isWithin, "no sideways scroll").toBe(true);
  }
});
