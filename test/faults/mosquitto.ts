import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { findProgram, osPackage } from "../../scripts/os-packages.js";
import { LIMIT_MS, ProcessError } from "./child-process.ts";

/** A real mosquitto that forgets everything when it is killed. */
export class Mosquitto {
  readonly port: number;
  readonly #config: string;
  #child: ChildProcess;

  private constructor(port: number, config: string) {
    this.port = port;
    this.#config = config;
    this.#child = this.#spawn();
  }

  /** @param folder  where its configuration is put */
  static async start(folder: string): Promise<Mosquitto> {
    const port = await freePort();
    const config = join(folder, "mosquitto.conf");
    // No limit on what waits for a slow subscriber: what a broker drops is another test's subject.
    writeFileSync(
      config,
      `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nset_tcp_nodelay true\n`,
    );
    const mosquitto = new Mosquitto(port, config);
    await mosquitto.#listening();
    return mosquitto;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Start it again after a kill. */
  async restart(): Promise<void> {
    await this.#gone();
    this.#child = this.#spawn();
    await this.#listening();
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#gone();
  }

  #spawn(): ChildProcess {
    return spawn(findProgram(osPackage("mosquitto")) ?? "mosquitto", ["-c", this.#config], { stdio: "ignore" });
  }

  async #gone(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "exit");
  }

  async #listening(): Promise<void> {
    const endMs = performance.now() + LIMIT_MS;
    while (!(await accepts(this.port))) {
      const isOver = performance.now() > endMs || this.#child.exitCode !== null;
      if (isOver) throw new ProcessError("no-answer", { name: "mosquitto", detail: `port ${this.port}` });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** A port that was free a moment ago; for servers that must come back at the same one. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
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
