import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { programPath, requires } from "../os-package.ts";
import { LockstepProcess } from "./lockstep-process.ts";

const LIMIT_MS = 120_000;

requires("chromium")("the page in Chromium, while the demo runs", () => {
  let demo: LockstepProcess;
  let browser: Browser;
  let url = "";

  beforeAll(async () => {
    demo = new LockstepProcess("demo", "--http", "0");
    url = await demo.said(/http:\/\/localhost:\d+/);
    browser = await chromium.launch({ executablePath: programPath("chromium"), args: ["--no-sandbox"] });
  }, LIMIT_MS);

  afterAll(async () => {
    await browser.close();
    demo.child.kill("SIGINT");
    await demo.finished();
  }, LIMIT_MS);

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
      // The stream of one device ends when another is chosen.
      if (!request.url().includes("/api/v1/stream")) problems.push(`${request.url()} failed`);
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
      await page.getByText("2 devices").waitFor({ timeout: LIMIT_MS });
      expect(await page.getByRole("table", { name: "Devices" }).getByRole("row").count()).toBe(3);
      expect(await page.locator(".lane canvas").count()).toBe(6);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "no sideways scroll").toBe(
        true,
      );
      expect(problems).toEqual([]);
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "another device is chosen by its link, and is in the address",
    async () => {
      const { page, problems } = await open("/?device=rotor-1", {});
      await page.getByRole("link", { name: "imu-1" }).click({ timeout: LIMIT_MS });
      await page.locator('[data-channel="gx"]').filter({ hasText: "deg/s" }).waitFor({ timeout: LIMIT_MS });
      expect(new URL(page.url()).searchParams.get("device")).toBe("imu-1");
      expect(problems).toEqual([]);
      await page.close();
    },
    LIMIT_MS,
  );

  test("takes nothing from another origin, and no frame around it", async () => {
    const { headers } = await fetch(url);
    expect(headers.get("content-security-policy")).toBe(
      "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    );
  });
});
