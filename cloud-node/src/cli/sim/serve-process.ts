import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Endpoint, ScenarioNode, StoredDevice } from "@lockstep/sim";
import * as v from "valibot";
import { openHistory } from "../../history/history.ts";
import { CommandError } from "../command-error.ts";

const placesSchema = v.object({ mqtt: v.string(), tcpPort: v.number() });
const GROUP = "lockstep";
const HOST = "127.0.0.1";

/** A cloud node for a scenario: `lockstep serve` in a process of its own, which can be killed for real. */
export class ServeProcess implements ScenarioNode {
  readonly #storeFile: string;
  #child: ChildProcess | undefined;
  /** Taken by the first start, and kept. */
  #mqttPort = 0;
  #tcpPort = 0;

  /** @param folder  for its store */
  constructor(folder: string) {
    this.#storeFile = join(folder, "scenario.db");
  }

  async start(serialLines: readonly string[]): Promise<void> {
    const main = fileURLToPath(new URL("../../../bin/lockstep.js", import.meta.url));
    const ports = ["--mqtt-port", String(this.#mqttPort), "--tcp", String(this.#tcpPort), "--no-http"];
    const lines = serialLines.flatMap((line) => ["--serial", line]);
    // Whatever ends this process, its end of the pipe closes, and the node ends too.
    const args = [
      main,
      "serve",
      "--until-eof",
      "--json",
      "--log",
      "error",
      "--store",
      this.#storeFile,
      ...ports,
      ...lines,
    ];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"], windowsHide: true });
    this.#child = child;
    const line = await firstLine(child);
    if (line === undefined)
      throw new CommandError("missing-part", "the cloud node did not start", "its reason is above");
    const places = v.parse(placesSchema, JSON.parse(line));
    this.#mqttPort = Number(new URL(places.mqtt).port);
    this.#tcpPort = places.tcpPort;
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  endpoint(transport: "mqtt" | "tcp"): Endpoint {
    const port = transport === "mqtt" ? this.#mqttPort : this.#tcpPort;
    return { url: `${transport}://${HOST}:${port}`, group: GROUP };
  }

  async read(device: string): Promise<StoredDevice | undefined> {
    const history = await openHistory(this.#storeFile);
    try {
      if (!history.devices().includes(device)) return undefined;
      const declaredLost = history.gaps(device).reduce((sum, gap) => sum + gap.samples, 0);
      // A copy: the store is closed before the rows are looked at.
      return { rows: [...history.samples(device)], declaredLost };
    } finally {
      history.close();
    }
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }
}

/** @returns undefined when the process ends without one */
async function firstLine(child: ChildProcess): Promise<string | undefined> {
  if (child.stdout === null) return undefined;
  for await (const line of createInterface({ input: child.stdout })) return line;
  return undefined;
}
