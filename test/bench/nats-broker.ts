import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { findProgram, osPackage } from "../../scripts/os-packages.js";
import { freePort } from "../faults/mosquitto.ts";
import { BenchError } from "./bench-error.ts";

const START_LIMIT_MS = 10_000;
const POLL_MS = 20;

/** A NATS server that speaks MQTT. */
export class NatsBroker {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  /**
   * @param folder  where its configuration and its streams are put
   * @throws {BenchError} `no-broker`
   */
  static async start(folder: string): Promise<NatsBroker> {
    const program = findProgram(osPackage("nats-server"));
    if (program === undefined) throw new BenchError("no-broker", { name: "nats-server" });
    const [port, own] = [await freePort(), await freePort()];
    const config = join(folder, "nats.conf");
    writeFileSync(
      config,
      `listen: "127.0.0.1:${own}"\nserver_name: bench\njetstream { store_dir: "${join(folder, "nats")}" }\nmqtt { host: "127.0.0.1", port: ${port} }\n`,
    );
    const child = spawn(program, ["-c", config], { stdio: "ignore" });
    const endMs = performance.now() + START_LIMIT_MS;
    while (!(await accepts(port))) {
      if (performance.now() > endMs || child.exitCode !== null)
        throw new BenchError("no-broker", { name: "nats-server" });
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return new NatsBroker(port, child);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "exit");
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
