import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { LockstepProcess } from "./lockstep-process.ts";
import { expectAccessible, NARROW } from "./page-axe.ts";
import { launchChromium } from "./shown-demo.ts";

const LIMIT_MS = 300_000;
/** One step of a test, so that the one that fails is named. */
const STEP_MS = 60_000;

requires("chromium")("the page for a keyboard and for a screen reader", () => {
  let demo: LockstepProcess;
  let empty: LockstepProcess;
  let browser: Browser;
  let folder = "";
  let url = "";
  let emptyUrl = "";

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lockstep-access-"));
    demo = new LockstepProcess("demo", "--http", "0");
    url = await demo.said(/http:\/\/localhost:\d+/);
    const options = ["--http", "0", "--mqtt-port", "0", "--log", "info", "--store", join(folder, "empty.db")];
    empty = new LockstepProcess("serve", ...options);
    emptyUrl = (JSON.parse(await empty.said(/\{.*"msg":"listening"\}/)) as { http: string }).http;
    browser = await launchChromium();
  }, LIMIT_MS);

  afterAll(async () => {
    await browser.close();
    for (const process of [demo, empty]) {
      await process.interrupted();
    }
    rmSync(folder, { recursive: true });
  }, LIMIT_MS);

  test(
    "axe finds nothing in any state, and nothing is wider than the page",
    async () => {
      const page = await browser.newPage(NARROW);
      const check = (state: string) => expectAccessible(page, state);
      page.setDefaultTimeout(STEP_MS);
      await page.goto(emptyUrl);
      await page.getByText("No device has reported yet.").waitFor();
      await check("empty fleet");
      await page.goto(`${emptyUrl}/?device=nobody`);
      await page.getByRole("button", { name: "Retry" }).waitFor();
      await check("a device that is not there");
      await page.goto(url);
      await page.getByRole("link", { name: "rotor-1" }).waitFor({ timeout: LIMIT_MS });
      await check("fleet");
      await page.getByRole("searchbox").fill("nothing like it");
      await page.getByText("No device matches.").waitFor();
      await check("a search without a match");
      await page.keyboard.press("Escape");
      await page.keyboard.press("?");
      await page.getByRole("dialog").waitFor();
      await check("list of keys");
      await page.goto(`${url}/?device=rotor-1`);
      await page.locator('[data-channel="x"]').filter({ hasText: "±" }).waitFor({ timeout: LIMIT_MS });
      await page.getByText("About this device").click();
      await check("live");
      await page.getByRole("button", { name: "Zoom in" }).click();
      await page.getByRole("button", { name: "Table" }).click();
      await page.getByRole("button", { name: /^paused/ }).waitFor();
      await page.locator(".data tbody tr").first().waitFor();
      await check("past, with its table");
      const { span } = (await fetch(`${url}/api/v1/devices/rotor-1/history?buckets=1`).then((answer) =>
        answer.json(),
      )) as { span: { fromUs: number } };
      await page.goto(`${url}/?device=rotor-1&from=${Math.floor(span.fromUs) - 900_000}&to=${Math.floor(span.fromUs)}`);
      await page.getByText(/^No samples from /).waitFor({ timeout: LIMIT_MS });
      await check("a range without samples");
      await page.route("**/api/v1/**", (route) => route.abort());
      await page.getByRole("button", { name: "Zoom out" }).click();
      await page.getByText(/cannot be asked/).waitFor();
      await check("no answer");
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "keys alone lead from the fleet to a device, into its past, to an event, to the numbers, and back",
    async () => {
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, forcedColors: "active" });
      page.setDefaultTimeout(STEP_MS);
      await page.goto(url);
      await page.getByRole("link", { name: "rotor-1" }).waitFor({ timeout: LIMIT_MS });
      const ring = async (place: string): Promise<void> => {
        const outline = await page.evaluate(() => {
          const element = document.activeElement;
          const shown = element?.getAttribute("role") === "slider" ? element.closest(".lanes") : element;
          const { outlineStyle, outlineWidth } = getComputedStyle(shown ?? document.body);
          return `${outlineStyle} ${outlineWidth}`;
        });
        expect(outline, `focus is to be seen at ${place}`).toBe("solid 2px");
      };
      await page.keyboard.press("j");
      await ring("the first device");
      await page.keyboard.press("j");
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("rotor-1");
      await page.keyboard.press("Enter");
      await page.locator('[data-channel="x"]').filter({ hasText: "±" }).waitFor({ timeout: LIMIT_MS });
      const slider = page.getByRole("slider", { name: "Time cursor" });
      for (let tabs = 0; tabs < 30; tabs++) {
        await page.keyboard.press("Tab");
        if (await slider.evaluate((element) => element === document.activeElement)) break;
      }
      await ring("the lanes");
      await page.keyboard.press("ArrowLeft");
      await page.waitForURL(/from=/);
      // The past of a view that has just been stopped comes a moment later.
      await expect
        .poll(() => slider.getAttribute("aria-valuetext"), { timeout: STEP_MS })
        .toMatch(/^\d\d:\d\d:\d\d\.\d, x [−\-\d.]+ ± 0\.05, confirmed; y /);
      const lengthUs = (): number => {
        const { searchParams } = new URL(page.url());
        return Number(searchParams.get("to")) - Number(searchParams.get("from"));
      };
      const before = lengthUs();
      await page.keyboard.press("+");
      await expect.poll(lengthUs, { timeout: LIMIT_MS }).toBe(before / 2);
      await page.keyboard.press(" ");
      await page.keyboard.press("Shift+ArrowLeft");
      await page.keyboard.press("Shift+ArrowLeft");
      await page.keyboard.press("Enter");
      await expect.poll(lengthUs, { timeout: LIMIT_MS }).toBe(200_000);
      const from = new URL(page.url()).searchParams.get("from");
      await page.keyboard.press("[");
      await expect.poll(() => new URL(page.url()).searchParams.get("from"), { timeout: LIMIT_MS }).not.toBe(from);
      await page.keyboard.press("Escape");
      await expect.poll(() => new URL(page.url()).searchParams.get("from"), { timeout: LIMIT_MS }).toBe(from);
      await page.keyboard.press("d");
      await page.locator(".data tbody tr").first().waitFor();
      expect(await page.locator(".data tbody tr").count()).toBeGreaterThanOrEqual(20);
      await page.keyboard.press("g");
      await page.keyboard.press("f");
      await page.getByRole("table", { name: "Devices" }).waitFor();
      await page.keyboard.press("/");
      await expect.poll(() => page.evaluate(() => document.activeElement?.id), { timeout: LIMIT_MS }).toBe("search");
      await page.keyboard.type("ptug");
      expect(await page.getByRole("searchbox").inputValue()).toBe("ptug");
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "each plot says in words what it shows, and single keys can be switched off",
    async () => {
      const page = await browser.newPage({ reducedMotion: "reduce" });
      await page.goto(`${url}/?device=rotor-1`);
      const plot = page.getByRole("img", { name: /^x, 10.s to .*: from -.* to .* ± 0\.05: no gaps$/ });
      await plot.waitFor({ timeout: LIMIT_MS });
      await page.keyboard.press("?");
      await page.getByRole("checkbox", { name: "Single keys are on" }).uncheck();
      await page.getByRole("button", { name: "Close" }).click();
      await page.keyboard.press("p");
      await page.keyboard.press("?");
      expect(await page.getByRole("button", { name: "Paused" }).count()).toBe(0);
      expect(await page.getByRole("dialog").count()).toBe(0);
      await page.close();
    },
    LIMIT_MS,
  );
});
