import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, existsSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { programPath } from "../os-package.ts";

/**
 * A serial line of two pseudo-terminals that socat joins, to be plugged in and unplugged. The test holds both ends open
 * too: a wire does not go away because a program at one end of it has ended.
 */
export class PseudoLine {
  readonly cloudPath: string;
  readonly devicePath: string;
  #socat: ChildProcess | undefined;
  #ends: { readonly cloud: number; readonly device: number } | undefined;

  /** @param folder  where the ends get their names */
  constructor(folder: string) {
    this.cloudPath = join(folder, "cloud-end");
    this.devicePath = join(folder, "device-end");
  }

  async plugIn(): Promise<void> {
    const end = (path: string) => `pty,raw,echo=0,link=${path}`;
    const socat = spawn(programPath("socat"), [end(this.cloudPath), end(this.devicePath)], { stdio: "ignore" });
    this.#socat = socat;
    while (!(existsSync(this.cloudPath) && existsSync(this.devicePath))) {
      if (socat.exitCode !== null) throw new RangeError(`socat ended with ${socat.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const flags = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK;
    this.#ends = { cloud: openSync(this.cloudPath, flags), device: openSync(this.devicePath, flags) };
  }

  /** Without a word: both ends are gone, and their names with them. */
  async unplug(): Promise<void> {
    const socat = this.#socat;
    if (socat === undefined) return;
    this.#socat = undefined;
    if (socat.exitCode === null && socat.signalCode === null) {
      socat.kill("SIGKILL");
      await once(socat, "exit");
    }
    for (const end of Object.values(this.#ends ?? {})) closeSync(end);
    this.#ends = undefined;
    for (const path of [this.cloudPath, this.devicePath]) rmSync(path, { force: true });
  }

  /** Bytes that neither end has written, for whoever reads at that end. A full line takes none. */
  disturb(reader: "cloud" | "device", noise: Uint8Array): void {
    const ends = this.#ends;
    if (ends === undefined) return;
    try {
      writeSync(reader === "cloud" ? ends.device : ends.cloud, noise);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
    }
  }
}
