import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type JsonObject, openQueue } from "@lockstep/cloud-node";
import { systemClock } from "@lockstep/edge-sdk";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { LockstepProcess, runLockstep } from "./lockstep-process.ts";
import { expectAccessible, NARROW } from "./page-axe.ts";
import { launchChromium } from "./shown-demo.ts";

const LIMIT_MS = 300_000;
const STEP_MS = 60_000;
const WORKLOADS = fileURLToPath(new URL("../job-workloads.ts", import.meta.url));

/** A job as tests hand it in. */
interface Handed {
  readonly workload: string;
  readonly params: JsonObject;
  readonly file?: { readonly name: string; readonly text: string };
  readonly maxAttempts?: number;
}

const tiny = (n: number): Handed => ({ workload: "tiny", params: { n } });

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** A node with its page, and a queue of its own. */
class PageNode {
  readonly folder = mkdtempSync(join(tmpdir(), "lockstep-page-jobs-"));
  readonly store = join(this.folder, "node.db");
  readonly queue = `sqlite:${this.store}.jobs`;
  readonly #node: LockstepProcess;
  url = "";

  private constructor() {
    const options = ["--http", "0", "--mqtt-port", "0", "--log", "info", "--store", this.store];
    this.#node = new LockstepProcess("serve", ...options);
  }

  static async start(): Promise<PageNode> {
    const node = new PageNode();
    node.url = (JSON.parse(await node.#node.said(/\{.*"msg":"listening"\}/)) as { http: string }).http;
    return node;
  }

  /** Hand jobs in. @returns the id of the first one */
  async submit(jobs: readonly Handed[], agoMs = 0): Promise<string> {
    const clock = systemClock();
    const { queue, blobs, close } = await openQueue(this.queue, {
      nowMs: () => clock.nowMs(),
      unixUs: () => clock.unixUs() - 1_000 * agoMs,
      setTimer: (callback, ms) => clock.setTimer(callback, ms),
    });
    const ids: string[] = [];
    for (const { workload, params, file, maxAttempts } of jobs) {
      const text = file?.text ?? "";
      const inputs = file === undefined ? [] : [{ name: file.name, ...(await blobs.put(() => once(text))) }];
      ids.push((await queue.submit({ workload, params, inputs, salt: "" }, { maxAttempts })).job.id);
    }
    await close();
    return ids[0] ?? "";
  }

  async token(name: string, ...roles: string[]): Promise<string> {
    const asked = roles.flatMap((role) => ["--role", role]);
    const { stdout } = await runLockstep("tokens", "add", name, ...asked, "--store", this.store, "--json");
    return (JSON.parse(stdout) as { token: string }).token;
  }

  async worker(): Promise<LockstepProcess> {
    const worker = new LockstepProcess("worker", "--jobs", this.queue, "--workloads-from", WORKLOADS, "--threads", "2");
    await worker.said(/"msg":"working"/);
    return worker;
  }

  async stop(): Promise<void> {
    await this.#node.interrupted();
    rmSync(this.folder, { recursive: true });
  }
}

requires("chromium")("the page's list of jobs while nobody works on them", () => {
  let node: PageNode;
  let browser: Browser;
  beforeAll(async () => {
    node = await PageNode.start();
    browser = await launchChromium();
  }, LIMIT_MS);
  afterAll(async () => {
    await browser.close();
    await node.stop();
  }, LIMIT_MS);

  test(
    "an empty list is clean for axe, and says how to hand a job in",
    async () => {
      const page = await open(browser, `${node.url}/?view=jobs`, NARROW);
      await page.getByText("No job has been handed in yet.").waitFor();
      expect(await page.locator("main code").textContent()).toContain(`--queue ${node.url}`);
      await expectAccessible(page, "no jobs");
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "jobs appear as they are handed in; one that nobody takes says so; the keys for it lead there and move nothing else",
    async () => {
      const page = await open(browser, node.url, { viewport: { width: 1280, height: 900 } });
      await page.getByText("No device has reported yet.").waitFor();
      await page.keyboard.press("g");
      await page.keyboard.press("j");
      await page.getByText("No job has been handed in yet.").waitFor();
      // So long ago that a worker, if there were one, would have taken it.
      await node.submit([tiny(1)], 10_000);
      const row = page.getByRole("row", { name: /Queued tiny/ });
      await row.waitFor();
      await page.keyboard.press("g");
      await page.keyboard.press("j");
      expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("BODY");
      await row.getByText("waits for a worker; where none runs, start `lockstep worker`").waitFor();
      await page.keyboard.press("j");
      await expect
        .poll(() => page.evaluate(() => document.activeElement?.textContent), { timeout: STEP_MS })
        .toMatch(/^tiny/);
      await page.evaluate(() => {
        (document.activeElement as HTMLElement).blur();
        localStorage.setItem("lockstep-keys", "off");
      });
      await page.keyboard.press("j");
      expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("BODY");
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "a job in full is as it is now, also where it did not load at first, and where newer ones hide it from the list",
    async () => {
      const id = await node.submit([tiny(0)]);
      const page = await open(browser, "about:blank", { viewport: { width: 1280, height: 900 } });
      let asked = 0;
      await page.route(`**/api/v1/jobs/${id}`, (route) => (asked++ === 0 ? route.abort() : route.continue()));
      await page.goto(`${node.url}/?view=jobs&job=${id}`);
      const details = page.locator(".job-details");
      await details.getByText('{"n":0}').waitFor();
      expect(asked).toBeGreaterThan(1);
      await node.submit(Array.from({ length: 100 }, (_, i) => tiny(2 + i)));
      await page.locator(`.jobs a[href*="${id}"]`).waitFor({ state: "detached" });
      const { queue, close } = await openQueue(node.queue, systemClock());
      await queue.cancel(id);
      await close();
      await details.getByText("Cancelled").waitFor();
      await page.close();
    },
    LIMIT_MS,
  );
});

requires("chromium")("the page's list of jobs", () => {
  let node: PageNode;
  let worker: LockstepProcess;
  let browser: Browser;
  /** Of a job that goes on as long as the tests do. */
  let long = "";

  beforeAll(async () => {
    node = await PageNode.start();
    worker = await node.worker();
    const file = { name: "input.txt", text: "what it was given\n" };
    long = await node.submit([
      { workload: "steps", params: { steps: 100_000, stepMs: 50 } },
      tiny(1),
      { workload: "poison", params: { how: "throw" }, maxAttempts: 1 },
      { workload: "copy", params: {}, file },
    ]);
    browser = await launchChromium();
  }, LIMIT_MS);

  afterAll(async () => {
    await browser.close();
    await worker.interrupted();
    await node.stop();
  }, LIMIT_MS);

  test(
    "each job is shown with its progress as it goes on, and how it ended",
    async () => {
      const page = await open(browser, `${node.url}/?view=jobs`, { viewport: { width: 1280, height: 900 } });
      const table = page.getByRole("table", { name: "Jobs" });
      await table.getByRole("row", { name: /Running steps/ }).waitFor();
      await table.getByRole("row", { name: /Done tiny/ }).waitFor();
      await table.getByRole("row", { name: /Dead poison .*poisonous/ }).waitFor();
      await table.getByRole("row", { name: /Done copy/ }).waitFor();
      const bar = page.getByRole("progressbar", { name: `Progress of steps ${long.slice(0, 8)}` });
      const text = await bar.locator("xpath=..").textContent();
      await expect.poll(() => bar.locator("xpath=..").textContent(), { timeout: LIMIT_MS }).not.toBe(text);
      expect(await page.locator('ul[aria-label="The newest jobs"]').textContent()).toMatch(
        /1 running.*0 queued.*1 failed.*2 done/,
      );
      await page.getByRole("combobox", { name: "Jobs shown" }).selectOption("failed,dead");
      expect(await table.getByRole("row").count()).toBe(2);
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "the list and a job in full are clean for axe, and nothing is wider than the page",
    async () => {
      const page = await open(browser, `${node.url}/?view=jobs`, NARROW);
      await page.getByRole("link", { name: /^steps/ }).waitFor();
      await expectAccessible(page, "list of jobs");
      await page.getByRole("link", { name: /^copy/ }).click();
      await page.getByRole("link", { name: "copy-of-input.txt" }).waitFor();
      await expectAccessible(page, "a job that is done");
      await page.getByRole("link", { name: /^steps/ }).click();
      await page.getByRole("region", { name: /^Log of/ }).waitFor();
      await expectAccessible(page, "a job that runs, with its log");
      await page.getByRole("link", { name: /^poison/ }).click();
      await page
        .getByText(/RangeError: poisonous/)
        .first()
        .waitFor();
      await expectAccessible(page, "a job that failed");
      await page.goto(`${node.url}/?view=jobs&job=${"0".repeat(64)}`);
      await page.getByText(/there is no job/).waitFor();
      await expectAccessible(page, "a job that is not there");
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "keys alone lead to a job, to its log, to what it left, and back; focus is always to be seen",
    async () => {
      const page = await open(browser, `${node.url}/?view=jobs`, { forcedColors: "active" });
      await page.getByRole("link", { name: /^copy/ }).waitFor();
      for (let tries = 0; tries < 10; tries++) {
        await page.keyboard.press("j");
        const name = await page.evaluate(() => document.activeElement?.textContent ?? "");
        const ring = await page.evaluate(() => getComputedStyle(document.activeElement ?? document.body).outlineStyle);
        expect(ring).toBe("solid");
        if (name.startsWith("copy")) break;
      }
      await page.keyboard.press("Enter");
      await page.getByRole("link", { name: "copy-of-input.txt" }).waitFor();
      await expect.poll(() => page.evaluate(() => document.activeElement?.id), { timeout: LIMIT_MS }).toBe("job-title");
      expect(await page.evaluate(() => location.search)).toMatch(/^\?view=jobs&job=[0-9a-f]{64}$/);
      const download = page.waitForEvent("download");
      await page.getByRole("link", { name: "copy-of-input.txt" }).press("Enter");
      expect((await download).suggestedFilename()).toBe("copy-of-input.txt");
      await page.keyboard.press("Escape");
      await page.getByText("No device has reported yet.").waitFor();
      await page.goBack();
      await page.getByRole("link", { name: "copy-of-input.txt" }).waitFor();
      await page.getByRole("button", { name: "Close" }).press("Enter");
      await page.getByRole("heading", { name: /^copy/ }).waitFor({ state: "detached" });
      expect(await page.evaluate(() => document.activeElement?.textContent)).toMatch(/^copy/);
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "whoever may only read is told the command; a token for jobs cancels and begins anew from the page",
    async () => {
      const page = await open(browser, `${node.url}/?view=jobs&job=${long}`, {});
      const command = `lockstep jobs cancel ${long.slice(0, 8)} --queue ${node.url}`;
      await page.getByText(command, { exact: true }).waitFor();
      expect(await page.getByRole("button", { name: "Cancel job" }).count()).toBe(0);
      await page.close();
      const [reader, boss] = [await node.token("reader", "read"), await node.token("boss", "read", "jobs")];
      const logIn = async (token: string): Promise<Page> => {
        // A context of its own has no cookie of another.
        const inside = await open(browser, `${node.url}/?view=jobs&job=${long}`, {});
        await inside.getByLabel(/token/i).first().waitFor();
        await inside.locator('input[type="password"]').fill(token);
        await inside.keyboard.press("Enter");
        return inside;
      };
      const outside = await logIn(reader);
      await outside.getByText(command, { exact: true }).waitFor();
      await outside.getByRole("region", { name: /^Log of/ }).waitFor();
      expect(await outside.getByRole("button", { name: "Cancel job" }).count()).toBe(0);
      await outside.close();
      const inside = await logIn(boss);
      await inside.getByRole("button", { name: "Cancel job" }).click();
      await inside.getByRole("row", { name: /Cancelled steps/ }).waitFor();
      await inside.getByRole("button", { name: "Retry" }).click();
      await inside.getByRole("row", { name: /Running steps/ }).waitFor();
      await inside.close();
    },
    LIMIT_MS,
  );
});

async function open(browser: Browser, url: string, look: Parameters<Browser["newPage"]>[0]): Promise<Page> {
  const page = await browser.newPage(look);
  page.setDefaultTimeout(STEP_MS);
  await page.goto(url);
  return page;
}
