import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { HistoryVerdict } from "@lockstep/sim";
import { CommandError } from "../command-error.ts";
import type { EdgeOrder, EdgeReport, EdgeStatus } from "./edge-messages.ts";

/** How long devices may take to get their last frames confirmed. */
const SETTLE_MS = 15_000;

type Stopped = Extract<EdgeReport, { kind: "stopped" }>;

/** The demo's end of the process that runs its devices. */
export class EdgeHost {
  readonly #child: ChildProcess;
  readonly #onStatus: (devices: readonly EdgeStatus[]) => void;
  #waiting:
    | { readonly kind: EdgeReport["kind"]; settle(report: EdgeReport): void; fail(error: Error): void }
    | undefined;
  #failure: Error | undefined;

  private constructor(child: ChildProcess, onStatus: (devices: readonly EdgeStatus[]) => void) {
    this.#child = child;
    this.#onStatus = onStatus;
    child.on("message", (report: EdgeReport) => this.#hear(report));
    child.once("exit", (code) => this.#fail(`the devices' process ended by itself with code ${code}`));
  }

  /**
   * Start the devices, and wait until they are sampling.
   *
   * @param onStatus  told twice a second how they are
   */
  static async start(
    place: { readonly url: string; readonly group: string; readonly seed: number },
    onStatus: (devices: readonly EdgeStatus[]) => void,
  ): Promise<EdgeHost> {
    // The source runs as it is during development, and compiled otherwise.
    const extension = extname(fileURLToPath(import.meta.url));
    const child = fork(new URL(`./edge-process${extension}`, import.meta.url), {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    const host = new EdgeHost(child, onStatus);
    await host.#ask({ kind: "start", ...place }, "status");
    return host;
  }

  /** Cut a device's link for so long. */
  cut(device: string, forMs: number): void {
    this.#send({ kind: "cut", device, forMs });
  }

  /** No more samples; resolves when those taken are confirmed, or time is up. */
  async stop(): Promise<Stopped> {
    return await this.#ask({ kind: "stop", withinMs: SETTLE_MS }, "stopped");
  }

  /** Let the devices compare the store with what they measured. */
  async verify(storeFile: string): Promise<readonly HistoryVerdict[]> {
    return (await this.#ask({ kind: "verify", storeFile }, "verified")).verdicts;
  }

  /** End the process. */
  async close(): Promise<void> {
    this.#child.removeAllListeners("exit");
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    if (this.#child.connected) this.#child.disconnect();
    else this.#child.kill("SIGKILL");
    await ended;
  }

  #ask<Kind extends EdgeReport["kind"]>(order: EdgeOrder, kind: Kind): Promise<Extract<EdgeReport, { kind: Kind }>> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#waiting = {
        kind,
        settle: (report) => resolve(report as Extract<EdgeReport, { kind: Kind }>),
        fail: reject,
      };
      this.#send(order);
    });
  }

  #send(order: EdgeOrder): void {
    if (this.#child.connected) this.#child.send(order);
  }

  #hear(report: EdgeReport): void {
    if (report.kind === "failed") this.#fail(report.message);
    if (report.kind === "status") this.#onStatus(report.devices);
    if (this.#waiting?.kind !== report.kind) return;
    const { settle } = this.#waiting;
    this.#waiting = undefined;
    settle(report);
  }

  #fail(message: string): void {
    this.#failure = new CommandError("missing-part", `a simulated device failed: ${message}`, "");
    this.#waiting?.fail(this.#failure);
    this.#waiting = undefined;
  }
}
