import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { LockstepProcess } from "./lockstep-process.ts";
import { launchChromium } from "./shown-demo.ts";

const LIMIT_MS = 120_000;

interface Places {
  readonly http: string;
  readonly mqtt: string;
}

requires("chromium")("the page in Chromium, while devices and node come and go", () => {
  let folder = "";
  let browser: Browser;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lockstep-page-"));
    browser = await launchChromium();
  }, LIMIT_MS);

  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  async function serve(http = 0, mqtt = 0): Promise<{ readonly node: LockstepProcess; readonly places: Places }> {
    const ports = ["--http", String(http), "--mqtt-port", String(mqtt)];
    const node = new LockstepProcess(...["serve", ...ports, "--store", join(folder, "node.db"), "--log", "info"]);
    return { node, places: JSON.parse(await node.said(/\{.*"msg":"listening"\}/)) as Places };
  }

  const portOf = (url: string): number => Number(new URL(url).port);

  async function showsSamples(page: Page): Promise<void> {
    await page.locator('[data-channel="x"]').filter({ hasText: "±" }).waitFor({ timeout: LIMIT_MS });
  }

  test(
    "says how to start a device, shows it once it is there, finds it Offline when it is killed, comes back with the node",
    async () => {
      const { node, places } = await serve();
      const page = await browser.newPage();
      await page.goto(places.http);
      await page.getByText(`lockstep sim rotor --to ${places.mqtt.replace("127.0.0.1", "localhost")}`).waitFor();
      const device = new LockstepProcess("sim", "rotor", "--to", places.mqtt);
      await page.getByRole("link", { name: "rotor-1" }).click({ timeout: LIMIT_MS });
      await showsSamples(page);
      device.child.kill("SIGKILL");
      await device.finished();
      await page.locator(".device-head .state.offline").waitFor({ timeout: LIMIT_MS });
      await page.locator(".alerts").filter({ hasText: "offline" }).waitFor({ timeout: LIMIT_MS });

      await node.interrupted();
      await page.getByText(/^No connection for /).waitFor({ timeout: LIMIT_MS });
      await page.getByRole("button", { name: "Stale" }).first().waitFor({ timeout: LIMIT_MS });
      const again = await serve(portOf(places.http), portOf(places.mqtt));
      await page.getByText(/^No connection for /).waitFor({ state: "detached", timeout: LIMIT_MS });
      const reborn = new LockstepProcess("sim", "rotor", "--to", places.mqtt);
      await page.locator(".device-head .state.live").waitFor({ timeout: LIMIT_MS });
      const value = page.locator('[data-channel="x"]');
      const before = await value.textContent();
      await page.waitForFunction((old) => document.querySelector('[data-channel="x"]')?.textContent !== old, before, {
        timeout: LIMIT_MS,
      });
      await page.close();
      reborn.child.kill("SIGKILL");
      again.node.child.kill("SIGINT");
      await Promise.all([reborn.finished(), again.node.finished()]);
    },
    2 * LIMIT_MS,
  );

  test(
    "its data table is what was stored, sample for sample, within half of its last digit",
    async () => {
      const { node, places } = await serve();
      const device = new LockstepProcess(...["sim", "rotor", "--to", places.mqtt, "--id", "sent", "--duration", "4"]);
      expect((await device.finished()).code).toBe(0);
      const about = await fetch(`${places.http}/api/v1/devices/sent`).then((answer) => answer.json());
      const toUs = Math.floor((about as { history: { toUs: number } }).history.toUs);
      const range = `from=${toUs - 1_000_000}&to=${toUs}`;
      const stored = (await fetch(`${places.http}/api/v1/devices/sent/history?rate=full&${range}`).then((answer) =>
        answer.json(),
      )) as { timesUs: number[]; channels: { name: string; eps: number; values: number[] }[] };
      expect(stored.timesUs.length).toBeGreaterThan(90);
      const page = await browser.newPage();
      await page.goto(`${places.http}/?device=sent&${range}`);
      await page.getByText(/^every sample/).waitFor({ timeout: LIMIT_MS });
      await page.getByRole("button", { name: "Table" }).click();
      const shown = await page.locator(".data tbody tr").evaluateAll((rows) =>
        rows.map((row) => ({
          us: Number(row.querySelector("time")?.getAttribute("data-us")),
          values: [...row.querySelectorAll("td")].map((cell) => Number(cell.textContent)),
        })),
      );
      expect(shown.length).toBe(stored.timesUs.length);
      for (const [i, { us, values }] of shown.entries()) {
        expect(Math.abs(us - (stored.timesUs[i] ?? 0))).toBeLessThanOrEqual(10_000);
        for (const [c, { eps, values: column }] of stored.channels.entries()) {
          // 0.05 is shown with two decimals, after a bucket was rounded to a tenth of eps.
          expect(Math.abs((values[c] ?? Number.NaN) - (column[i] ?? 0))).toBeLessThanOrEqual(0.005 + eps / 10);
        }
      }
      await page.close();
      await node.interrupted();
    },
    LIMIT_MS,
  );
});
