import { type Browser, chromium } from "playwright-core";
import { programPath } from "../os-package.ts";
import { LockstepProcess } from "./lockstep-process.ts";

/** Debian's Chromium, without a window. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: programPath("chromium"), args: ["--no-sandbox"] });
}

/** `lockstep demo`, and a Chromium to look at its page. */
export class ShownDemo {
  readonly browser: Browser;
  /** Of its page. */
  readonly url: string;
  readonly #demo: LockstepProcess;

  private constructor(demo: LockstepProcess, url: string, browser: Browser) {
    this.#demo = demo;
    this.url = url;
    this.browser = browser;
  }

  static async open(): Promise<ShownDemo> {
    const demo = new LockstepProcess("demo", "--http", "0");
    const url = await demo.said(/http:\/\/localhost:\d+/);
    return new ShownDemo(demo, url, await launchChromium());
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.#demo.interrupted();
  }
}
