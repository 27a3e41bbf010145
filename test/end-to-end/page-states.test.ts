import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page, Route } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { LockstepProcess } from "./lockstep-process.ts";
import { expectAccessible, NARROW } from "./page-axe.ts";
import { launchChromium } from "./shown-demo.ts";

const LIMIT_MS = 120_000;

/** As many messages as a stream that ends at once can tell. */
function streamOf(...messages: readonly (readonly [event: string, data: object])[]): string {
  return messages.map(([event, data], i) => `event: ${event}\nid: ${i}\ndata: ${JSON.stringify(data)}\n\n`).join("");
}

requires("chromium")("the page in Chromium, in the states between all is well", () => {
  let node: LockstepProcess;
  let browser: Browser;
  let folder = "";
  let url = "";
  let fleet: object;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lockstep-states-"));
    const options = ["--http", "0", "--mqtt-port", "0", "--log", "info", "--store", join(folder, "node.db")];
    node = new LockstepProcess("serve", ...options);
    const places = JSON.parse(await node.said(/\{.*"msg":"listening"\}/)) as { http: string; mqtt: string };
    url = places.http;
    // Enough for a page of a device that is there, and silent.
    const device = new LockstepProcess("sim", "rotor", "--to", places.mqtt, "--id", "sent", "--duration", "3");
    expect((await device.finished()).code).toBe(0);
    fleet = (await fetch(`${url}/api/v1/devices`).then((answer) => answer.json())) as object;
    browser = await launchChromium();
  }, LIMIT_MS);

  afterAll(async () => {
    await browser.close();
    await node.interrupted();
    rmSync(folder, { recursive: true });
  }, LIMIT_MS);

  /** The stream tells this once, and is gone for good. */
  async function streamOnce(page: Page, body: string): Promise<void> {
    let isTold = false;
    await page.route("**/api/v1/stream?**", (route: Route) => {
      if (isTold) return route.abort();
      isTold = true;
      return route.fulfill({ contentType: "text/event-stream", body });
    });
  }

  test(
    "loading, offline and an error are clean for axe",
    async () => {
      const page = await browser.newPage(NARROW);
      page.setDefaultTimeout(LIMIT_MS);
      await page.clock.install();
      // Nothing is answered: still grey bars, then what is awaited.
      await page.route("**/api/v1/**", () => undefined);
      await page.goto(`${url}/?device=sent`);
      await page.locator("main.loading").waitFor();
      await page.clock.runFor(1_000);
      expect(await page.locator(".grey-bar").count()).toBeGreaterThan(1);
      await expectAccessible(page, "loading");
      await page.clock.runFor(5_000);
      await page.getByText("Waiting for sent.").waitFor();
      await expectAccessible(page, "loading for long");
      await page.unroute("**/api/v1/**");

      await page.goto("about:blank");
      await streamOnce(page, streamOf(["fleet", { ...fleet, isWhole: true, ids: ["sent"] }]));
      await page.goto(url);
      await page.getByRole("link", { name: "sent" }).waitFor();
      await page.clock.runFor(13_000);
      await page.getByText(/^No connection for 1\d.*s\. Values are from \d\d:\d\d:\d\d\.$/).waitFor();
      await page.getByRole("button", { name: "Stale" }).waitFor();
      await expectAccessible(page, "offline");
      const [number, ink2] = await page.evaluate(() => {
        const probe = document.createElement("i");
        probe.style.color = "var(--ink2)";
        document.body.append(probe);
        const number = document.querySelector(".fleet td.number");
        return [number, probe].map((element) => getComputedStyle(element ?? document.body).color);
      });
      expect(number, "old values look old").toBe(ink2);

      await page.route("**/devices/sent", (route) =>
        route.fulfill({ status: 500, json: { detail: "the disk is gone" } }),
      );
      await page.goto(`${url}/?device=sent`);
      await page.getByText("the disk is gone").waitFor();
      await page.getByRole("button", { name: "Retry" }).first().waitFor();
      await expectAccessible(page, "error");
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "a hidden tab gives its connection back after 30 s, not before, and takes one again when it is looked at",
    async () => {
      const page = await browser.newPage();
      page.setDefaultTimeout(LIMIT_MS);
      await page.clock.install();
      let open = 0;
      page.on("request", (request) => {
        if (request.url().includes("/stream?")) open += 1;
      });
      page.on("requestfailed", (request) => {
        if (request.url().includes("/stream?")) open -= 1;
      });
      await page.goto(url);
      await page.getByRole("link", { name: "sent" }).waitFor();
      expect(open).toBe(1);
      const turn = (isHidden: boolean) =>
        page.evaluate((hidden) => {
          Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
          document.dispatchEvent(new Event("visibilitychange"));
        }, isHidden);
      await turn(true);
      await page.clock.fastForward(25_000);
      expect(open).toBe(1);
      await turn(false);
      await page.clock.fastForward(25_000);
      expect(open, "who looks again in time keeps it").toBe(1);
      await turn(true);
      await page.clock.fastForward(31_000);
      await expect.poll(() => open, { timeout: LIMIT_MS }).toBe(0);
      await turn(false);
      await expect.poll(() => open, { timeout: LIMIT_MS }).toBe(1);
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "the stream is asked for without waiting to hear who the device is; of one that is not there it is given up",
    async () => {
      const page = await browser.newPage();
      page.setDefaultTimeout(LIMIT_MS);
      await page.route("**/devices/sent", () => undefined);
      const stream = page.waitForRequest("**/stream?**");
      await page.goto(`${url}/?device=sent`);
      expect(new URL((await stream).url()).searchParams.get("device")).toBe("sent");
      await page.close();

      const other = await browser.newPage();
      await other.clock.install();
      let asked = 0;
      other.on("request", (request) => {
        if (request.url().includes("/stream?")) asked += 1;
      });
      await other.goto(`${url}/?device=nobody`);
      await other.getByRole("button", { name: "All devices" }).waitFor();
      await other.clock.fastForward(120_000);
      expect(asked).toBe(1);
      await other.close();
    },
    LIMIT_MS,
  );

  test(
    "events, levels, states and alerts of a newer node are shown as they are told",
    async () => {
      const page = await browser.newPage();
      page.setDefaultTimeout(LIMIT_MS);
      const problems: string[] = [];
      page.on("pageerror", (error) => problems.push(error.message));
      const told = { unixUs: 1_700_000_000_000_000, device: "sent" };
      const [row] = (fleet as { rows: { alerts: object[] }[] }).rows;
      const rows = [{ ...row, state: "updating", alerts: [{ kind: "flash", text: "update refused", sinceUs: 0 }] }];
      const body = streamOf(
        ["fleet", { ...fleet, rows, isWhole: true, ids: ["sent"] }],
        ["event", { ...told, id: 1, kind: "flash", level: "info", text: "update to 1.2.3 began" }],
        ["event", { ...told, id: 2, kind: "flash", level: "odd", text: "update to 1.2.3 confirmed" }],
      );
      await streamOnce(page, body);
      await page.goto(url);
      await page.getByText("sent: update to 1.2.3 began").waitFor();
      await page.getByText("sent: update to 1.2.3 confirmed").waitFor();
      expect(await page.locator(".event .level").allTextContents()).toEqual(["Note", "Note"]);
      await page.getByText("updating").waitFor();
      await page.getByRole("cell", { name: "update refused" }).waitFor();
      expect(problems).toEqual([]);
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "a paused page stands still, numbers and ages too, until it is let go",
    async () => {
      const page = await browser.newPage();
      page.setDefaultTimeout(LIMIT_MS);
      await page.clock.install();
      await page.goto(`${url}/?device=sent`);
      const age = page.locator(".confirmed time").last();
      await age.waitFor();
      await page.keyboard.press("p");
      await page.getByRole("button", { name: "Paused", exact: true }).waitFor();
      const text = await age.textContent();
      await page.clock.runFor(180_000);
      expect(await age.textContent()).toBe(text);
      await page.keyboard.press("p");
      await expect.poll(async () => await age.textContent(), { timeout: LIMIT_MS }).not.toBe(text);
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "a range older than what is kept says for how long samples are kept, and leads to those that there are",
    async () => {
      const page = await browser.newPage();
      page.setDefaultTimeout(LIMIT_MS);
      await page.route("**/devices/sent/history?**", async (route) => {
        const answer = (await (await route.fetch()).json()) as object;
        await route.fulfill({ json: { ...answer, kept: { maxAgeS: 30 * 86_400, maxBytes: null } } });
      });
      await page.goto(`${url}/?device=sent&from=1700000000000000&to=1700000010000000`);
      await page.getByText(/^No samples from 2023-11-14 .* Samples are kept for 30.d\.$/).waitFor();
      expect(await page.getByRole("button", { name: "Nearest before" }).isDisabled()).toBe(true);
      await page.getByRole("button", { name: "Nearest after" }).click();
      await page.getByText(/^No samples/).waitFor({ state: "detached" });
      await page.locator('[data-channel="x"]').waitFor();
      // The address follows the picture, a moment later.
      await page.waitForURL(({ searchParams }) => Number(searchParams.get("from")) > 1_700_000_010_000_000);
      await page.close();
    },
    LIMIT_MS,
  );
});
