import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { ShownDemo } from "./shown-demo.ts";

const LIMIT_MS = 120_000;
const WIDE = { width: 1280, height: 900 };
/** Colours of the light theme. */
const WARN = "138,82,0";
const S1 = "50,89,224";
const S2 = "171,73,11";
const PANEL = "255,255,255";

requires("chromium")("the lanes in Chromium, while the demo runs", () => {
  let demo: ShownDemo;
  let browser: Browser;
  let url = "";

  beforeAll(async () => {
    demo = await ShownDemo.open();
    ({ browser, url } = demo);
  }, LIMIT_MS);

  afterAll(() => demo.close(), LIMIT_MS);

  async function open(path: string): Promise<Page> {
    const page = await browser.newPage({ viewport: WIDE, colorScheme: "light" });
    page.setDefaultTimeout(LIMIT_MS);
    await page.goto(`${url}${path}`);
    await page.locator("[data-channel]").filter({ hasText: "±" }).first().waitFor();
    return page;
  }

  const inQuery = (page: Page, name: string) => new URL(page.url()).searchParams.get(name);

  test(
    "the demo opens with the error of every sample between the two lines of its bound; e folds it away",
    async () => {
      const page = await open("/?device=rotor-1");
      const error = page.locator('[data-channel="error / eps"]');
      await error.filter({ hasText: "of eps" }).waitFor();
      const plot = page.getByRole("img", { name: /^error \/ eps, .* of eps: no gaps$/ });
      await plot.waitFor();
      const said = (await plot.getAttribute("aria-label")) ?? "";
      const [low = Number.NaN, high = Number.NaN] = [...said.matchAll(/[−]?\d\.\d\d(?= )/g)].map(([text]) =>
        Number(text.replace("−", "-")),
      );
      expect(low).toBeGreaterThanOrEqual(-1);
      expect(low).toBeLessThan(0);
      expect(high).toBeLessThanOrEqual(1);
      expect(high).toBeGreaterThan(0);
      await page.getByRole("slider", { name: "Time cursor" }).focus();
      await page.keyboard.press("e");
      await error.waitFor({ state: "detached" });
      await page.keyboard.press("e");
      await error.filter({ hasText: "of eps" }).waitFor();
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "the error of the past is asked for with the past, in the same buckets; the truth is drawn when it is wished for",
    async () => {
      const page = await open("/?device=rotor-1");
      const asked: URL[] = [];
      page.on("request", (request) => asked.push(new URL(request.url())));
      const answered = page.waitForResponse((response) => response.url().includes("/truth?"));
      await page.getByRole("button", { name: "Zoom in" }).click();
      expect((await answered).status()).toBe(200);
      const queries = (end: string) =>
        asked
          .filter(({ pathname }) => pathname.endsWith(end))
          .map(({ searchParams }) => ["from", "to", "buckets"].map((name) => searchParams.get(name)).join(" "));
      const [truth = "nothing"] = queries("/truth");
      expect(queries("/history")).toContain(truth);
      expect(await page.getByText("Dots: the truth.").count()).toBe(0);
      await page.getByRole("button", { name: "Truth" }).click();
      await page.getByText("Dots: the truth.").waitFor();
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "up to four channels of one unit lie over each other in a lane of their own, and an address says which",
    async () => {
      const page = await open("/?device=imu-1");
      await page.getByText("Channels: 6 of 6").click();
      const compare = page.getByRole("group", { name: /^Compare/ });
      await compare.getByLabel("ax", { exact: true }).check();
      await compare.getByLabel("az", { exact: true }).check();
      expect(await compare.getByLabel("gx", { exact: true }).isDisabled()).toBe(true);
      expect(await compare.getByLabel("ay", { exact: true }).isDisabled()).toBe(false);
      await expect.poll(() => inQuery(page, "compare"), { timeout: LIMIT_MS }).toBe("ax,az");
      const value = page.locator('[data-channel="Compare"]');
      await value.filter({ hasText: /^ax .* ± .* · az .* ± / }).waitFor();
      await page.reload();
      await value.filter({ hasText: /^ax .* ± .* · az .* ± / }).waitFor();
      await page.getByText("Channels: 6 of 6").click();
      await compare.getByLabel("az", { exact: true }).uncheck();
      await value.waitFor({ state: "detached" });
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "a clipped stretch has a cap at the level where it was clipped and a hatch in place of the band",
    async () => {
      const page = await browser.newPage({ viewport: WIDE, colorScheme: "light" });
      page.setDefaultTimeout(LIMIT_MS);
      const { from, to, answer } = clipped();
      await page.route("**/devices/rotor-1/history?**", (route) => route.fulfill({ json: answer }));
      await page.goto(`${url}/?device=rotor-1&channels=x&from=${from}&to=${to}`);
      await page.locator('[data-channel="x"]').filter({ hasText: "±" }).waitFor();
      const plot = page.getByRole("img", { name: /^x, / });
      const canvas = plot.locator("canvas");
      const columnAt = (share: number) => pixelColumn(canvas, share);
      await expect
        .poll(async () => (await columnAt(0.73)).filter((pixel) => pixel === WARN).length, { timeout: LIMIT_MS })
        .toBeGreaterThan(1);
      // The signal is 0 at first, then 1, where it is clipped: a cap of two pixels lies on the line, all along it.
      for (const share of [0.55, 0.61, 0.7, 0.83, 0.9, 0.97]) {
        const capped = await columnAt(share);
        const line = capped.indexOf(S1);
        expect(line).toBeGreaterThan(0);
        expect(line).toBeLessThan(40);
        const above = capped.slice(line - 4, line);
        expect(above.filter((pixel) => pixel === WARN).length, `${above} at ${share}`).toBeGreaterThan(0);
      }
      const plain = await columnAt(0.23);
      const band = plain[plain.indexOf(S1) + 2];
      expect(plain.filter((pixel) => pixel === WARN)).toEqual([]);
      expect(band).not.toBe(PANEL);
      expect((await columnAt(0.73)).filter((pixel) => pixel === band)).toEqual([]);
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "of channels over each other, the one that was clipped has no band there, and the others keep theirs",
    async () => {
      const page = await browser.newPage({ viewport: WIDE, colorScheme: "light" });
      page.setDefaultTimeout(LIMIT_MS);
      const { from, to, answer } = clipped();
      await page.route("**/devices/rotor-1/history?**", (route) => route.fulfill({ json: answer }));
      await page.goto(`${url}/?device=rotor-1&channels=x&compare=x,y&from=${from}&to=${to}`);
      await page.locator('[data-channel="Compare"]').filter({ hasText: "y -1.0" }).waitFor();
      const canvas = page.getByRole("img", { name: /^x, .*; y, / }).locator("canvas");
      const bands = [mixed(S1, 0.15), mixed(S2, 0.15)];
      const has = async (share: number) => {
        const colours = await pixelColumn(canvas, share);
        return bands.map((band) => colours.some((colour) => isNear(colour, band)));
      };
      // Beside the lines of the grid.
      await expect.poll(() => has(0.23), { timeout: LIMIT_MS }).toEqual([true, true]);
      expect(await has(0.73)).toEqual([false, true]);
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "no frame draws more than two lanes, and a line denser than the pixels is never stroked point by point",
    async () => {
      const page = await browser.newPage({ viewport: WIDE });
      page.setDefaultTimeout(LIMIT_MS);
      await page.addInitScript(() => {
        const drawn = { most: 0, lines: 0, frames: 0 };
        let canvases = new Set<unknown>();
        const turn = (): void => {
          drawn.most = Math.max(drawn.most, canvases.size);
          if (canvases.size > 0) drawn.frames += 1;
          canvases = new Set();
          requestAnimationFrame(turn);
        };
        requestAnimationFrame(turn);
        const { clearRect } = CanvasRenderingContext2D.prototype;
        CanvasRenderingContext2D.prototype.clearRect = function (...place) {
          if (this.canvas.closest(".lane") !== null) canvases.add(this.canvas);
          clearRect.apply(this, place);
        };
        const { lineTo } = Path2D.prototype;
        Path2D.prototype.lineTo = function (...place) {
          drawn.lines += 1;
          lineTo.apply(this, place);
        };
        Object.assign(globalThis, { lockstepDrawn: drawn });
      });
      const { from, to, answer } = dense();
      await page.route("**/devices/rotor-1/history?**", (route) => route.fulfill({ json: answer }));
      await page.goto(`${url}/?device=rotor-1&from=${from}&to=${to}`);
      await page.getByText(/^bucket /).waitFor();
      const drawn = () =>
        page.evaluate(
          () =>
            (globalThis as unknown as { lockstepDrawn: { most: number; lines: number; frames: number } }).lockstepDrawn,
        );
      await expect.poll(async () => (await drawn()).frames, { timeout: LIMIT_MS }).toBeGreaterThan(3);
      expect((await drawn()).lines).toBeLessThan(DENSE_BUCKETS);
      await page.getByRole("slider", { name: "Time cursor" }).focus();
      const before = (await drawn()).frames;
      for (const key of ["+", "-", "PageUp", "PageDown"]) await page.keyboard.press(key);
      await expect.poll(async () => (await drawn()).frames, { timeout: LIMIT_MS }).toBeGreaterThan(before + 5);
      expect((await drawn()).most).toBeLessThanOrEqual(2);
      await page.close();
    },
    LIMIT_MS,
  );

  test(
    "the bytes are those of what is looked at",
    async () => {
      const page = await open("/?device=rotor-1");
      await page.getByText(/^Bytes, last /).waitFor();
      await page.getByRole("button", { name: "Zoom in" }).click();
      await page.getByText("Bytes, this range").waitFor();
      await page.getByRole("button", { name: /^paused/ }).click();
      await page.getByText(/^Bytes, last /).waitFor();
      await page.close();
    },
    LIMIT_MS,
  );
});

/** Colours from top to bottom of one column of pixels, so far along a plot. */
function pixelColumn(canvas: Locator, share: number): Promise<string[]> {
  return canvas.evaluate((element, at) => {
    const { width, height } = element as HTMLCanvasElement;
    const ctx = (element as HTMLCanvasElement).getContext("2d");
    const x = Math.round(56 + (width - 56 - 28) * at);
    const { data } = ctx?.getImageData(x, 0, 1, height) ?? { data: [] as number[] };
    // The canvas lies on the panel, which is white.
    return Array.from({ length: height }, (_, y) => {
      const [alpha = 0] = data.slice(4 * y + 3, 4 * y + 4);
      return [...data.slice(4 * y, 4 * y + 3)].map((part) => Math.round(255 + ((part - 255) * alpha) / 255)).join(",");
    });
  }, share);
}

/** A colour over the panel. */
function mixed(colour: string, alpha: number): number[] {
  return colour.split(",").map((part) => alpha * Number(part) + (1 - alpha) * 255);
}

function isNear(colour: string, wanted: readonly number[]): boolean {
  return colour.split(",").every((part, i) => Math.abs(Number(part) - (wanted[i] ?? 0)) <= 2);
}

const DENSE_BUCKETS = 2_000;

function history(widthUs: number, values: Record<string, readonly number[]>, runs: readonly object[]) {
  const [first] = Object.values(values);
  const count = first?.length ?? 0;
  // A whole number of widths, long ago.
  const t0Us = 1_700_000_000_000_000;
  const range = { fromUs: t0Us, toUs: t0Us + count * widthUs };
  const channels = Object.entries(values).map(([name, column]) => {
    return { name, unit: "1", eps: 0.05, first: column, second: column.map((value) => value + 0.001) };
  });
  const kept = { maxAgeS: null, maxBytes: null };
  const answer = { id: "rotor-1", range, span: range, nearest: null, kept, runs, t0Us, widthUs, count, channels };
  return { from: range.fromUs, to: range.toUs, answer };
}

/** Of x 20 samples at 0, 20 at 1 that were clipped there; y is −1 throughout. */
function clipped() {
  const widthUs = 100_000;
  const half = 1_700_000_000_000_000 + 20 * widthUs;
  const x = Array.from({ length: 40 }, (_, i) => (i < 20 ? 0 : 1));
  const y = x.map(() => -1);
  return history(widthUs, { x, y }, [{ kind: "saturated", channel: "x", fromUs: half, toUs: half + 20 * widthUs }]);
}

/** Six channels, three buckets for two pixels. */
function dense() {
  const column = Array.from({ length: DENSE_BUCKETS }, (_, i) => Math.sin(i));
  return history(640_000, Object.fromEntries(["x", "y", "z", "rx", "ry", "rz"].map((name) => [name, column])), []);
}
