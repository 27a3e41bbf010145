import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BrowserContextOptions, chromium } from "playwright-core";
import { programPath } from "../os-package.ts";

const LAUNCHER = fileURLToPath(new URL("../../cloud-node/bin/lockstep.js", import.meta.url));
const LIMIT_MS = 120_000;
/** So that a window full of samples is on show. */
const FULL_MS = 12_000;

interface Shot {
  readonly name: string;
  readonly path: string;
  readonly look: BrowserContextOptions;
  /** Keys pressed on the lanes before the picture is taken. */
  readonly keys?: readonly string[];
}

const WIDE = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };

const SHOTS: readonly Shot[] = [
  { name: "device-light", path: "/?device=imu-1", look: { colorScheme: "light", viewport: WIDE } },
  { name: "device-dark", path: "/?device=imu-1", look: { colorScheme: "dark", viewport: WIDE } },
  {
    name: "history-light",
    path: "/?device=imu-1",
    look: { colorScheme: "light", viewport: WIDE },
    keys: ["+", "+", "+", "ArrowLeft"],
  },
  { name: "fleet-dark", path: "/", look: { colorScheme: "dark", viewport: { width: 1280, height: 420 } } },
  { name: "phone-light", path: "/?device=rotor-1", look: { colorScheme: "light", viewport: PHONE } },
];

/**
 * Start the demo, and take a picture of each of its views.
 *
 * @param folder  made where it is missing; gets NAME.png
 * @throws {RangeError} where Chromium is not installed
 */
export async function takeScreenshots(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const demo = spawn(process.execPath, [LAUNCHER, "demo", "--http", "0"], { stdio: ["ignore", "ignore", "pipe"] });
  const browser = await chromium.launch({ executablePath: programPath("chromium"), args: ["--no-sandbox"] });
  try {
    const url = await addressOf(demo.stderr);
    await new Promise((resolve) => setTimeout(resolve, FULL_MS));
    for (const { name, path, look, keys = [] } of SHOTS) {
      const page = await browser.newPage({ ...look, reducedMotion: "reduce" });
      await page.goto(`${url}${path}`);
      const isDevice = path.includes("device=");
      await page.waitForSelector(isDevice ? "[data-channel]:has-text('±')" : ".fleet", { timeout: LIMIT_MS });
      if (keys.length > 0) await page.locator("[role=slider]").focus();
      for (const key of keys) await page.keyboard.press(key);
      // The focus is on the lanes, which reach below the picture.
      await page.evaluate(() => scrollTo(0, 0));
      await page.waitForTimeout(2000);
      const file = join(folder, `${name}.png`);
      await page.screenshot({ path: file });
      console.error(`${file}  ${Math.ceil(statSync(file).size / 1000)} kB`);
      await page.close();
    }
  } finally {
    await browser.close();
    demo.kill("SIGINT");
    await once(demo, "exit");
  }
}

/** What the demo says on standard error. */
async function addressOf(stderr: NodeJS.ReadableStream): Promise<string> {
  let said = "";
  for await (const chunk of stderr) {
    said += String(chunk);
    const [found] = /http:\/\/localhost:\d+/.exec(said) ?? [];
    if (found !== undefined) return found;
  }
  throw new RangeError(`the demo ended without an address: ${said}`);
}
