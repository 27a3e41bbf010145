import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type Clock, systemClock, systemRandom } from "@lockstep/edge-sdk";
import { createFleet, paceByConfirmation, paceInRealTime, type SimulatedDevice, seededRandom } from "@lockstep/sim";
import { type Browser, chromium, type Page } from "playwright-core";
import { programPath } from "../os-package.ts";
import type { BenchReport } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import { type FrameTimes, framesSince, watchFrames } from "./page-frames.ts";
import { deviceModule, ROTOR_EPS } from "./rotor-session.ts";

const LAUNCHER = fileURLToPath(new URL("../../cloud-node/bin/lockstep.js", import.meta.url));
const DIST = fileURLToPath(new URL("../../cloud-node/dashboard/dist", import.meta.url));
const POINTS = 100_000;
const OPENS = 5;
const LIVE_DEVICES = 10;
const TABLE_DEVICES = 1_000;
const TABLE_SAMPLES = 100;
const WATCH_MS = 10_000;
const STALL_MS = 60_000;
const LIMIT_MS = 120_000;
const KEYS = ["+", "+", "PageUp", "PageDown", "-", "+", "+", "PageUp", "-", "-", "-", "PageDown", "+", "-"];
/** What a person overlooks. */
const FRAME_LIMIT_MS = 50;

/** How the page moves: 10⁵ points in view, ten devices live, a table of a thousand. */
export async function benchPage(): Promise<BenchReport> {
  const busy = (loadavg()[0] ?? 0).toFixed(1);
  const folder = mkdtempSync(join(tmpdir(), "lockstep-page-bench-"));
  const node = spawn(
    process.execPath,
    [LAUNCHER, "serve", "--json", "--http", "0", "--mqtt-port", "0", "--tcp", "0", "--store", join(folder, "node.db")],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  const browser = await chromium.launch({ executablePath: programPath("chromium"), args: ["--no-sandbox"] });
  try {
    const { http, tcpPort } = await placesOf(node);
    const empty = await idle(browser);
    const past = await measurePast(browser, http, tcpPort);
    const live = await measureLive(browser, http, tcpPort);
    const table = await measureTable(browser, http, tcpPort);
    const rows: readonly (readonly [string, FrameTimes])[] = [
      ["an empty page, for comparison", empty],
      [`${POINTS} points × 6 in view, zoom and pan`, past],
      [`one of ${LIVE_DEVICES} devices × 6 live`, live.device],
      [`table of ${LIVE_DEVICES} devices live`, live.fleet],
      [`table of ${TABLE_DEVICES} devices, scrolled and updated`, table],
    ];
    const pageBytes = gzippedBytes(DIST);
    return {
      title: "The page in Chromium",
      goals: [
        { what: "page, gzipped", measured: pageBytes / 1000, unit: "kB", must: { below: 150 }, aim: 80 },
        { what: "first live plot after open", measured: live.firstMs, unit: "ms", aimedAt: { below: 1000 } },
        { what: "10⁵ points: worst frame", measured: past.worstMs, unit: "ms", aimedAt: { atMost: FRAME_LIMIT_MS } },
        { what: "live: worst frame", measured: live.device.worstMs, unit: "ms", aimedAt: { atMost: FRAME_LIMIT_MS } },
        { what: "1,000 rows: worst frame", measured: table.worstMs, unit: "ms", aimedAt: { atMost: FRAME_LIMIT_MS } },
      ],
      columns: ["what", "frames", "median, ms", "p99, ms", "worst, ms", "over 50 ms"],
      rows: rows.map(([what, { frames, medianMs, p99Ms, worstMs, over50 }]) => {
        return [what, frames, rounded(medianMs), rounded(p99Ms), rounded(worstMs), over50];
      }),
      more: [
        {
          title: "The page's own thread: the time that it really ran",
          columns: ["what", "longest task, ms", "most script in one, ms", "most of the rest in one, ms"],
          rows: rows.map(([what, { tasks }]) => {
            return [what, rounded(tasks.longestMs), rounded(tasks.scriptMs), rounded(tasks.restMs)];
          }),
        },
      ],
      notes: [
        `First live plot: median of ${OPENS} opens, ${live.firstRange} ms; from the navigation to the first value beside its plot.`,
        "Frames are as a person sees them, whatever else the machine does meanwhile. A task is counted by the processor time of the page's thread: what the page itself takes of a frame.",
        "There is no GPU: canvases are rasterised in software on the page's thread, and that is in *the rest*, with style and layout.",
        `Load of the machine as the run began: ${busy} of ${availableParallelism()} cores, others' work; where it is above 1 the frames are theirs as much as the page's.`,
        "Headless Chromium without a GPU, node, devices and browser on one machine: the empty page shows what the machine itself costs.",
        `The reference rotor (100 Hz, 6 channels, eps ${ROTOR_EPS}); 1280 × 900 pixels; times between two frames.`,
      ],
    };
  } finally {
    await browser.close();
    // A node that ended by itself says so only once.
    const isRunning = node.exitCode === null && node.signalCode === null;
    node.kill("SIGINT");
    if (isRunning) await once(node, "exit");
    rmSync(folder, { recursive: true });
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

async function placesOf(node: ChildProcess): Promise<{ readonly http: string; readonly tcpPort: number }> {
  let said = "";
  for await (const chunk of node.stdout ?? []) {
    said += String(chunk);
    if (said.includes("\n")) return JSON.parse(said) as { readonly http: string; readonly tcpPort: number };
  }
  throw new BenchError("no-answer", { of: "lockstep serve" });
}

function rotors(id: string, count: number, tcpPort: number, clock: Clock): SimulatedDevice[] {
  const plan = { id, count, signal: { name: "rotor" }, eps: { abs: ROTOR_EPS }, frameSamples: 100 } as const;
  return createFleet({
    plans: [plan],
    endpoint: () => ({ url: `tcp://127.0.0.1:${tcpPort}`, group: "lockstep" }),
    module: deviceModule(),
    clock,
    random: seededRandom(1),
    nonces: systemRandom(),
  });
}

/** The same clock, so many µs ago. */
function earlier(clock: Clock, byUs: number): Clock {
  return {
    nowMs: () => clock.nowMs(),
    unixUs: () => clock.unixUs() - byUs,
    setTimer: (callback, afterMs) => clock.setTimer(callback, afterMs),
  };
}

async function openPage(browser: Browser, address: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(address);
  return page;
}

async function idle(browser: Browser): Promise<FrameTimes> {
  const page = await openPage(browser, "about:blank");
  await watchFrames(page);
  await page.waitForTimeout(WATCH_MS / 4);
  const found = await framesSince(page);
  await page.close();
  return found;
}

async function measurePast(browser: Browser, http: string, tcpPort: number): Promise<FrameTimes> {
  const [device] = rotors("long", 1, tcpPort, earlier(systemClock(), POINTS * 10_000));
  if (device === undefined) throw new BenchError("not-live", { device: "long" });
  await device.powerOn();
  if (!(await paceByConfirmation(device, POINTS, STALL_MS)))
    throw new BenchError("not-live", { device: "long", samples: POINTS });
  const page = await openPage(browser, `${http}/?device=long`);
  await page.getByRole("button", { name: "All" }).click({ timeout: LIMIT_MS });
  await page.getByText(/^bucket /).waitFor({ timeout: LIMIT_MS });
  await page.getByRole("slider", { name: "Time cursor" }).focus();
  await watchFrames(page);
  for (const key of KEYS) {
    await page.keyboard.press(key);
    await page.waitForTimeout(250);
  }
  const found = await framesSince(page);
  await page.close();
  await device.close();
  return found;
}

interface LiveFigures {
  readonly firstMs: number;
  readonly firstRange: string;
  readonly device: FrameTimes;
  readonly fleet: FrameTimes;
}

/** How long it takes from a link to a plot that moves, ms. */
async function firstPlotMs(page: Page, http: string): Promise<number> {
  const startedMs = performance.now();
  await page.goto(`${http}/?device=live-1`);
  await page.locator('[data-channel="x"]').filter({ hasText: "±" }).waitFor({ timeout: LIMIT_MS });
  return Math.round(performance.now() - startedMs);
}

/** Every file of the page as it is sent to a browser. */
function gzippedBytes(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + gzipSync(readFileSync(join(parentPath, name))).length, 0);
}

async function measureLive(browser: Browser, http: string, tcpPort: number): Promise<LiveFigures> {
  const clock = systemClock();
  const devices = rotors("live", LIVE_DEVICES, tcpPort, clock);
  for (const device of devices) await device.powerOn();
  const pace = paceInRealTime(devices, clock, () => undefined);
  await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
  const opens: number[] = [];
  for (let turn = 1; turn < OPENS; turn++) {
    const early = await openPage(browser, "about:blank");
    opens.push(await firstPlotMs(early, http));
    await early.close();
  }
  const page = await openPage(browser, "about:blank");
  opens.push(await firstPlotMs(page, http));
  opens.sort((a, b) => a - b);
  await watchFrames(page);
  await page.waitForTimeout(WATCH_MS);
  const device = await framesSince(page);
  await page.getByRole("link", { name: "Lockstep" }).click();
  await page.getByRole("link", { name: "live-10" }).waitFor({ timeout: LIMIT_MS });
  await watchFrames(page);
  await page.waitForTimeout(WATCH_MS);
  const fleet = await framesSince(page);
  await page.close();
  pace.stop();
  for (const one of devices) await one.close();
  return { firstMs: opens[OPENS >> 1] ?? Number.NaN, firstRange: `${opens[0]} to ${opens.at(-1)}`, device, fleet };
}

async function measureTable(browser: Browser, http: string, tcpPort: number): Promise<FrameTimes> {
  const devices = rotors("row", TABLE_DEVICES, tcpPort, systemClock());
  for (const device of devices) {
    await device.powerOn();
    if (!(await paceByConfirmation(device, TABLE_SAMPLES, STALL_MS))) {
      throw new BenchError("not-live", { device: device.id });
    }
  }
  const page = await openPage(browser, `${http}/?search=row&sort=name`);
  await page.getByText(`1 of ${TABLE_DEVICES / 50}`).waitFor({ timeout: LIMIT_MS });
  let samples = TABLE_SAMPLES;
  const timer = setInterval(() => {
    samples += 10;
    for (const device of devices.slice(0, 100)) device.advanceTo(samples);
  }, 1000);
  await watchFrames(page);
  for (let turn = 0; turn < 40; turn++) {
    await page.mouse.wheel(0, turn < 20 ? 60 : -60);
    await page.waitForTimeout(WATCH_MS / 40);
  }
  const found = await framesSince(page);
  clearInterval(timer);
  await page.close();
  for (const device of devices) await device.close();
  return found;
}
