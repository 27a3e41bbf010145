import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type History, openHistory } from "@lockstep/cloud-node";
import type { Endpoint, ScenarioNode, StoredDevice } from "@lockstep/sim";

const LOCKSTEP = fileURLToPath(new URL("../../cloud-node/bin/lockstep.js", import.meta.url));

/** Where `lockstep serve --json` says that it listens. */
interface Places {
  readonly mqtt: string;
  readonly tcpPort: number;
}

/** `lockstep serve` in a process of its own, on ports that stay the same from start to start. */
export class ServedNode implements ScenarioNode {
  readonly #store: string;
  #child: ChildProcess | undefined;
  #places: Places | undefined;
  #history: History | undefined;

  /** @param folder  where its store is put */
  constructor(folder: string) {
    this.#store = join(folder, "node.db");
  }

  async start(serialLines: readonly string[]): Promise<void> {
    const mqttPort = this.#places === undefined ? "0" : new URL(this.#places.mqtt).port;
    const options = ["--json", "--no-http", "--log", "error", "--store", this.#store, "--mqtt-port", mqttPort];
    const lines = serialLines.flatMap((line) => ["--serial", line]);
    const child = spawn(
      process.execPath,
      [LOCKSTEP, "serve", ...options, "--tcp", String(this.#places?.tcpPort ?? 0), ...lines],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    this.#child = child;
    let said = "";
    for await (const chunk of child.stdout) {
      said += String(chunk);
      if (said.includes("\n")) break;
    }
    this.#places = JSON.parse(said) as Places;
  }

  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  stop(): Promise<void> {
    return this.#end("SIGINT");
  }

  endpoint(transport: "mqtt" | "tcp"): Endpoint {
    const { mqtt = "", tcpPort = 0 } = this.#places ?? {};
    return { url: transport === "mqtt" ? mqtt : `tcp://127.0.0.1:${tcpPort}`, group: "lockstep" };
  }

  async read(device: string): Promise<StoredDevice | undefined> {
    this.#history ??= await openHistory(this.#store);
    if (!this.#history.devices().includes(device)) return undefined;
    const declaredLost = this.#history.gaps(device).reduce((sum, { samples }) => sum + samples, 0);
    return { rows: this.#history.samples(device), declaredLost };
  }

  close(): void {
    this.#history?.close();
  }

  async #end(signal: "SIGKILL" | "SIGINT"): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "exit");
  }
}
