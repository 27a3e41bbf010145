import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { LockstepProcess, runLockstep } from "./lockstep-process.ts";
import { expectAccessible, NARROW } from "./page-axe.ts";
import { launchChromium } from "./shown-demo.ts";

const LIMIT_MS = 120_000;

requires("chromium")("the page in Chromium, where a token is needed", () => {
  let node: LockstepProcess;
  let device: LockstepProcess;
  let browser: Browser;
  let folder = "";
  let store: readonly string[] = [];
  let url = "";
  let token = "";

  const add = async (name: string): Promise<string> => {
    const made = await runLockstep("tokens", "add", name, "--role", "read", "--json", ...store);
    return (JSON.parse(made.stdout) as { token: string }).token;
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lockstep-log-in-"));
    store = ["--store", join(folder, "node.db")];
    token = await add("ops");
    node = new LockstepProcess("serve", "--http", "0", "--mqtt-port", "0", "--log", "info", ...store);
    const places = JSON.parse(await node.said(/\{.*"msg":"listening"\}/)) as { http: string; mqtt: string };
    url = places.http;
    device = new LockstepProcess("sim", "rotor", "--to", places.mqtt, "--id", "pump");
    // Known before a page asks for it by its address.
    await node.said(/"device":"pump"/);
    const headers = { authorization: `Bearer ${token}` };
    const twin = async () => await (await fetch(`${url}/api/v1/devices/pump/twin`, { headers })).text();
    while (!(await twin()).includes('"confirmed"')) await new Promise((resolve) => setTimeout(resolve, 50));
    browser = await launchChromium();
  }, LIMIT_MS);

  afterAll(async () => {
    await browser.close();
    for (const process of [device, node]) await process.interrupted();
    rmSync(folder, { recursive: true });
  }, LIMIT_MS);

  /** A page that remembers what its own rules refused. */
  async function openPage(look: Parameters<Browser["newPage"]>[0] = {}): Promise<{ page: Page; broken: string[] }> {
    const page = await browser.newPage(look);
    page.setDefaultTimeout(LIMIT_MS);
    const broken: string[] = [];
    page.on("console", (message) => {
      if (/Content Security Policy|Permissions-Policy|Cross-Origin/i.test(message.text())) broken.push(message.text());
    });
    page.on("pageerror", (error) => broken.push(error.message));
    return { page, broken };
  }

  async function logIn(page: Page, secret: string): Promise<void> {
    await page.getByLabel("Token").fill(secret);
    await page.getByRole("button", { name: "Log in" }).click();
  }

  test(
    "the form is clean for axe, before and after a wrong token",
    async () => {
      const { page, broken } = await openPage(NARROW);
      await page.goto(`${url}/?device=pump`);
      await page.getByRole("heading", { name: "Log in to Lockstep" }).waitFor();
      expect(await page.evaluate(() => document.activeElement?.id)).toBe("token");
      await expectAccessible(page, "the form");
      expect(await page.getByText("pump").count()).toBe(0);
      await logIn(page, "hunter2");
      await page.getByRole("alert").filter({ hasText: "opens nothing here" }).waitFor();
      await expectAccessible(page, "a wrong token");
      expect(broken).toEqual([]);
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "a session that ends under an open view brings the form back and leaves the view; logged in again it goes on",
    async () => {
      const { page, broken } = await openPage({ viewport: { width: 390, height: 800 } });
      const former = await add("former");
      await page.goto(`${url}/?device=pump`);
      await logIn(page, former);
      const value = page.locator('[data-channel="x"]').filter({ hasText: "±" });
      await value.waitFor();
      await page.getByRole("button", { name: "Log out former" }).waitFor();
      await page.getByRole("button", { name: "Zoom in" }).click();
      await page.waitForURL(/from=\d+/);
      const before = page.url();
      expect(await page.evaluate(() => document.cookie)).toBe("");
      await runLockstep("tokens", "revoke", "former", ...store);
      await page.getByText("The session has ended.").waitFor();
      expect(page.url()).toBe(before);
      expect(await value.count()).toBe(1);
      await page.getByRole("button", { name: "Stale" }).first().waitFor();
      expect(await page.evaluate(() => document.activeElement?.id)).toBe("token");
      await expectAccessible(page, "ended under a view");
      await logIn(page, former);
      await page.getByRole("alert").filter({ hasText: "was revoked" }).waitFor();
      await logIn(page, token);
      await page.getByText("The session has ended.").waitFor({ state: "detached" });
      await page.getByRole("button", { name: "Log out ops" }).waitFor();
      expect(page.url()).toBe(before);
      await page.getByRole("button", { name: /^paused/ }).click();
      const old = await value.textContent();
      await page.waitForFunction((was) => document.querySelector('[data-channel="x"]')?.textContent !== was, old);
      await expectAccessible(page, "logged in");
      await page.getByRole("button", { name: "Log out ops" }).click();
      await page.getByRole("heading", { name: "Log in to Lockstep" }).waitFor();
      expect(await page.getByText("pump").count()).toBe(0);
      await page.reload();
      await page.getByRole("heading", { name: "Log in to Lockstep" }).waitFor();
      expect(broken).toEqual([]);
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "a page from elsewhere, in the browser of whoever is logged in, reads nothing, holds nothing and changes nothing",
    async () => {
      const context = await browser.newContext();
      const page = await context.newPage();
      page.setDefaultTimeout(LIMIT_MS);
      await page.goto(url);
      await logIn(page, token);
      await page.getByRole("button", { name: "Log out ops" }).waitFor();
      const evil = await serveHtml("<!doctype html><title>evil</title><p>hello</p>");
      const { port } = evil.address() as AddressInfo;
      const before = (await counts()).get("from-a-page") ?? 0;
      // Another port of this machine is the same site: the strictest cookie would go along.
      for (const host of ["localhost", "127.0.0.1"]) {
        const other = await context.newPage();
        await other.goto(`http://${host}:${port}/`);
        const got = await other.evaluate(async (node) => {
          const read = await fetch(`${node}/api/v1/devices`, { credentials: "include" }).then(
            (r) => r.text(),
            () => "refused",
          );
          const blind = await fetch(`${node}/api/v1/devices`, { credentials: "include", mode: "no-cors" }).then(
            (r) => r.type,
            () => "refused",
          );
          const changed = await fetch(`${node}/api/v1/session`, { method: "DELETE", credentials: "include" }).then(
            (r) => r.status,
            () => "refused",
          );
          const posted = await fetch(`${node}/api/v1/session`, {
            ...{ method: "POST", credentials: "include", mode: "no-cors", body: '{"token":"x"}' },
          }).then(
            (r) => r.type,
            () => "refused",
          );
          const stream = await new Promise<string>((resolve) => {
            const source = new EventSource(`${node}/api/v1/stream`, { withCredentials: true });
            source.onopen = () => resolve("open");
            source.onerror = () => resolve("refused");
          });
          const frame = document.createElement("iframe");
          frame.src = node;
          document.body.append(frame);
          await new Promise((resolve) => {
            frame.onload = resolve;
          });
          let framed = "refused";
          try {
            framed = frame.contentDocument?.body.textContent ?? "refused";
          } catch {
            framed = "refused";
          }
          return { read, blind, changed, posted, stream, framed };
        }, url);
        expect(got).toMatchObject({ read: "refused", changed: "refused", stream: "refused", framed: "refused" });
        await other.close();
      }
      expect((await counts()).get("from-a-page") ?? 0).toBeGreaterThan(before + 4);
      // Still logged in: nobody ended it from elsewhere.
      await page.reload();
      await page.getByRole("button", { name: "Log out ops" }).waitFor();
      await new Promise((resolve) => evil.close(resolve));
      await context.close();
    },
    LIMIT_MS,
  );

  /** What the node refused, by reason. */
  async function counts(): Promise<ReadonlyMap<string, number>> {
    const headers = { authorization: `Bearer ${token}` };
    const text = await fetch(`${url}/metrics`, { headers }).then((answer) => answer.text());
    const found = text.matchAll(/lockstep_http_refused_total\{reason="([^"]+)"\} (\d+)/g);
    return new Map([...found].map(([, reason = "", count]) => [reason, Number(count)]));
  }

  async function serveHtml(html: string): Promise<Server> {
    const server = createServer((_, response) => response.setHeader("content-type", "text/html").end(html));
    await new Promise<void>((resolve) => server.listen(0, resolve));
    return server;
  }
});
